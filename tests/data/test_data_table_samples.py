"""Every frame that pandas can hold becomes a sample in plain types."""

from __future__ import annotations

import datetime as dt
import decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlvalidate.core.datasets import Dataset, FileFormat
from mlvalidate.data.table_samples import (
    MOST_ROWS,
    Role,
    drawn,
    prepare_frame,
    read_sample,
    write_sample,
)

N = 3
CONVERTED: dict[str, tuple[Any, Role, list[Any]]] = {
    "Int64": (pd.array([1, None, 3], "Int64"), Role.NUMBER, [1.0, None, 3.0]),
    "boolean": (pd.array([True, None, False], "boolean"), Role.CATEGORY, ["true", None, "false"]),
    "bool": ([True, True, False], Role.CATEGORY, ["true", "true", "false"]),
    "bool with None": ([True, None, False], Role.CATEGORY, ["true", None, "false"]),
    "uint8": (np.array([1, 2, 3], "uint8"), Role.NUMBER, [1.0, 2.0, 3.0]),
    "double arrow": (pd.array([1.5, None, 2], "double[pyarrow]"), Role.NUMBER, [1.5, None, 2.0]),
    "int64 arrow": (pd.array([1, None, 2], "int64[pyarrow]"), Role.NUMBER, [1.0, None, 2.0]),
    "timedelta": (pd.to_timedelta([1, None, 2], unit="h"), Role.NUMBER, [3600.0, None, 7200.0]),
    "Decimal": ([decimal.Decimal("1.5"), None, decimal.Decimal(2)], Role.NUMBER, [1.5, None, 2.0]),
    "all null": ([np.nan] * N, Role.NUMBER, [None] * N),
    "infinite": ([np.inf, -np.inf, 1.0], Role.NUMBER, [None, None, 1.0]),
    "huge": ([1e308, -1e308, 1.0], Role.NUMBER, [None, None, 1.0]),
    "sparse": (pd.arrays.SparseArray([0, 0, 1.5]), Role.NUMBER, [0.0, 0.0, 1.5]),
    "mixed": (["a", 1.5, None], Role.CATEGORY, ["a", "1.5", None]),
    "string with NA": (pd.array(["x", None, "y"], "string"), Role.CATEGORY, ["x", None, "y"]),
    "cut": (pd.cut([1, 5, 9], [0, 4, 8]), Role.CATEGORY, ["(0, 4]", "(4, 8]", None]),
    "none": ([None] * N, Role.CATEGORY, [None] * N),
    "period": (
        pd.period_range("2020", periods=N, freq="Y"),
        Role.CATEGORY,
        ["2020", "2021", "2022"],
    ),
}
LEFT_OUT: dict[str, tuple[list[Any], str]] = {
    "list": ([[1], [2], None], "holds a list in some cells"),
    "dict": ([{"a": 1}, None, {}], "holds a dict in some cells"),
    "set": ([{1}, {2}, {3}], "holds a set in some cells"),
    "ndarray": ([np.array([1]), None, np.array([2])], "holds a ndarray in some cells"),
    "bytes": ([b"a", b"b", None], "holds bytes"),
    "complex": ([1j, 2, 3], "holds complex numbers"),
}


def roundtrip(frame: pd.DataFrame, tmp_path: Path, dataset: Dataset | None = None) -> Any:
    prepared, sample = prepare_frame([frame], FileFormat.PARQUET, dataset)
    write_sample(prepared, sample, tmp_path / "x" / "t.csv")
    read, again = read_sample(tmp_path / "x" / "t.csv")
    assert again == sample
    return read, sample


@pytest.mark.parametrize("name", CONVERTED)
def test_what_is_converted(name: str, tmp_path: Path) -> None:
    values, role, expected = CONVERTED[name]
    read, sample = roundtrip(pd.DataFrame({"c": values}), tmp_path)
    assert sample.roles == {"c": role}
    assert [None if pd.isna(cell) else cell for cell in read["c"]] == expected


@pytest.mark.parametrize("name", LEFT_OUT)
def test_what_is_left_out_is_named(name: str, tmp_path: Path) -> None:
    values, reason = LEFT_OUT[name]
    read, sample = roundtrip(pd.DataFrame({"c": values, "ok": [1, 2, 3]}), tmp_path)
    assert sample.left_out == {"c": reason}
    assert list(read.columns) == ["ok"]


def test_dates_and_times(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "date": [dt.date(2020, 1, 1), None, dt.date(1600, 1, 1)],
            "zone": pd.to_datetime(["2020-01-01", None, "2021-01-01"], utc=True),
        }
    )
    read, sample = roundtrip(frame, tmp_path)
    assert set(sample.roles.values()) == {Role.TIME}
    assert str(read["date"][2].date()) == "1600-01-01"
    assert read["zone"].isna().tolist() == [False, True, False]


@pytest.mark.parametrize(
    ("frame", "names"),
    [
        (pd.DataFrame(), []),
        (pd.DataFrame({"a": []}), ["a"]),
        (pd.DataFrame(np.ones((2, 3)), columns=["a", "a", 7]), ["a", "a.1", "7"]),
        (
            pd.DataFrame(np.ones((1, 2)), columns=pd.MultiIndex.from_tuples([("a", 1), ("a", 2)])),
            ["a.1", "a.2"],
        ),
    ],
    ids=["no columns", "no rows", "names", "levels"],
)
def test_odd_shapes(frame: pd.DataFrame, names: list[str], tmp_path: Path) -> None:
    read, sample = roundtrip(frame, tmp_path)
    assert list(sample.roles) == names
    assert list(read.columns) == names


def test_types_are_those_of_the_dataset(tmp_path: Path) -> None:
    dataset = Dataset.model_validate(
        {
            "columns": {
                "flag": {"type": "integer", "values": [0, 1]},
                "code": {"type": "string"},
                "x": {"type": "float"},
                "l": {"type": "list", "items": {"type": "integer"}},
            }
        }
    )
    frame = pd.DataFrame(
        {"flag": [0, 1, 1], "code": ["a", "b", "c"], "x": [1, 2, 3], "l": [[1]] * 3}
    )
    read, sample = roundtrip(frame, tmp_path, dataset)
    assert sample.roles == {"flag": Role.CATEGORY, "code": Role.TEXT, "x": Role.NUMBER}
    assert sample.left_out == {"l": "holds a list in each cell"}
    assert read["flag"].tolist() == ["0", "1", "1"]


def test_many_rows_are_drawn_by_a_seed_over_all_files() -> None:
    frames = [pd.DataFrame({"a": np.arange(start, start + 8000)}) for start in (0, 8000, 16_000)]
    first, second = drawn(frames, "sample"), drawn(frames, "sample")
    whole = drawn([pd.concat(frames, ignore_index=True)], "sample")
    assert len(first) == MOST_ROWS
    assert first["a"].tolist() == second["a"].tolist() == whole["a"].tolist()
    assert first["a"].is_monotonic_increasing
    prepared, sample = prepare_frame(frames, FileFormat.PARQUET)
    assert (len(prepared), sample.rows) == (MOST_ROWS, 24_000)


def test_secrets_are_masked() -> None:
    frame = pd.DataFrame({"s3cret": ["x s3cret", "y"], "s3cret2": ["a", "b"]})
    prepared, sample = prepare_frame(
        [frame], FileFormat.CSV, redact=lambda text: text.replace("s3cret", "***")
    )
    assert list(sample.roles) == ["***", "***2"]
    assert prepared["***"].tolist() == ["x ***", "y"]
