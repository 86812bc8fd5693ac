"""The line of bars, and values with their units."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlvalidate.reporting.sparkline import sparkline
from mlvalidate.reporting.trend_view import format_value


def test_bars_go_from_the_lowest_to_the_highest_value() -> None:
    assert sparkline([1, 2, 3, 8]) == "▁▂▃█"
    assert sparkline([1, 1, 2, 2], changes=[2]) == "▁▁|██"
    assert sparkline([5, 5]) == "▁▁"
    assert sparkline([]) == ""
    assert sparkline([1, 2], encoding="ascii") == "_#"
    assert sparkline([0, 0, 9, 9, 4, 4], width=3, changes=[2]) == "▁|█▄"


@given(
    st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=200),
    st.integers(1, 60),
)
def test_every_series_fits(values: list[float], width: int) -> None:
    assert 1 <= len(sparkline(values, width=width)) <= width


@pytest.mark.parametrize(
    ("metric", "value", "shown"),
    [
        ("duration_s", 1.234, "1.23s"),
        ("peak_rss_mb", 140, "140MB"),
        ("rows.train", 12000, "12,000"),
        ("auc", 0.81234, "0.8123"),
        ("lag_s", -2.5, "-2.5s"),
        ("delta_mb", -1, "-1MB"),
        ("big", 1e300, "1e+300"),
    ],
)
def test_values_have_their_unit(metric: str, value: float, shown: str) -> None:
    assert format_value(metric, value) == shown
