"""Synthetic tables satisfy their dataset, to the row, and are the same everywhere."""

from __future__ import annotations

import datetime as dt
import hashlib
import math
import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mlvalidate.core.columns import Column, ColumnType
from mlvalidate.core.datasets import Dataset, FileFormat
from mlvalidate.core.errors import UsageError
from mlvalidate.data.conformity import find_faults
from mlvalidate.data.files import read_table, write_table
from mlvalidate.data.synthesis import UnsatisfiableSchema, generate

CUSTOMERS = {
    "key": "customer_id",
    "columns": {
        "customer_id": {"type": "string", "pattern": "C[0-9]{6}"},
        "tenure": {"type": "integer", "min": 0, "max": 72},
        "visits": {"type": "integer", "null": 0.25},
        "charges": {"type": "float", "min": 0, "null": 0.1},
        "plan": {"type": "category", "values": {"basic": 0.6, "plus": 0.3, "pro": 0.1}},
        "signup": {"type": "datetime", "min": "2019-01-01", "max": "2025-12-31"},
        "birthday": {"type": "date", "null": 0.05},
        "churned": {"type": "boolean", "label": True, "rate": 0.2},
        "opted_in": {"type": "boolean", "null": 0.5},
        "note": {"type": "text", "null": 0.1},
    },
}


def dataset(columns: dict[str, Any], **more: Any) -> Dataset:
    return Dataset.model_validate({"columns": columns, **more})


def column(rows: int = 200, seed: int = 0, **declared: Any) -> pd.Series:
    return generate(dataset({"x": declared}), rows, seed)["x"]


def refusal(columns: dict[str, Any], rows: int, **more: Any) -> UnsatisfiableSchema:
    with pytest.raises(UnsatisfiableSchema) as caught:
        generate(dataset(columns, **more), rows, 0, "customers")
    assert isinstance(caught.value, UsageError)
    return caught.value


# --- every value satisfies its column ---------------------------------------------------------

moments = st.datetimes(dt.datetime(1, 1, 1), dt.datetime(9999, 12, 31))


def ranged(kind: str, bounds: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    def build(pair: tuple[Any, Any], has: tuple[bool, bool]) -> dict[str, Any]:
        low, high = sorted(pair)
        return {
            "type": kind,
            **({"min": low} if has[0] else {}),
            **({"max": high} if has[1] else {}),
        }

    return st.builds(build, st.tuples(bounds, bounds), st.tuples(st.booleans(), st.booleans()))


weights = st.dictionaries(
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=5),
    st.floats(0.01, 5),
    min_size=1,
    max_size=5,
)
declarations = st.one_of(
    ranged("integer", st.integers(-(2**63), 2**63 - 1)),
    ranged("integer", st.integers(-5, 5)),
    ranged("float", st.floats(allow_nan=False, allow_infinity=False)),
    ranged("float", st.floats(-2, 2)),
    ranged("datetime", moments.map(lambda moment: moment.replace(microsecond=0))),
    ranged("date", moments.map(lambda moment: moment.date())),
    st.builds(lambda rate: {"type": "boolean", "rate": rate}, st.floats(0.01, 0.99)),
    st.builds(lambda rate: {"type": "integer", "rate": rate}, st.floats(0.01, 0.99)),
    st.just({"type": "boolean"}),
    st.builds(lambda values: {"type": "category", "values": values}, weights),
    st.just({"type": "category", "values": [3, 1, 2]}),
    st.just({"type": "string", "pattern": "[a-z]{3}-[0-9]+"}),
    st.builds(
        lambda kind, pair: {"type": kind, "length": sorted(pair)},
        st.sampled_from(["string", "text"]),
        st.tuples(st.integers(1, 40), st.integers(1, 40)),
    ),
)


