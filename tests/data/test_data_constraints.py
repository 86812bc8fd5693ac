"""What the values of a table have other than the dataset allows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlvalidate.core.datasets import Dataset, FileFormat
from mlvalidate.data.conformity import find_faults
from mlvalidate.data.files import read_table, write_table

TIMES = pd.to_datetime(["2024-01-01", "2024-06-01"])


def faults(cells: Any, format: str = "csv", **declared: Any) -> list[tuple[str, int]]:
    """Return kind and count of the faults of one column `x`."""
    dataset = Dataset.model_validate({"format": format, "columns": {"x": declared}})
    found = find_faults(pd.DataFrame({"x": cells}), dataset)
    assert all(len(fault.examples) <= 5 and fault.column == "x" for fault in found)
    return [(fault.kind.value, fault.count) for fault in found]


@pytest.mark.parametrize(
    ("cells", "declared", "expected"),
    [
        ([1.0, None], {"type": "float"}, [("null", 1)]),
        ([1.0, None], {"type": "float", "null": 0.5}, []),
        (["x", "NaN"] * 9, {"type": "float", "null": 0.5}, [("wrong_type", 9)]),
        ([None] * 30, {"type": "float", "null": 0.9}, [("many_nulls", 30)]),
        ([None] * 30, {"type": "float", "null": 1}, []),
        ([None] * 4, {"type": "float", "null": 0.9}, []),
        ([1.0] * 90 + [None] * 10, {"type": "float", "null": 0.08}, []),
        ([1.0] * 700 + [None] * 300, {"type": "float", "null": 0.1}, [("many_nulls", 300)]),
        ([0, 5, 11, -1], {"type": "integer", "min": 0, "max": 10}, [("out_of_range", 2)]),
        ([0.1 + 0.2], {"type": "float", "max": 0.3}, []),
        ([1.0001], {"type": "float", "max": 1}, [("out_of_range", 1)]),
        ([1.5, np.inf, -np.inf], {"type": "float"}, [("not_finite", 2)]),
        (["5", "x", "50"], {"type": "integer", "max": 9}, [("wrong_type", 1), ("out_of_range", 1)]),
        (TIMES, {"type": "date", "max": "2024-03-01"}, [("out_of_range", 1)]),
        (["2024-01-01"], {"type": "date", "min": "2024-03-01"}, [("out_of_range", 1)]),
        (["a", "b"], {"type": "category", "values": ["a"]}, [("unknown_value", 1)]),
        ([1, 2], {"type": "category", "values": [1, 3]}, [("unknown_value", 1)]),
        (["1", "2"], {"type": "category", "values": [1, 3]}, [("unknown_value", 1)]),
        ([True, False], {"type": "category", "values": [True]}, [("unknown_value", 1)]),
        (["C1", "C12", "D1"], {"type": "string", "pattern": "C[0-9]"}, [("malformed", 2)]),
        (["aa", "ab"], {"type": "string", "pattern": r"(.)\1"}, [("malformed", 1)]),
        (["a\n"], {"type": "string", "pattern": "a"}, [("malformed", 1)]),
        (["", "abc", "abcd"], {"type": "text", "length": [1, 3]}, [("malformed", 2)]),
        (["a@b.org", "a@b", "@b.org"], {"type": "string", "like": "email"}, [("malformed", 2)]),
        (["10.0.0.1", "10.0.0.256"], {"type": "string", "like": "ipv4"}, [("malformed", 1)]),
        (["anything"], {"type": "string", "like": "city"}, []),
        ([1, 1, 2, None], {"type": "float", "unique": True, "null": 0.5}, [("not_unique", 2)]),
        ([1, 2, 2, 1], {"type": "integer", "monotone": "increasing"}, [("out_of_order", 1)]),
        (TIMES[::-1], {"type": "date", "monotone": "decreasing"}, []),
        ([1.0] * 20, {"type": "float", "min": 0, "max": 1}, [("constant", 20)]),
        ([1.0] * 19, {"type": "float", "min": 0, "max": 1}, []),
        ([1.0] * 20, {"type": "float", "min": 0}, []),
        ([1.0] * 20, {"type": "float", "min": 1, "max": 1}, []),
        ([True] * 20, {"type": "boolean", "label": True}, [("constant", 20)]),
        (["a"] * 20, {"type": "category", "values": {"a": 1, "b": 0}}, []),
        (["[1]", "{}", "["], {"type": "list", "items": {"type": "integer"}}, [("wrong_type", 2)]),
        (['{"a": 1}', "[]"], {"type": "json", "fields": {"a": {"type": "integer"}}},
         [("wrong_type", 1)]),
    ],
)  # fmt: skip
def test_one_column(cells: Any, declared: dict[str, Any], expected: list[Any]) -> None:
    assert faults(cells, **declared) == expected


def test_categories_of_numbers_are_found_in_texts_of_parquet_too() -> None:
    cells = pd.Categorical(["a", "b", "z"])
    declared = {"type": "category", "values": ["a", "b"]}
    assert faults(cells, "parquet", **declared) == [("unknown_value", 1)]


def table(**columns: Any) -> pd.DataFrame:
    return pd.DataFrame(columns)


RULED = Dataset.model_validate(
    {
        "columns": {
            "low": {"type": "integer"},
            "high": {"type": "integer", "null": 0.5},
            "sum": {"type": "float", "derived": "low + high", "null": 0.5},
            "day": {"type": "date", "optional": True},
        },
        "rules": ["low <= high", {"when": "low > 5", "then": "high > 50"}, "day > '2024-01-01'"],
    }
)


def rules_broken(frame: pd.DataFrame) -> dict[str, tuple[int, tuple[str, ...]]]:
    return {
        fault.expected: (fault.count, fault.examples)
        for fault in find_faults(frame, RULED)
        if fault.kind == "broken_rule"
    }


def test_rules_and_derived_columns() -> None:
    frame = table(low=[1, 9, 9, 2], high=[2, 8, None, 9], sum=[3.0, 17.0, 1.0, 12.0])
    assert rules_broken(frame) == {
        "low <= high": (1, ("row 2: high=8.0, low=9",)),
        "high > 50 where low > 5": (1, ("row 2: high=8.0, low=9",)),
        "sum = low + high": (1, ("row 4: sum=12.0, low=2, high=9.0",)),
    }


def test_a_rule_on_dates_that_are_text() -> None:
    frame = table(low=[1, 1], high=[2, 2], sum=[3, 3], day=["2024-05-01", "2023-05-01"])
    assert list(rules_broken(frame)) == ["day > '2024-01-01'"]


@settings(deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(["csv", "parquet", "jsonl"]))
def test_what_is_generated_has_no_fault(tmp_path_factory: Any, seed: int, format: str) -> None:
    from mlvalidate.data.synthesis import generate

    dataset = Dataset.model_validate(
        {
            "format": format,
            "key": ["id", "part"],
            "columns": {
                "id": {"type": "string", "pattern": "[A-Z]{2}0[0-9]"},
                "part": {"type": "integer", "min": 0, "max": 9},
                "x": {"type": "float", "min": -1e-3, "max": 1e9, "null": 0.1},
                "c": {"type": "category", "values": {"a": 0.9, "None": 0.1}, "null": 0.3},
                "t": {"type": "datetime", "min": "2020-01-01", "max": "2020-01-02"},
                "d": {"type": "date", "unique": True},
                "b": {"type": "boolean", "label": True, "rate": 0.3},
                "w": {"type": "text", "length": [3, 60]},
            },
        }
    )
    frame = generate(dataset, 40, seed)
    assert find_faults(frame, dataset, FileFormat.PARQUET) == ()
    path = Path(tmp_path_factory.mktemp("table")) / f"t.{format}"
    write_table(frame, path, dataset.format)
    assert find_faults(read_table(path, dataset.format, dataset), dataset) == ()
