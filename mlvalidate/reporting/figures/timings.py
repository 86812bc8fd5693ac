"""How times and memory of steps are distributed in the two samples of a comparison."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mlvalidate.core.comparison import Comparison, Timing

if TYPE_CHECKING:
    import plotly.graph_objects as go

# Of the palette of Okabe and Ito, which the colour-blind can tell apart.
_SIDES = (("before", "#0072B2"), ("after", "#E69F00"))
_CHARTS = (("duration_s", "time", "s"), ("peak_rss_mb", "peak memory", "MB"))


def timings_figure(comparison: Comparison) -> go.Figure | None:
    """Return two charts, a box with all measurements for each step and side; None without any."""
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    if not any(step.timings for step in comparison.steps):
        return None
    figure = make_subplots(1, 2, subplot_titles=[title for _, title, _ in _CHARTS])
    for place, (name, _, unit) in enumerate(_CHARTS, start=1):
        found = [
            (step.node, timing)
            for step in comparison.steps
            if (timing := step.timing(name)) is not None
        ]
        for side, color in _SIDES:
            pairs = [(node, value) for node, timing in found for value in _values(timing, side)]
            box = go.Box(
                name=side,
                x=[node for node, _ in pairs],
                y=[value for _, value in pairs],
                marker={"color": color},
                boxpoints="all",
                legendgroup=side,
                showlegend=place == 1,
            )
            figure.add_trace(box, row=1, col=place)
        figure.update_yaxes(title=unit, rangemode="tozero", row=1, col=place)
    figure.update_layout(boxmode="group", template="plotly_white", title="Measurements")
    return figure


def _values(timing: Timing, side: str) -> Sequence[float]:
    return timing.values_before if side == "before" else timing.values_after
