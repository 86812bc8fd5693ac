"""The flow diagram of a run: its nodes, what each reads, and what came of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlvalidate.core.plan import Plan
from mlvalidate.core.results import PipelineResult, StepResult
from mlvalidate.reporting.figures.colours import COLOURS, SYMBOLS, label, verdict
from mlvalidate.reporting.figures.layers import Layout, lay_out

if TYPE_CHECKING:
    import plotly.graph_objects as go

_EDGE = "#999999"
# Pixels.
_LAYER, _PLACE, _MARGIN = 170, 64, 140
_SHOWN_FINDINGS = 3


def flow_figure(plan: Plan, result: PipelineResult) -> go.Figure:
    """Return the diagram, from left to right. It grows with the graph: 170 px for each layer."""
    import plotly.graph_objects as go

    in_run = {step.node for step in result.steps}
    reads = {
        planned.node: [node for node in planned.depends_on if node in in_run]
        for planned in plan.steps
        if planned.node in in_run
    }
    layout = lay_out({**{step.node: [] for step in result.steps}, **reads})
    return go.Figure(
        [_edges(layout), *_nodes(layout, result)],
        {
            "title": "Flow",
            "template": "none",
            "width": max(640, _LAYER * layout.layers + _MARGIN),
            "height": max(320, round(_PLACE * layout.height) + _MARGIN),
            "xaxis": {"visible": False, "range": [-0.6, layout.layers - 0.4]},
            "yaxis": {"visible": False},
            "hovermode": "closest",
        },
    )


def _edges(layout: Layout) -> dict[str, object]:
    """Return all edges as one line with gaps; an arrow at the end of each."""
    xs: list[float | None] = []
    ys: list[float | None] = []
    sizes: list[int] = []
    for points in layout.edges.values():
        xs += [*(x for x, _ in points), None]
        ys += [*(y for _, y in points), None]
        sizes += [*(0 for _ in points[1:]), 12, 0]
    return {
        "type": "scatter",
        "x": xs,
        "y": ys,
        "mode": "lines+markers",
        "line": {"color": _EDGE, "width": 1.5},
        "marker": {
            "symbol": "arrow",
            "angleref": "previous",
            "size": sizes,
            "standoff": 13,
            "color": _EDGE,
            "opacity": 1,
        },
        "hoverinfo": "skip",
        "showlegend": False,
    }


def _nodes(layout: Layout, result: PipelineResult) -> list[dict[str, object]]:
    """Return one set of markers for each verdict that occurs, in the order of the legend."""
    traces: list[dict[str, object]] = []
    for name, colour in COLOURS.items():
        steps = [step for step in result.steps if verdict(step) == name]
        if steps:
            traces.append(
                {
                    "type": "scatter",
                    "name": name,
                    "x": [layout.nodes[step.node][0] for step in steps],
                    "y": [layout.nodes[step.node][1] for step in steps],
                    "mode": "markers+text",
                    "marker": {
                        "symbol": SYMBOLS[name],
                        "color": colour,
                        "size": 20,
                        "line": {"width": 3, "color": colour},
                    },
                    "text": [label(step.node) for step in steps],
                    "textposition": "bottom center",
                    "hovertext": [_about(step) for step in steps],
                    "hoverinfo": "text",
                    "showlegend": True,
                }
            )
    return traces


def _about(step: StepResult) -> str:
    lines = [f"<b>{label(step.node, 80)}</b>", label(step.entry_point, 80), verdict(step)]
    if step.skip_reason:
        lines[-1] += f": {label(f'{step.skip_reason.value} {step.skip_detail}', 80)}"
    else:
        usage = step.usage
        lines.append(f"{usage.duration_s:.3g} s, {usage.peak_rss_mb:.0f} MB")
    lines += [f"{label(port, 40)}: {rows:,} rows" for port, rows in step.rows.items()]
    found = step.findings
    lines += [label(f"{each.code} {each.message}", 90) for each in found[:_SHOWN_FINDINGS]]
    if len(found) > _SHOWN_FINDINGS:
        lines.append(f"and {len(found) - _SHOWN_FINDINGS} more")
    return "<br>".join(lines)