def satisfies(value: Any, declared: Column) -> bool:
    kind = declared.type
    if declared.values is not None:
        return value in declared.weights
    if kind is ColumnType.BOOLEAN:
        return isinstance(value, bool | np.bool_)
    if kind.is_textual:
        least, most = declared.length or (1, 1000)
        return (
            isinstance(value, str)
            and least <= len(value) <= most
            and re.fullmatch(declared.pattern or "(?s).*", value) is not None
        )
    low, high = declared.min, declared.max
    if kind.is_number:
        if declared.rate is not None:
            return value in (0, 1)
        return (low is None or value >= low) and (high is None or value <= high)
    day = value if kind is ColumnType.DATE else value.to_pydatetime()
    assert isinstance(day, dt.datetime) == (kind is ColumnType.DATETIME)
    return (low is None or day >= as_type(low, day)) and (high is None or day <= as_type(high, day))


def as_type(bound: Any, like: Any) -> Any:
    if isinstance(like, dt.datetime) and not isinstance(bound, dt.datetime):
        return dt.datetime(bound.year, bound.month, bound.day)
    return bound


@settings(max_examples=200, deadline=None)
@given(declarations, st.sampled_from([0, 0.1, 0.5, 1]), st.integers(0, 60), st.integers(0, 2**70))
def test_every_value_satisfies_its_column(
    declared: dict[str, Any], null: float, rows: int, seed: int
) -> None:
    made = column(rows, seed, **declared, null=null)
    assert len(made) == rows
    assert int(made.isna().sum()) == round(rows * null)
    model = Column.model_validate(declared)
    assert [value for value in made.dropna() if not satisfies(value, model)] == []


@settings(max_examples=60, deadline=None)
@given(declarations, st.integers(0, 40), st.booleans())
def test_unique_columns_are_unique_or_refused(
    declared: dict[str, Any], rows: int, as_key: bool
) -> None:
    declared = {key: value for key, value in declared.items() if key != "rate"}
    declared = declared if as_key else {**declared, "unique": True}
    try:
        made = generate(dataset({"x": declared}, key="x" if as_key else None), rows, 0)["x"]
    except UnsatisfiableSchema as problem:
        found = int(str(problem).rpartition(" ")[2])
        assert found < rows
        return
    assert len(made) == rows
    assert made.is_unique


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(
        st.text("abcxyz_ é,", min_size=1, max_size=4), declarations, min_size=1, max_size=4
    ),
    st.sampled_from([0, 0.3]),
    st.integers(0, 30),
    st.sampled_from(list(FileFormat)),
)
def test_what_is_written_and_read_has_no_faults(
    tmp_path_factory: pytest.TempPathFactory,
    columns: dict[str, dict[str, Any]],
    null: float,
    rows: int,
    format: FileFormat,
) -> None:
    # JSON without rows names no columns.
    assume(rows or format not in (FileFormat.JSON, FileFormat.JSONL))
    declared = dataset({name: {**each, "null": null} for name, each in columns.items()})
    made = generate(declared, rows, 1)
    path = tmp_path_factory.mktemp("tables") / f"table.{format.value}"
    write_table(made, path, format)
    read = read_table(path, format, declared)
    assert find_faults(read, declared, format) == ()
    assert len(read) == rows


# --- types ------------------------------------------------------------------------------------


def test_types_of_columns() -> None:
    made = generate(Dataset.model_validate(CUSTOMERS), 40, 0, "customers")
    types = {name: str(dtype) for name, dtype in made.dtypes.items()}
    assert types["tenure"] == "int64"
    assert types["visits"] == "Int64"
    assert types["charges"] == "float64"
    assert types["signup"] == "datetime64[us]"
    assert types["churned"] == "bool"
    assert types["opted_in"] == "boolean"
    assert isinstance(made["birthday"].dropna().iloc[0], dt.date)
    assert isinstance(made["plan"].iloc[0], str)
    assert made.isna().sum().to_dict() | {"visits": 10, "charges": 4} == made.isna().sum().to_dict()
    assert list(made.columns) == list(CUSTOMERS["columns"])


