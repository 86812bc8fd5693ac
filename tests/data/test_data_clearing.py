"""A column is cleared only when a close look finds nothing wrong with it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlvalidate.core.datasets import Dataset, FileFormat
from mlvalidate.data.clearing import is_clear
from mlvalidate.data.conformity import find_faults

NUMBERS = st.sampled_from([0, 1, 5, 10, 11, -1, 10**12])
FLOATS = st.sampled_from([0.0, -0.0, 1.0, 2.5, 10.0, 10.5, float("inf")])
TEXTS = st.sampled_from(["a1", "b2", "c", "", "a10", "é1", "NaN", "a1\n", "5"])
TIMES = st.sampled_from(
    [dt.datetime(2020, 1, 1), dt.datetime(2020, 1, 2, 5), dt.datetime(2031, 1, 1)]
)
DTYPES = {
    "int64": NUMBERS,
    "Int64": NUMBERS,
    "float64": FLOATS,
    "str": TEXTS,
    "string": TEXTS,
    "category": TEXTS,
    "bool": st.booleans(),
    "boolean": st.booleans(),
    "datetime64[s]": TIMES,
    "datetime64[us, UTC]": TIMES,
    "object": st.one_of(NUMBERS, FLOATS, TEXTS, TIMES),
}
DECLARATIONS: list[dict[str, Any]] = [
    {"type": "integer"},
    {"type": "integer", "min": 0, "max": 10},
    {"type": "integer", "unique": True, "null": 0.3},
    {"type": "integer", "label": True, "rate": 0.5},
    {"type": "integer", "monotone": "increasing"},
    {"type": "float", "min": 0, "max": 10.0, "null": 0.1},
    {"type": "float", "unique": True},
    {"type": "boolean", "rate": 0.5, "null": 0.5},
    {"type": "category", "values": ["a1", "b2", "NaN"]},
    {"type": "category", "values": [0, 1, 5], "null": 0.2},
    {"type": "category", "values": ["a1", 5, True]},
    {"type": "category", "values": [True, False]},
    {"type": "string", "pattern": "[a-zé][0-9]+", "null": 1.0},
    {"type": "string", "pattern": "(?=a)a[0-9]*"},
    {"type": "string", "length": [2, 2], "unique": True},
    {"type": "string", "like": "email"},
    {"type": "text", "length": [0, 3]},
    {"type": "datetime", "min": dt.date(2020, 1, 1), "max": dt.date(2030, 1, 1), "null": 0.4},
    {"type": "date"},
    {"type": "list", "items": {"type": "integer"}},
]


@st.composite
def columns(draw: st.DrawFn) -> pd.Series:
    """A column of a few or of many equal cells, with or without nulls."""
    dtype = draw(st.sampled_from(sorted(DTYPES)))
    cells: list[Any] = draw(st.lists(DTYPES[dtype], max_size=8))
    if dtype not in ("int64", "bool") and draw(st.booleans()):
        cells.insert(draw(st.integers(0, len(cells))), None)
    return pd.Series(cells * draw(st.sampled_from([1, 1, 30])), dtype=dtype, name="x")


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=400)
@given(columns(), st.sampled_from(DECLARATIONS), st.sampled_from(FileFormat))
def test_what_is_cleared_has_no_fault(
    series: pd.Series, declaration: dict[str, Any], format: FileFormat
) -> None:
    dataset = Dataset(format=format, columns={"x": declaration})
    if is_clear(series, dataset.columns["x"], format):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("mlvalidate.data.conformity.is_clear", lambda *_: False)
            assert find_faults(series.to_frame(), dataset, format) == ()


@pytest.mark.parametrize(
    ("cells", "declaration"),
    [
        (pd.Series([1, 2, 10]), {"type": "integer", "min": 0, "max": 10, "unique": True}),
        (pd.Series([1, None], dtype="Int64"), {"type": "integer", "null": 0.5}),
        (pd.Series([1.5, None]), {"type": "float", "null": 0.5}),
        (pd.Series([True, False]), {"type": "boolean", "label": True}),
        (
            pd.Series(["a", "b", None], dtype="str"),
            {"type": "category", "values": ["a", "b"], "null": 0.4},
        ),
        (pd.Series(["C001"], dtype="str"), {"type": "string", "pattern": "C[0-9]{3}"}),
        (pd.Series(["é"], dtype="str"), {"type": "text", "length": [1, 1]}),
        (pd.Series([dt.datetime(2020, 1, 1)]), {"type": "date", "max": dt.date(2020, 1, 1)}),
        (pd.Series([], dtype="float64"), {"type": "float"}),
        (pd.Series([None, None], dtype="float64"), {"type": "float", "null": 1.0}),
    ],
)
def test_what_is_as_declared_is_cleared(cells: pd.Series, declaration: dict[str, Any]) -> None:
    dataset = Dataset(columns={"x": declaration})
    assert is_clear(cells, dataset.columns["x"], FileFormat.PARQUET)


def test_a_table_as_declared_is_not_judged_cell_by_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    def look(*_: object) -> None:
        raise AssertionError("a close look")

    monkeypatch.setattr("mlvalidate.data.conformity.fits", look)
    dataset = Dataset(columns={"a": {"type": "integer"}, "b": {"type": "string"}})
    assert find_faults(pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}), dataset) == ()
