"""The line of bars, and values with their units."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlvalidate.core.trend import Change, Point, Series, Trend
from mlvalidate.reporting.figures.trend import trend_figure
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


def make_trend(name: str = "nightly", changed: bool = True) -> Trend:
    points = tuple(
        Point(run_id=f"r{n}", mlflow_run_id="m", started_at=60.0 * n, value=1 + n // 2)
        for n in range(4)
    )
    change = Change(
        run_id="r2", started_at=120.0, before=1, after=2, commit="c0ffee", run_before="r1"
    )
    series = Series(metric="auc", points=points, changes=(change,) if changed else ())
    return Trend(
        project="shop", kind="pipeline", name=name, metric="auc", runs=4, began_at=0.0,
        ended_at=180.0, series=(series, series.model_copy(update={"node": "fit"})), reliability=(),
    )  # fmt: skip


def test_a_figure_has_a_chart_for_each_series_with_its_levels() -> None:
    figure = trend_figure(make_trend())
    values, before, after = figure.data[:3]
    assert (values.x[0], list(values.y)) == ("1970-01-01 00:00:00", [1, 1, 2, 2])
    assert (list(before.x), list(before.y)) == ([values.x[0], values.x[1]], [1, 1])
    assert (list(after.x), list(after.y)) == ([values.x[2], values.x[3]], [2, 2])
    assert len(figure.data) == 6
    texts = [note.text for note in figure.layout.annotations]
    assert texts[:2] == ["nightly: auc", "fit: auc"]
    assert texts[2:] == ["from 1 to 2 (+100 %) at c0ffee"] * 2
    assert len(trend_figure(make_trend(changed=False)).data) == 2


def test_names_are_texts_in_a_figure() -> None:
    figure = trend_figure(make_trend(name="<b>x</b>"))
    assert "<b>" not in figure.to_json()