@pytest.mark.parametrize(
    ("declared", "dtype"),
    [
        ({"type": "category", "values": [1, 2]}, "int64"),
        ({"type": "category", "values": [1, 2], "null": 0.1}, "Int64"),
        ({"type": "category", "values": [0.5, 2.5]}, "float64"),
        ({"type": "category", "values": [True, False]}, "bool"),
        ({"type": "category", "values": [1, "a"]}, "object"),
        ({"type": "float", "values": [1, 2]}, "float64"),
        ({"type": "integer", "values": {1: 0.5, 7: 0.5}}, "int64"),
    ],
)
def test_types_of_declared_values(declared: dict[str, Any], dtype: str) -> None:
    assert str(column(20, **declared).dtype) == dtype


def test_no_rows() -> None:
    made = generate(Dataset.model_validate(CUSTOMERS), 0, 0)
    assert made.shape == (0, 10)
    with pytest.raises(ValueError, match="rows must not be negative, got -1"):
        generate(Dataset.model_validate(CUSTOMERS), -1, 0)


# --- shares -----------------------------------------------------------------------------------


def test_shares_are_exact() -> None:
    assert column(
        1000, type="category", values={"a": 0.6, "b": 0.3, "c": 0.1}
    ).value_counts().to_dict() == {
        "a": 600,
        "b": 300,
        "c": 100,
    }
    assert column(1000, type="boolean", rate=0.2).sum() == 200
    labels = column(1000, type="integer", rate=0.2, null=0.5)
    assert (labels.isna().sum(), labels.sum()) == (500, 100)
    assert str(labels.dtype) == "Int64"
    assert "never" not in set(column(500, type="category", values={"a": 1, "never": 0}))


def test_null_shares_are_rounded() -> None:
    assert column(10, type="float", null=0.26).isna().sum() == 3
    assert column(10, type="float", null=0.04).isna().sum() == 0
    assert column(10, type="string", null=1).isna().sum() == 10


# --- defaults and bounds ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("declared", "low", "high"),
    [
        ({"type": "integer"}, 0, 1000),
        ({"type": "integer", "min": 50}, 50, 1050),
        ({"type": "integer", "min": 10**6}, 10**6, 2 * 10**6),
        ({"type": "integer", "max": 10}, 0, 10),
        ({"type": "integer", "max": -10}, -1010, -10),
        ({"type": "integer", "min": 0.5, "max": 3.5}, 1, 3),
        ({"type": "integer", "min": 2**63 - 5}, 2**63 - 5, 2**63 - 1),
        ({"type": "float"}, 0, 100),
        ({"type": "float", "min": 5}, 5, 105),
        ({"type": "float", "max": -1e9}, -2e9, -1e9),
        ({"type": "datetime"}, dt.datetime(2020, 1, 1), dt.datetime(2024, 12, 31, 23, 59, 59)),
        (
            {"type": "datetime", "min": "2024-06-01"},
            dt.datetime(2024, 6, 1),
            dt.datetime(2029, 5, 31),
        ),
        (
            {"type": "datetime", "max": "2001-01-01"},
            dt.datetime(1996, 1, 3),
            dt.datetime(2001, 1, 1),
        ),
        ({"type": "datetime", "max": "0001-01-03"}, dt.datetime(1, 1, 1), dt.datetime(1, 1, 3)),
        (
            {
                "type": "datetime",
                "min": "2020-01-01T00:00:00+02:00",
                "max": "2020-01-01T00:00:00.5Z",
            },
            dt.datetime(2019, 12, 31, 22),
            dt.datetime(2020, 1, 1),
        ),
        (
            {"type": "date", "min": "2020-01-01T12:00:00", "max": "2020-01-03"},
            dt.date(2020, 1, 2),
            dt.date(2020, 1, 3),
        ),
    ],
)
def test_bounds_are_reached_and_kept(declared: dict[str, Any], low: Any, high: Any) -> None:
    made = column(5000, **declared)
    assert low <= made.min()
    assert made.max() <= high
    spread = high - low
    assert made.min() - low <= spread / 20
    assert high - made.max() <= spread / 20
    if declared["type"] == "integer" and spread < 10**4:
        assert {made.min(), made.max()} == {low, high}


