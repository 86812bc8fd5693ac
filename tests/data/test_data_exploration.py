"""Small tables that hypothesis draws: all of them keep to their dataset."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlvalidate.core.datasets import Dataset
from mlvalidate.data.conformity import find_faults
from mlvalidate.data.errors import UnsatisfiableSchema
from mlvalidate.data.exploration import MOST_ROWS, rows_of, table_of
from mlvalidate.data.family import Family
from mlvalidate.data.synthesis import generate

SHOPS = Dataset.model_validate(
    {"rows": 5, "key": "shop", "columns": {"shop": {"type": "string", "pattern": "S[0-9]{4}"}}}
)
COLUMNS: dict[str, Any] = {
    "id": {"type": "integer", "min": 1, "max": 10**6, "monotone": "increasing"},
    "region": {"type": "category", "values": {"n": 1, "s": 0}},
    "shop": {"type": "string", "foreign_key": "shops.shop"},
    "amount": {"type": "float", "min": -1.5, "max": 1000, "null": 0.2},
    "free": {"type": "integer"},
    "half": {"type": "integer", "min": 0.5, "max": 3.5, "null": 0.5},
    "flag": {"type": "boolean", "null": 0.1},
    "y": {"type": "integer", "rate": 0.3, "label": True},
    "code": {"type": "string", "pattern": "[A-Z]{2}-[0-9]+", "length": [4, 6]},
    "note": {"type": "text", "null": 0.1},
    "mail": {"type": "string", "like": "email"},
    "on": {"type": "date", "min": "2024-02-28", "null": 0.1},
    "at": {"type": "datetime", "max": "2024-03-01"},
    "then": {"type": "datetime"},
    "tags": {"type": "list", "items": {"type": "integer"}, "length": [0, 2]},
    "more": {"type": "json", "fields": {"a": {"type": "boolean"}}},
    "total": {"type": "float", "derived": "coalesce(amount, 0) * free"},
}
ORDERS = Dataset.model_validate(
    {
        "format": "parquet",
        "key": "id",
        "columns": COLUMNS,
        "rules": ["half <= 3", {"when": "flag == true", "then": "free >= 0"}],
    }
)
FAMILY = Family({"shops": SHOPS, "orders": ORDERS})
BEHIND = generate(ORDERS, 30, 0, "orders", FAMILY)


@pytest.mark.slow
@given(rows_of(ORDERS, 0, FAMILY), st.booleans())
@settings(max_examples=60, suppress_health_check=list(HealthCheck))
def test_tables_keep_to_their_dataset(rows: list[dict[str, Any]], is_alone: bool) -> None:
    frame = table_of(ORDERS, "orders", rows, 0, None if is_alone else BEHIND)
    if frame is None:  # an id of theirs is one of those behind them, or a rule can't be kept
        return
    assert 1 <= len(rows) <= MOST_ROWS
    assert len(frame) == len(rows) + (0 if is_alone else len(BEHIND))
    assert list(frame.columns) == list(COLUMNS)
    assert find_faults(frame, ORDERS) == ()
    assert set(frame["shop"]) <= set(FAMILY.values_of("shops.shop", 0))
    assert set(frame["region"]) == {"n"}
    for name, kind in BEHIND.dtypes.items():  # texts without any value have no type of their own
        assert frame[name].dtype == kind or ORDERS.columns[str(name)].type.is_textual


def test_tables_can_be_made_at_all() -> None:
    """The property above may pass over a table, but not over every one."""
    made: list[pd.DataFrame | None] = []

    @given(rows_of(ORDERS, 0, FAMILY))
    @settings(max_examples=30, suppress_health_check=list(HealthCheck), database=None)
    def draw(rows: list[dict[str, Any]]) -> None:
        made.append(table_of(ORDERS, "orders", rows, 0))

    draw()
    assert sum(frame is not None for frame in made) > len(made) / 2


def test_what_has_no_value_is_told() -> None:
    dataset = Dataset.model_validate(
        {"columns": {"shop": {"type": "string", "foreign_key": "shops.name"}}}
    )
    with pytest.raises(UnsatisfiableSchema, match=r"column 'shop': .* there is no shops\.name"):
        rows_of(dataset, 0, FAMILY)
