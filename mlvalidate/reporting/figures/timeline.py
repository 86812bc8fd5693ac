"""When each step of a run ran, and what it took: the timeline, and time, memory and CPU by step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlvalidate.core.results import PipelineResult, Status, StepResult
from mlvalidate.reporting.figures.colours import COLOURS, label, verdict

if TYPE_CHECKING:
    import plotly.graph_objects as go

# Pixels.
_ROW, _MARGIN = 26, 150
_MEMORY, _CPU = "#0072B2", "#E69F00"


def timeline_figure(result: PipelineResult) -> go.Figure:
    """Return a bar for each step that was not skipped, over seconds since the run began.

    A bar is as long as the step took, its checks included.
    """
    import plotly.graph_objects as go

    ran = _ran(result)
    bars = []
    for name, colour in COLOURS.items():
        steps = [step for step in ran if verdict(step) == name]
        if steps:
            bars.append(
                {
                    "type": "bar",
                    "orientation": "h",
                    "name": name,
                    "y": [ran.index(step) for step in steps],
                    "base": [step.started_at - result.started_at for step in steps],
                    "x": [max(0.0, step.finished_at - step.started_at) for step in steps],
                    "marker": {"color": colour},
                    "hovertext": [_times(step, result.started_at) for step in steps],
                    "hoverinfo": "text",
                    "showlegend": True,
                }
            )
    return go.Figure(
        bars,
        {
            "title": "Timeline",
            "template": "none",
            "barmode": "overlay",
            "height": _height(ran),
            "xaxis": {"title": "seconds since the run began", "rangemode": "tozero"},
            "yaxis": _axis_of_steps(ran),
        },
    )


def usage_figure(result: PipelineResult) -> go.Figure:
    """Return two charts of bars side by side, a row for each step: peak memory, CPU time."""
    import plotly.graph_objects as go

    ran = _ran(result)
    rows = list(range(len(ran)))
    charts = (
        ("peak memory", "MB", _MEMORY, [step.usage.peak_rss_mb for step in ran], ""),
        ("CPU time", "s", _CPU, [step.usage.cpu_s for step in ran], "2"),
    )
    names = [label(step.node, 80) for step in ran]
    return go.Figure(
        [
            {
                "type": "bar",
                "orientation": "h",
                "name": name,
                "y": rows,
                "x": values,
                "xaxis": f"x{axis}",
                "yaxis": "y",
                "marker": {"color": colour},
                "hovertext": names,
                "hovertemplate": f"%{{hovertext}}: %{{x:.3g}} {unit}<extra>{name}</extra>",
                "showlegend": True,
            }
            for name, unit, colour, values, axis in charts
        ],
        {
            "title": "Memory and CPU",
            "template": "none",
            "barmode": "overlay",
            "height": _height(ran),
            "xaxis": {"title": "MB", "rangemode": "tozero", "domain": [0, 0.48]},
            "xaxis2": {"title": "s", "rangemode": "tozero", "domain": [0.52, 1]},
            "yaxis": _axis_of_steps(ran),
        },
    )


def _ran(result: PipelineResult) -> list[StepResult]:
    return sorted(
        (step for step in result.steps if step.status is not Status.SKIPPED),
        key=lambda step: step.started_at,
    )


def _height(steps: list[StepResult]) -> int:
    return max(280, _ROW * len(steps) + _MARGIN)


def _axis_of_steps(steps: list[StepResult]) -> dict[str, object]:
    """Return an axis that names every step, the first on top."""
    return {
        "tickmode": "array",
        "tickvals": list(range(len(steps))),
        "ticktext": [label(step.node) for step in steps],
        "range": [len(steps) - 0.4, -0.6],
        "automargin": True,
        "showgrid": False,
    }


def _times(step: StepResult, begun: float) -> str:
    return "<br>".join(
        (
            f"<b>{label(step.node, 80)}</b>: {verdict(step)}",
            f"from {step.started_at - begun:.3g} s to {step.finished_at - begun:.3g} s",
            f"script {step.usage.duration_s:.3g} s",
        )
    )