def test_floats_have_the_decimals_of_measurements() -> None:
    for declared, decimals in (({}, 4), ({"max": 1}, 6), ({"min": 0, "max": 10**6}, 2)):
        made = column(100, type="float", **declared)
        assert (made == made.round(decimals)).all()
        assert (made != made.round(decimals - 2)).any()
    assert column(100, type="float", min=0, max=1e-9).nunique() == 100
    assert column(100, type="float", min=-1.7e308, max=1.7e308).abs().max() < math.inf


# --- reproducible -----------------------------------------------------------------------------


def digest(frame: pd.DataFrame) -> str:
    """A digest of what the cells say, not of how pandas stores them."""
    text = "\n".join(
        "|".join("" if pd.isna(cell) else str(cell) for cell in row)
        for row in frame.to_numpy(object)
    )
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def test_the_same_table_on_every_machine() -> None:
    made = generate(Dataset.model_validate(CUSTOMERS), 3, 42, "customers")
    assert made["customer_id"].tolist() == ["C006529", "C259364", "C335628"]
    assert made["tenure"].tolist() == [66, 40, 15]
    assert made["charges"].tolist() == [82.3804, 82.168, 27.4885]
    assert made["plan"].tolist() == ["basic", "basic", "plus"]
    assert made["signup"].astype(str).tolist() == [
        "2023-08-28 04:19:28",
        "2024-02-15 12:40:08",
        "2022-01-16 17:58:02",
    ]
    assert made["birthday"].astype(str).tolist() == ["2020-03-08", "2023-01-15", "2021-12-05"]
    assert made["note"].tolist() == [
        "Helped problem already garden again.",
        "Paid wanted the month two price helped week.",
        "Opened visit slow every always plan payment large already visit helped in.",
    ]
    assert (
        digest(generate(Dataset.model_validate(CUSTOMERS), 500, 42, "customers"))
        == "d08abb6592f803f7"
    )


def test_a_column_does_not_depend_on_other_columns() -> None:
    declared = Dataset.model_validate(CUSTOMERS)
    whole = generate(declared, 100, 3, "customers")
    for name, each in declared.columns.items():
        if each.label:  # depends on the others
            continue
        alone = generate(
            Dataset(columns={name: each}, key=name if name == "customer_id" else None),
            100,
            3,
            "customers",
        )
        pd.testing.assert_series_equal(alone[name], whole[name])


def test_seed_and_names_matter() -> None:
    declared = dataset({"a": {"type": "integer"}, "b": {"type": "integer"}})
    first = generate(declared, 50, 0, "one")
    assert first["a"].tolist() != first["b"].tolist()
    assert first["a"].tolist() != generate(declared, 50, 1, "one")["a"].tolist()
    assert first["a"].tolist() != generate(declared, 50, 0, "two")["a"].tolist()
    pd.testing.assert_frame_equal(first, generate(declared, 50, 0, "one"))


# --- keys -------------------------------------------------------------------------------------

MONTHLY = {
    "customer": {"type": "string", "pattern": "C[0-9]{2}"},
    "month": {"type": "integer", "min": 1, "max": 12},
    "channel": {"type": "category", "values": ["web", "shop"]},
    "spent": {"type": "float"},
}


@pytest.mark.parametrize("rows", [1, 500, 2400])
def test_composite_keys_are_unique(rows: int) -> None:
    made = generate(dataset(MONTHLY, key=["customer", "month", "channel"]), rows, 0)
    assert not made.duplicated(["customer", "month", "channel"]).any()
    assert len(made) == rows
    if rows == 500:
        assert made["customer"].duplicated().any()


