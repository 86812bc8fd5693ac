"""Data of scenarios: within its dataset where it should pass, outside where it should not."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlvalidate.core.datasets import Dataset
from mlvalidate.core.errors import UsageError
from mlvalidate.core.scenarios import Case, Expectation, Scenario, every_case, expected_of
from mlvalidate.data.conformity import FaultKind, find_faults
from mlvalidate.data.family import Family
from mlvalidate.data.files import UnreadableFile, read_table
from mlvalidate.data.generation import file_names
from mlvalidate.data.scenarios.applicability import choose_column, obstacle, settle_case
from mlvalidate.data.scenarios.outside import EXTRA
from mlvalidate.data.scenarios.shaping import LARGE_ROWS, rows_of, shape, write_case
from mlvalidate.data.synthesis import generate

# What data that should pass may have on purpose: the traits of its case excuse it.
ON_PURPOSE = {FaultKind.CONSTANT, FaultKind.MANY_NULLS}

ORDERS = Dataset.model_validate(
    {
        "rows": 60,
        "key": "id",
        "columns": {
            "id": {"type": "string", "pattern": "O[0-9]{6}"},
            "placed": {"type": "date", "min": "2020-01-01", "max": "2021-12-31"},
            "sent": {"type": "date", "min": "2020-01-01", "max": "2021-12-31"},
            "at": {"type": "datetime"},
            "items": {"type": "integer", "min": 0, "max": 50},
            "price": {"type": "float", "min": 0, "max": 99.5, "null": 0.1},
            "total": {"type": "float", "derived": "items * 2"},
            "plan": {"type": "category", "values": {"basic": 0.7, "plus": 0.3}},
            "note": {"type": "text", "null": 0.2},
            "name": {"type": "string", "length": [2, 12]},
            "tags": {"type": "list", "items": {"type": "string"}, "length": [0, 3]},
            "seen": {"type": "integer", "min": 1, "max": 9999, "monotone": "increasing"},
            "churned": {"type": "boolean", "label": True, "rate": 0.3},
        },
        "rules": ["sent >= placed"],
    }
)


def settle(dataset: Dataset, case: Case, seed: int = 0) -> Case:
    if not case.is_of_a_column:
        return case
    return case.model_copy(update={"variant": choose_column(dataset, case, seed, "orders")})


def written(dataset: Dataset, case: Case, folder: Path, rows: int = 60, seed: int = 0) -> Path:
    files = [folder / name for name in file_names(dataset, "orders")]
    family = Family({"orders": dataset}, rows)
    write_case(dataset, "orders", files, case=case, rows=rows, seed=seed, family=family)
    return files[-1]


CASES = [case for case in every_case() if case.scenario is not Scenario.LARGE]


@pytest.mark.parametrize("format", ["csv", "parquet", "jsonl"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_case_is_what_it_says(case: Case, format: str, tmp_path: Path) -> None:
    dataset = Dataset.model_validate({**ORDERS.model_dump(exclude_unset=True), "format": format})
    if obstacle(dataset, case):
        assert case.scenario is Scenario.MALFORMED
        return
    file = written(dataset, settle(dataset, case), tmp_path)
    try:
        frame = read_table(file, dataset.format, dataset)
    except UnreadableFile:
        # Without rows nothing is left of a file of records.
        assert case.scenario in (Scenario.MALFORMED, Scenario.EMPTY)
        return
    kinds = {fault.kind for fault in find_faults(frame, dataset)}
    if case.scenario is Scenario.EMPTY:
        assert not len(frame)
    elif case.scenario is Scenario.DUPLICATE_KEYS:
        assert frame["id"].duplicated().any()
    elif case.scenario is Scenario.EXTRA_COLUMN:
        assert kinds == {FaultKind.UNDECLARED_COLUMN}
        assert EXTRA in frame.columns
    elif case.usual_expectation is Expectation.REJECT:
        assert kinds - ON_PURPOSE
    else:
        assert kinds <= (ON_PURPOSE if case.traits else set())


@st.composite
def datasets(draw: st.DrawFn) -> Dataset:
    """Datasets with columns of all sorts, bounds on either side, and nulls."""
    columns: dict[str, dict[str, object]] = {}
    for index in range(draw(st.integers(1, 5))):
        kind = draw(st.sampled_from(["integer", "float", "boolean", "category", "string", "date"]))
        column: dict[str, object] = {"type": kind}
        if kind in ("integer", "float"):
            low = draw(st.integers(-(10**6), 10**6))
            column |= {"min": low} if draw(st.booleans()) else {}
            column |= {"max": low + draw(st.integers(0, 10**6))} if draw(st.booleans()) else {}
        if kind == "category":
            count = draw(st.integers(1, 4))
            column["values"] = [f"v{number}" for number in range(count)]
        if kind == "string":
            ways: list[dict[str, object]] = [
                {}, {"length": [1, 5]}, {"pattern": "[a-c]{1,3}x"}, {"like": "name"},
            ]  # fmt: skip
            column |= draw(st.sampled_from(ways))
        column["null"] = draw(st.sampled_from([0, 0, 0.05, 0.5, 0.9]))
        columns[f"c{index}"] = column
    return Dataset.model_validate({"columns": columns, "format": "parquet"})


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(datasets(), st.integers(0, 40), st.integers(0, 3))
def test_cases_that_pass_satisfy_any_dataset(dataset: Dataset, rows: int, seed: int) -> None:
    for case in CASES:
        within = case.usual_expectation is Expectation.PASS
        if not within or obstacle(dataset, case):
            continue
        family = Family({"d": dataset})
        frame = shape(dataset, "d", case=case, rows=rows, seed=seed, family=family)
        kinds = {fault.kind for fault in find_faults(frame, dataset)}
        if case.scenario is Scenario.EXTRA_COLUMN:
            kinds -= {FaultKind.UNDECLARED_COLUMN}
        allowed = ON_PURPOSE if case.traits else {FaultKind.CONSTANT}
        assert kinds <= allowed, (case.name, kinds)


def test_the_same_seed_shapes_the_same_rows() -> None:
    case = Case.parse("edge.skew")
    family = Family({"orders": ORDERS})
    first, second = (
        shape(ORDERS, "orders", case=case, rows=50, seed=3, family=family) for _ in range(2)
    )
    assert first.equals(second)


def test_boundaries_are_in_the_data() -> None:
    family = Family({"orders": ORDERS})
    frame = shape(
        ORDERS, "orders", case=Case.parse("boundary.highest"), rows=60, seed=0, family=family
    )
    assert (frame["items"] == 50).sum() >= 10
    assert frame["price"].max() == 99.5
    assert frame["name"].str.len().max() == 12
    assert (frame["total"] == frame["items"] * 2).all()


def test_large_has_more_rows_unless_told_otherwise() -> None:
    large = Case.parse("large")
    assert rows_of(large, ORDERS, None) == LARGE_ROWS
    assert rows_of(large, ORDERS.model_copy(update={"rows": 10_000}), None) == 200_000
    assert rows_of(large, ORDERS, 7) == 7


def test_a_child_of_one_row_refers_to_the_parent_of_one_row() -> None:
    child = Dataset.model_validate(
        {"columns": {"order": {"type": "string", "foreign_key": "orders.id"}}}
    )
    family = Family({"orders": ORDERS, "child": child}, 30)
    one = Case.parse("edge.one_row")
    parent = shape(ORDERS, "orders", case=one, rows=30, seed=0, family=family)
    found = shape(child, "child", case=one, rows=30, seed=0, family=family)
    assert found["order"].tolist() == parent["id"].tolist()


def test_only_the_last_shard_is_damaged(tmp_path: Path) -> None:
    dataset = ORDERS.model_copy(update={"shards": 3})
    last = written(dataset, Case.parse("malformed.encoding"), tmp_path)
    for path in sorted(tmp_path.iterdir()):
        if path != last:
            assert len(read_table(path, dataset.format, dataset)) == 20
    with pytest.raises(UnreadableFile, match="0xe9"):
        read_table(last, dataset.format, dataset)


def test_what_a_dataset_lacks_is_an_obstacle() -> None:
    plain = Dataset.model_validate({"columns": {"name": {"type": "string", "pattern": "[a-z]+"}}})
    names = [case.name for case in every_case() if obstacle(plain, case)]
    for name in ("edge.single_category", "missing.more_nulls", "duplicate_keys", "out_of_range"):
        assert name in names
    latin = Dataset.model_validate(
        {"columns": {"a": {"type": "integer"}}, "dialect": {"encoding": "latin-1"}}
    )
    assert "latin" in obstacle(latin, Case.parse("malformed.encoding")) or "iso8859" in obstacle(
        latin, Case.parse("malformed.encoding")
    )
    assert not obstacle(ORDERS, Case.parse("malformed.encoding"))


def test_the_column_is_the_label_or_one_that_is_used() -> None:
    missing, mismatch = Case.parse("missing_column"), Case.parse("type_mismatch")
    assert choose_column(ORDERS, missing, 0, "orders") == "churned"
    assert choose_column(ORDERS, mismatch, 0, "orders", {"price"}) == "price"


@pytest.mark.parametrize("text", ["edgy", "edge.one_rwo", "empty.x", "edge", "missing_column.nix"])
def test_a_case_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--scenario"):
        settle_case(ORDERS, "orders", text, 0)


def test_the_most_specific_expectation_wins() -> None:
    declared = {"edge": Expectation.TOLERATE, "edge.one_row": Expectation.REJECT}
    assert expected_of(Case.parse("edge.one_row"), declared) is Expectation.REJECT
    assert expected_of(Case.parse("edge.skew"), declared) is Expectation.TOLERATE
    assert expected_of(Case.parse("empty"), declared) is Expectation.REJECT


def test_standard_data_is_not_changed() -> None:
    family = Family({"orders": ORDERS})
    shaped = shape(ORDERS, "orders", case=Case(), rows=40, seed=1, family=family)
    assert shaped.equals(generate(ORDERS, 40, 1, "orders", family))
