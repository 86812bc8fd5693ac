"""Evidently's reports: what they survive, what they say, and what they have room for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlvalidate.core.datasets import Dataset, FileFormat
from mlvalidate.core.quality import ColumnDrift
from mlvalidate.data.reports import rendering
from mlvalidate.data.reports.log import ReportDone, append_done, read_done
from mlvalidate.data.reports.orders import ReportOrder, most_telling, share_budget
from mlvalidate.data.reports.rendering import NothingToShowError, render_report
from mlvalidate.data.table_samples import Role, TableSample, prepare_frame, write_sample


def order_for(
    folder: Path,
    current: pd.DataFrame,
    reference: pd.DataFrame | None = None,
    **fields: Any,
) -> ReportOrder:
    prepared, sample = prepare_frame([current], FileFormat.PARQUET)
    write_sample(prepared, sample, folder / "now")
    if reference is not None:
        write_sample(*prepare_frame([reference], FileFormat.PARQUET), folder / "then")
    return ReportOrder.model_validate(
        {
            "node": "prep",
            "port": "out",
            "table": "t.csv",
            "sample": folder / "now",
            "target": folder / "reports" / "t.csv",
            "reference": folder / "then" if reference is not None else None,
            "reference_name": "input raw" if reference is not None else "",
            "columns": tuple(sample.roles),
            **fields,
        }
    )


def rendered(order: ReportOrder) -> tuple[str, Any]:
    render_report(order)

    def refuse(word: str) -> None:
        raise AssertionError(word)

    text = Path(f"{order.target}.json").read_text()
    return Path(f"{order.target}.html").read_text(), json.loads(text, parse_constant=refuse)


def frame(n: int = 60) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "x": rng.normal(size=n),
            "k": rng.choice(list("abc"), n),
            "when": pd.date_range("2020", periods=n, freq="D"),
            "gone": [np.nan] * n,
            "nested": [[1]] * n,
        }
    )


def test_a_report_with_a_reference_names_what_is_left_out(tmp_path: Path) -> None:
    verdict = ColumnDrift(column="x", test="ks", score=0.001, threshold=0.05, drifted=True)
    order = order_for(tmp_path, frame(), frame(), over_budget=("<b>", "z"), verdicts=(verdict,))

    html, content = rendered(order)

    facts = content["mlvalidate"]
    assert facts["columns_left_out"] == {
        "nested": "holds a list in some cells",
        "gone": "holds no value",
    }
    assert facts["columns_shown"] == ["x", "k", "when"]
    assert any("Drift" in metric["metric_name"] for metric in content["metrics"])
    start = html[html.index("<body>") :][:5000]
    assert "prep.out: t.csv" in start
    assert "gone holds no value" in start
    assert "no room for &lt;b&gt;, z" in start
    assert "1 of 1 columns have drifted" in start


@pytest.mark.parametrize(
    ("current", "reference", "note"),
    [
        (frame().head(1), frame(), ""),
        (pd.DataFrame({"a": ["x"]}), pd.DataFrame({"a": ["x"]}), ""),
        (frame()[["x", "k"]], frame()[["x"]], "not in the reference, where they look empty: k"),
        (frame()[["x"]], frame().assign(x="text")[["x"]], "shown without the reference"),
        (frame()[["x"]], frame().head(0)[["x"]], "shown without the reference"),
    ],
    ids=["one row", "one text", "reference lacks a column", "other type", "empty reference"],
)
def test_odd_pairs(
    tmp_path: Path, current: pd.DataFrame, reference: pd.DataFrame, note: str
) -> None:
    _, content = rendered(order_for(tmp_path, current, reference))
    assert content["metrics"]
    assert note in " ".join(content["mlvalidate"]["notes"])


@pytest.mark.parametrize(
    ("current", "why"),
    [
        (pd.DataFrame({"a": []}), "the table has no rows"),
        (pd.DataFrame({"a": [np.nan] * 3}), "no column is left"),
    ],
)
def test_nothing_to_show(tmp_path: Path, current: pd.DataFrame, why: str) -> None:
    with pytest.raises(NothingToShowError, match=why):
        render_report(order_for(tmp_path, current))
    assert not list((tmp_path).rglob("*.html"))


def test_a_column_that_breaks_evidently_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = rendering._run

    def fragile(table: rendering.Table, names: Any) -> Any:
        if "k" in names:
            raise ZeroDivisionError("k is odd")
        return run(table, names)

    monkeypatch.setattr(rendering, "_run", fragile)
    _, content = rendered(order_for(tmp_path, frame()[["x", "k", "when"]]))
    why = "Evidently can't show it: ZeroDivisionError: k is odd"
    assert content["mlvalidate"]["columns_left_out"] == {"k": why}
    assert content["mlvalidate"]["columns_shown"] == ["x", "when"]


def test_many_categories_are_shown_as_few(tmp_path: Path) -> None:
    texts = [f"v{i}" for i in range(200)] * 2
    dataset = pd.DataFrame({"k": texts})
    prepared, sample = prepare_frame(
        [dataset],
        FileFormat.PARQUET,
        Dataset.model_validate({"columns": {"k": {"type": "category", "values": texts[:200]}}}),
    )
    order = order_for(tmp_path, dataset)
    write_sample(prepared, sample, tmp_path / "now")
    _, content = rendered(order)
    assert content["mlvalidate"]["notes"] == ["k: 150 rare categories are shown as one"]


@given(st.lists(st.integers(1, 40), min_size=1, max_size=8), st.integers(1, 100))
def test_the_widest_give_first(sizes: list[int], budget: int) -> None:
    shares = share_budget(sizes, budget)
    assert all(1 <= share <= size for share, size in zip(shares, sizes, strict=True))
    assert sum(shares) <= max(budget, len(sizes))
    most = max(shares)
    # Only tables that are wider than every share had to give.
    assert all(share in (size, most) for share, size in zip(shares, sizes, strict=True))
    if sum(sizes) <= budget:
        assert shares == sizes


def test_the_most_telling_columns_come_first() -> None:
    dataset = Dataset.model_validate(
        {
            "key": "id",
            "columns": {
                "id": {"type": "integer"},
                "plain": {"type": "float"},
                "bounded": {"type": "float", "min": 0, "max": 1},
                "gaps": {"type": "float"},
                "label": {"type": "boolean", "label": True},
                "moved": {"type": "float"},
            },
        }
    )
    sample = TableSample(rows=1, roles=dict.fromkeys(dataset.columns, Role.NUMBER), left_out={})
    verdicts = [ColumnDrift(column="moved", drifted=True), ColumnDrift(column="plain", score=0.1)]
    telling = [most_telling(sample, dataset, verdicts, {"gaps": 0.5}, n) for n in range(1, 6)]
    assert telling[0] == ("moved",)
    assert telling[1] == ("label", "moved")
    assert telling[2] == ("plain", "label", "moved")
    assert telling[3] == ("plain", "gaps", "label", "moved")
    assert telling[4] == ("plain", "bounded", "gaps", "label", "moved")


def test_a_torn_line_of_the_log_is_none(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    assert read_done(log) == ()
    done = ReportDone(node="a", port="b", table="c")
    append_done(log, done)
    with log.open("ab") as file:
        file.write(b'{"node": "a", ')
    assert read_done(log) == (done,)
