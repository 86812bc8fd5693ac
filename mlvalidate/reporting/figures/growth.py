"""How time and memory of a step grow with its rows: measurements, fitted curves, the prediction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mlvalidate.core.benchmarks import Benchmark, Estimate, Growth

if TYPE_CHECKING:
    import plotly.graph_objects as go

# Of the palette of Okabe and Ito, which the colour-blind can tell apart.
_MEASURED, _FITTED, _PREDICTED, _LIMIT = "#0072B2", "#56B4E9", "#E69F00", "#D55E00"
_POINTS = 60


def growth_figure(benchmark: Benchmark) -> go.Figure:
    """Return two charts side by side, on logarithmic axes: seconds, and MB, over rows."""
    from plotly.subplots import make_subplots

    figure = make_subplots(1, 2, subplot_titles=("time", "peak memory"))
    charts = (
        ("duration_s", benchmark.duration_s, benchmark.timeout_s, "s"),
        ("peak_rss_mb", benchmark.peak_rss_mb, benchmark.memory_mb, "MB"),
    )
    for place, (name, growth, limit, unit) in enumerate(charts, start=1):
        measured = [getattr(volume, name) for volume in benchmark.volumes]
        rows = [float(volume.rows) for volume in benchmark.volumes]
        chart = _Chart(figure, place, unit)
        if growth is not None:
            chart.add_curve(growth, _range(rows, benchmark.volume))
        chart.add_points("measured", _MEASURED, rows, measured)
        if growth is not None and growth.predicted is not None and benchmark.volume is not None:
            chart.add_points("predicted", _PREDICTED, [float(benchmark.volume)], [growth.predicted])
            figure.add_hline(
                limit, row=1, col=place, line={"color": _LIMIT, "dash": "dash"},
                annotation_text="limit",
            )  # fmt: skip
    figure.update_xaxes(type="log", title="rows")
    figure.update_yaxes(type="log")
    figure.update_layout(title=f"How {benchmark.step} grows", template="plotly_white")
    return figure


def _range(rows: Sequence[float], volume: int | None) -> tuple[float, float]:
    return min(rows), max(*rows, float(volume or 0))


class _Chart:
    """One of the charts of a figure."""

    def __init__(self, figure: go.Figure, place: int, unit: str) -> None:
        self._figure, self._place, self._unit = figure, place, unit
        figure.update_yaxes(title=unit, row=1, col=place)

    def add_curve(self, growth: Growth, between: tuple[float, float]) -> None:
        """Draw the fitted curve."""
        first, last = between
        step = (last / first) ** (1 / (_POINTS - 1))
        rows = [first * step**number for number in range(_POINTS)]
        self._add(
            name=f"fitted: {growth.kind}, exponent {growth.exponent.value:.2f}",
            x=rows,
            y=[growth.at(each) for each in rows],
            mode="lines",
            line={"color": _FITTED},
        )

    def add_points(
        self, name: str, color: str, rows: Sequence[float], estimates: Sequence[Estimate]
    ) -> None:
        """Draw values with their intervals."""
        values = [each.value for each in estimates]
        highs = [each.value if each.high is None else each.high for each in estimates]
        lows = [each.value if each.low is None else each.low for each in estimates]
        self._add(
            name=name,
            x=list(rows),
            y=values,
            mode="markers",
            marker={"color": color, "size": 9},
            error_y={
                "type": "data",
                "array": [high - value for high, value in zip(highs, values, strict=True)],
                "arrayminus": [value - low for low, value in zip(lows, values, strict=True)],
            },
            hovertemplate=f"%{{x:,}} rows: %{{y:.3g}} {self._unit}<extra>{name}</extra>",
        )

    def _add(self, **trace: object) -> None:
        import plotly.graph_objects as go

        self._figure.add_trace(go.Scatter(**trace, showlegend=True), row=1, col=self._place)
