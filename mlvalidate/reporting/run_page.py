"""The figures of a run on one page of HTML that needs no network."""

from __future__ import annotations

from mlvalidate.core.plan import Plan
from mlvalidate.core.results import PipelineResult
from mlvalidate.reporting.figures.flow import flow_figure
from mlvalidate.reporting.figures.quality import quality_figure
from mlvalidate.reporting.figures.timeline import timeline_figure, usage_figure
from mlvalidate.reporting.html_page import render_page

_STYLE = """
.figure { overflow-x: auto }
"""


def render_run_page(plan: Plan, result: PipelineResult) -> str:
    """Return flow, timeline, memory and CPU, and quality where a step wrote a table.

    plotly.js, 4.6 MB, is on the page once.
    """
    from plotly.offline import get_plotlyjs

    figures = (
        flow_figure(plan, result),
        timeline_figure(result),
        usage_figure(result),
        quality_figure(result),
    )
    return render_page(
        f"{result.name} {result.run_id}: {result.status.value}",
        (
            f'<div class="figure">{figure.to_html(full_html=False, include_plotlyjs=False)}</div>'
            for figure in figures
            if figure is not None
        ),
        style=_STYLE,
        script=get_plotlyjs(),
    )