def test_composite_keys_of_large_columns() -> None:
    names = ("a", "b", "c", "d", "e")
    made = generate(dataset({name: {"type": "float"} for name in names}, key=names), 20_000, 0)
    assert not made.duplicated().any()


def test_a_unique_column_makes_the_key_unique() -> None:
    columns = {"id": {"type": "integer", "unique": True}, "part": {"type": "boolean"}}
    made = generate(dataset(columns, key=["id", "part"]), 500, 0)
    assert made["id"].is_unique
    pd.testing.assert_series_equal(
        made["part"], generate(dataset({"part": {"type": "boolean"}}), 500, 0)["part"]
    )


def test_nulls_in_a_unique_column() -> None:
    made = column(1250, type="string", pattern="C[0-9]{3}", unique=True, null=0.2)
    assert made.isna().sum() == 250
    assert made.dropna().is_unique


# --- what can't be had ------------------------------------------------------------------------


def test_too_few_values() -> None:
    problem = refusal(
        {"customer_id": {"type": "string", "pattern": "C[0-9]{3}"}}, 1001, key="customer_id"
    )
    assert problem.message == (
        "dataset 'customers', column 'customer_id': 1001 different values are needed,"
        " the declaration allows 1000"
    )
    assert problem.hint == "widen the declaration, or ask for fewer rows"


def test_too_few_combinations() -> None:
    problem = refusal(MONTHLY, 2401, key=["customer", "month", "channel"])
    assert problem.message == (
        "dataset 'customers', key 'customer', 'month', 'channel': 2401 different combinations are"
        " needed, the declaration allows 2400"
    )


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        (
            {"type": "string", "pattern": r"(a)\1"},
            r"pattern '(a)\\1' has a backreference, which can't be generated",
        ),
        ({"type": "integer", "min": 0.2, "max": 0.8}, "there is no whole number from 0.2 to 0.8"),
        ({"type": "integer", "max": 10**20}, "0 to 100000000000000000000 needs more than 64 bits"),
        (
            {"type": "integer", "rate": 0.5, "min": 1},
            "`rate` gives 0 and 1, which `min` and `max` exclude",
        ),
        (
            {"type": "date", "min": "2020-01-01T01:00:00", "max": "2020-01-01T02:00:00"},
            "there is no whole day from 2020-01-01 01:00:00 to 2020-01-01 02:00:00",
        ),
        (
            {"type": "datetime", "min": "2020-01-01T01:00:00.2", "max": "2020-01-01T01:00:00.4"},
            "there is no whole second from 2020-01-01 01:00:00.200000"
            " to 2020-01-01 01:00:00.400000",
        ),
        (
            {"type": "float", "min": 1, "max": 1, "unique": True},
            "5 different values are needed, the declaration allows 1",
        ),
        (
            {"type": "boolean", "unique": True},
            "5 different values are needed, the declaration allows 2",
        ),
        (
            {"type": "text", "length": [1, 1], "pattern": "x", "unique": True},
            "5 different values are needed, the declaration allows 1",
        ),
    ],
)
def test_what_cannot_be_generated(declared: dict[str, Any], message: str) -> None:
    assert refusal({"x": declared}, 5).message == f"dataset 'customers', column 'x': {message}"


def test_a_part_of_a_composite_key_that_cannot_be_generated() -> None:
    columns = {"a": {"type": "string", "pattern": "a(?=b)"}, "b": {"type": "integer"}}
    assert (
        "column 'a': pattern 'a(?=b)' has a lookahead"
        in refusal(columns, 5, key=["a", "b"]).message
    )


def test_a_dataset_without_a_name() -> None:
    with pytest.raises(UnsatisfiableSchema) as caught:
        generate(dataset({"x": {"type": "boolean", "unique": True}}), 3, 0)
    assert caught.value.message.startswith("column 'x': 3 different values")
