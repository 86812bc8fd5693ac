"""How a metric went over runs: a chart for each series, its levels, and where they change."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from html import escape
from typing import TYPE_CHECKING

from mlvalidate.core.trend import Change, Point, Series, Trend
from mlvalidate.reporting.trend_view import change_words, format_value, name_of

if TYPE_CHECKING:
    import plotly.graph_objects as go

# Of the palette of Okabe and Ito, which the colour-blind can tell apart.
_VALUE, _LEVEL, _CHANGE = "#0072B2", "#E69F00", "#D55E00"
_HEIGHT = 260


def trend_figure(trend: Trend) -> go.Figure:
    """Return a figure with the charts of all series, one below the other, over the runs' times."""
    from plotly.subplots import make_subplots

    rows = len(trend.series)
    titles = [escape(f"{name_of(trend, series)}: {series.metric}") for series in trend.series]
    figure = make_subplots(rows, 1, subplot_titles=titles, vertical_spacing=0.3 / rows)
    for row, series in enumerate(trend.series, start=1):
        _add_series(figure, row, series)
    figure.update_layout(
        title=escape(f"Trend of {trend.kind} {trend.name} over {trend.runs} runs"),
        template="plotly_white",
        height=_HEIGHT * rows + 140,
        showlegend=False,
    )
    return figure


def _add_series(figure: go.Figure, row: int, series: Series) -> None:
    times = [_time(point.started_at) for point in series.points]
    figure.add_scatter(
        x=times,
        y=[point.value for point in series.points],
        mode="markers",
        marker={"color": _VALUE, "size": 6},
        text=[_about(series, point) for point in series.points],
        hovertemplate="%{text}<extra></extra>",
        row=row,
        col=1,
    )
    for first, last, level in _levels(series):
        figure.add_scatter(
            x=[times[first], times[last]],
            y=[level, level],
            mode="lines",
            line={"color": _LEVEL, "width": 2},
            hoverinfo="skip",
            row=row,
            col=1,
        )
    for change in series.changes:
        figure.add_vline(
            _time(change.started_at), row=row, col=1, line={"color": _CHANGE, "dash": "dot"}
        )
        figure.add_annotation(
            x=_time(change.started_at),
            y=change.after,
            text=_label(series, change),
            arrowcolor=_CHANGE,
            row=row,
            col=1,
        )


def _levels(series: Series) -> Iterator[tuple[int, int, float]]:
    """Yield each level with the indices of its first and last point; none where nothing changed."""
    if not series.changes:
        return
    ids = [point.run_id for point in series.points]
    starts = [ids.index(change.run_id) for change in series.changes]
    levels = [series.changes[0].before, *(change.after for change in series.changes)]
    for first, end, level in zip([0, *starts], [*starts, len(ids)], levels, strict=True):
        yield first, end - 1, level


def _label(series: Series, change: Change) -> str:
    at = f" at {change.commit[:10]}" if change.commit else ""
    return escape(f"{change_words(series, change)}{at}")


def _about(series: Series, point: Point) -> str:
    dirty = " with changes" if point.is_dirty else ""
    commit = f", commit {point.commit[:10]}{dirty}" if point.commit else ""
    return escape(f"{format_value(series.metric, point.value)} in run {point.run_id}{commit}")


def _time(at: float) -> str:
    # A text, for plotly shifts datetimes with a zone; and it reads no other zone than UTC.
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S}"
