"""How the quality of tables changes along a pipeline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlvalidate.core.results import PipelineResult, PortSummary, Status
from mlvalidate.reporting.figures.colours import label

if TYPE_CHECKING:
    import plotly.graph_objects as go

_ROWS = "#999999"


def quality_figure(result: PipelineResult) -> go.Figure | None:
    """Return shares of missing, repeated and drifted values, and rows, by output in running order.

    None when no step wrote a table.
    """
    import plotly.graph_objects as go

    outputs = [
        (f"{step.node}.{port.port}", port)
        for step in result.steps
        if step.status is not Status.SKIPPED
        for port in step.outputs
        if port.quality is not None
    ]
    if not outputs:
        return None
    places = list(range(len(outputs)))
    names = [label(name, 80) for name, _ in outputs]
    lines = [
        {
            "type": "scatter",
            "name": name,
            "x": places,
            "y": [_share(port, kind, figure) for _, port in outputs],
            "mode": "lines+markers",
            "line": {"color": colour},
            "marker": {"symbol": symbol, "size": 8},
            "connectgaps": False,
            "hovertext": names,
            "hovertemplate": f"%{{hovertext}}: %{{y:.2%}}<extra>{name}</extra>",
        }
        for name, kind, figure, colour, symbol in (
            ("missing values", "quality", "null_share", "#0072B2", "circle"),
            ("repeated rows", "quality", "duplicate_share", "#E69F00", "square"),
            ("drifted columns", "drift", "share", "#D55E00", "diamond"),
        )
    ]
    rows = {
        "type": "bar",
        "name": "rows",
        "x": places,
        "y": [port.rows for _, port in outputs],
        "yaxis": "y2",
        "marker": {"color": _ROWS, "opacity": 0.35},
        "hovertext": names,
        "hovertemplate": "%{hovertext}: %{y:,} rows<extra></extra>",
    }
    return go.Figure(
        [rows, *lines],
        {
            "title": "Quality along the pipeline",
            "template": "none",
            "height": 420,
            "xaxis": {
                "tickmode": "array",
                "tickvals": places,
                "ticktext": [label(name) for name, _ in outputs],
                "automargin": True,
            },
            "yaxis": {"title": "share", "tickformat": ".0%", "rangemode": "tozero",
                      "overlaying": "y2"},
            "yaxis2": {"title": "rows", "side": "right", "rangemode": "tozero",
                       "showgrid": False},
            "legend": {"orientation": "h", "y": 1.12},
        },
    )  # fmt: skip


def _share(port: PortSummary, kind: str, figure: str) -> float | None:
    return port.figures.get(f"{kind}.{port.port}.{figure}")
