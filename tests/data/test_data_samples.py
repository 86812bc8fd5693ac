"""Previews: strict JSON and parquet, whatever a frame holds, and nothing secret in them."""

from __future__ import annotations

import datetime as dt
import decimal
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from mlvalidate.data.samples import write_preview


def keep(text: str) -> str:
    return text


def preview(frame: pd.DataFrame, folder: Path, redact: Any = keep, **more: Any) -> dict[str, Any]:
    write_preview(frame, folder / "train.csv", redact, **more)

    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is no JSON")

    shown: dict[str, Any] = json.loads(
        (folder / "train.csv.json").read_text(encoding="utf-8"), parse_constant=refuse
    )
    table = pq.read_table(folder / "train.csv.parquet")
    assert table.num_columns == len(shown["columns"])
    assert not shown["columns"] or table.num_rows == len(shown["data"])
    return shown


def test_what_a_preview_holds(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "i": [1, 2],
            "f": [0.5, np.nan],
            "inf": [np.inf, -np.inf],
            "n": pd.array([1, None], dtype="Int64"),
            "b": pd.array([True, None], dtype="boolean"),
            "s": ["é", None],
            "t": pd.to_datetime(["2020-01-31 13:00:00", None]),
            "c": pd.Categorical([7, 8]),
            "d": [dt.date(2020, 1, 31), pd.NaT],
        }
    )
    assert preview(frame, tmp_path) == {
        "columns": ["i", "f", "inf", "n", "b", "s", "t", "c", "d"],
        "data": [
            [1, 0.5, None, 1, True, "é", "2020-01-31 13:00:00", 7, "2020-01-31"],
            [2, None, None, None, None, None, None, 8, None],
        ],
    }


def test_odd_cells_become_text(tmp_path: Path) -> None:
    cells: list[Any] = [
        [1, "x"],
        {"a": 1},
        b"\xffx",
        decimal.Decimal("1.50"),
        np.float32(0.5),
        np.array([1, 2]),
        np.array(3),
        float("nan"),
        float("inf"),
        10**30,
        "\ud800",
        dt.datetime(2020, 1, 1, tzinfo=dt.UTC),
        1 + 2j,
        True,
    ]
    frame = pd.DataFrame({"a": pd.Series(cells, dtype=object)})
    assert [row[0] for row in preview(frame, tmp_path)["data"]] == [
        '[1, "x"]',
        '{"a": 1}',
        "\\xffx",
        "1.50",
        0.5,
        "[1 2]",
        3,
        None,
        None,
        10**30,
        "\\ud800",
        "2020-01-01 00:00:00+00:00",
        "(1+2j)",
        True,
    ]


def test_columns_of_odd_types(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "complex": [1 + 2j, 3],
            "period": pd.period_range("2020-01", periods=2, freq="M"),
            "took": pd.to_timedelta([1, 2], unit="s"),
            "sparse": pd.arrays.SparseArray([0.0, 1.0]),
            "range": pd.interval_range(0, 2),
        }
    )
    data = preview(frame, tmp_path)["data"]
    assert len(data) == 2
    assert data[0][0] == "(1+2j)"


def test_texts_and_names_are_redacted(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "secret-name": ["a secret", "b"],
            "cat": pd.Categorical(["secret", "x"]),
            "nested": [["secret"], {"k": "secret"}],
            "number": [1, 2],
        }
    )
    shown = preview(frame, tmp_path, lambda text: text.replace("secret", "***"))
    assert shown["columns"] == ["***-name", "cat", "nested", "number"]
    assert shown["data"] == [["a ***", "***", '["***"]', 1], ["b", "x", '{"k": "***"}', 2]]
    for name in ("train.csv.json", "train.csv.parquet"):
        assert b"secret" not in (tmp_path / name).read_bytes()


def test_names_that_repeat(tmp_path: Path) -> None:
    frame = pd.DataFrame([[1, 2, 3, 4]], columns=["a", "a", "a.1", 7])
    assert preview(frame, tmp_path)["columns"] == ["a", "a", "a.1", "7"]
    assert pq.read_schema(tmp_path / "train.csv.parquet").names == ["a", "a.1", "a.1.1", "7"]


def test_only_the_first_rows_and_characters(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": range(1000), "b": "x" * 5000})
    assert len(preview(frame, tmp_path)["data"]) == 100
    shown = preview(frame, tmp_path, rows=3)["data"]
    assert [row[0] for row in shown] == [0, 1, 2]
    assert shown[0][1] == "x" * 999 + "…"


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame(),
        pd.DataFrame(index=range(3)),
        pd.DataFrame({"a": []}),
        pd.DataFrame({"a": [None, None]}),
        pd.DataFrame({("a", "b"): [1], ("a", "c"): [2]}),
    ],
)
def test_frames_with_nothing_in_them(tmp_path: Path, frame: pd.DataFrame) -> None:
    preview(frame, tmp_path)
