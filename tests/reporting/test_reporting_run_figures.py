"""The figures of a run: flow, timeline, memory and CPU, quality."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_builders import finding, pipeline_result, planned_step, skipped, step_result
from report_builders import plan as make_plan

from mlvalidate.core.plan import Origin, Plan, PlannedInput, PlannedStep, SkipReason
from mlvalidate.core.quality import ColumnDrift, Drift, Quality
from mlvalidate.core.results import FileSummary, PipelineResult, PortSummary, Status, Usage
from mlvalidate.reporting.figures.flow import flow_figure
from mlvalidate.reporting.figures.layers import lay_out
from mlvalidate.reporting.figures.quality import quality_figure
from mlvalidate.reporting.figures.timeline import timeline_figure, usage_figure
from mlvalidate.reporting.run_page import render_run_page


@st.composite
def graphs(draw: st.DrawFn) -> dict[str, list[str]]:
    number = draw(st.integers(1, 12))
    names = [f"n{index}" for index in range(number)]
    reads = {
        name: draw(st.lists(st.sampled_from(names[:index]), unique=True)) if index else []
        for index, name in enumerate(names)
    }
    order = draw(st.permutations(names))
    return {name: reads[name] for name in order}


@given(graphs())
def test_nodes_stand_right_of_what_they_read_and_edges_run_through_none(
    reads: dict[str, list[str]],
) -> None:
    layout = lay_out(reads)
    assert set(layout.nodes) == set(reads)
    assert len(set(layout.nodes.values())) == len(reads)
    assert set(layout.edges) == {(p, n) for n, producers in reads.items() for p in producers}
    taken = set(layout.nodes.values())
    for (producer, node), points in layout.edges.items():
        assert (points[0], points[-1]) == (layout.nodes[producer], layout.nodes[node])
        xs = [x for x, _ in points]
        assert xs == [xs[0] + step for step in range(len(xs))]
        assert len(xs) >= 2
        assert not taken & set(points[1:-1])


def test_a_cycle_has_no_layout() -> None:
    with pytest.raises(ValueError, match=r"a cycle, or an unknown node, among \['a', 'b'\]"):
        lay_out({"a": ["b"], "b": ["a"], "c": []})


def _run() -> tuple[Plan, PipelineResult]:
    """Return the plan and the result of a run of which the last node was skipped."""
    nodes = {"<b>prep": [], "train": ["<b>prep"], "evaluate": ["<b>prep", "train"]}
    plan = make_plan(*(_planned(node, *reads) for node, reads in nodes.items()))
    result = pipeline_result(
        step_result(
            "<b>prep",
            reused_from="earlier",
            usage=Usage(duration_s=1, cpu_s=0.5, peak_rss_mb=140),
            outputs=(_port("train", 80), _port("test", 20, drifted=True)),
        ),
        step_result(
            "train",
            status=Status.FAILED,
            started_at=102.0,
            finished_at=105.5,
            findings=tuple(finding(message=f"fault {n}") for n in range(5)),
        ),
        skipped("evaluate", SkipReason.UPSTREAM_FAILED, "train"),
        status=Status.FAILED,
    )
    return plan, result


def _planned(node: str, *reads: str) -> PlannedStep:
    inputs = tuple(
        PlannedInput(
            port=f"in{n}", container_path="/opt/ml/x", origin=Origin.EDGE, producer=r, output="out"
        )
        for n, r in enumerate(reads)
    )
    return planned_step(node, inputs=inputs)


def _port(name: str, rows: int, *, drifted: bool = False) -> PortSummary:
    drift = Drift(columns=(ColumnDrift(column="a", score=1.0, drifted=True),)) if drifted else None
    return PortSummary(
        port=name,
        path="/x",
        files=(FileSummary(name="t.csv", size_bytes=1, digest="d", rows=rows),),
        quality=Quality(columns=2, null_share=0.1, duplicate_share=0.2, constant_columns=0),
        drift=drift,
    )


def test_flow_is_coloured_by_verdict_and_tells_more_under_the_pointer() -> None:
    figure = flow_figure(*_run())
    edges, reused, failed, skipped_ones = (
        next(t for t in figure.data if t.name == name)
        for name in (None, "reused", "failed", "skipped")
    )
    assert len({t.marker.color for t in (reused, failed, skipped_ones)}) == 3
    assert len({t.marker.symbol for t in (reused, failed, skipped_ones)}) == 3
    assert [t.x[0] for t in (reused, failed, skipped_ones)] == [0, 1, 2]
    assert reused.text == ("&lt;b&gt;prep",)
    assert "train: 80 rows" in reused.hovertext[0]
    assert failed.hovertext[0].endswith("X201 fault 2<br>and 2 more")
    assert "skipped: upstream-failed train" in skipped_ones.hovertext[0]
    # An arrow at the end of each of the three edges.
    assert sum(size > 0 for size in edges.marker.size) == 3


def test_timeline_counts_seconds_since_the_run_began() -> None:
    figure = timeline_figure(_run()[1])
    assert [(bar.name, bar.base, bar.x) for bar in figure.data] == [
        ("reused", (0,), (1,)),
        ("failed", (2,), (3.5,)),
    ]
    assert figure.layout.yaxis.ticktext == ("&lt;b&gt;prep", "train")


def test_memory_and_cpu_of_each_step_that_ran() -> None:
    memory, cpu = usage_figure(_run()[1]).data
    assert memory.x == (140, 140)
    assert cpu.x == (0.5, 0)


def test_quality_by_output_in_the_order_of_the_run() -> None:
    figure = quality_figure(_run()[1])
    assert figure is not None
    rows, missing, repeated, drifted = figure.data
    assert rows.y == (80, 20)
    assert missing.y == (0.1, 0.1)
    assert repeated.y == (0.2, 0.2)
    assert drifted.y == (None, 1.0)
    assert quality_figure(pipeline_result(step_result())) is None


def test_sixty_nodes_in_a_row_get_a_figure_in_which_each_has_its_place() -> None:
    nodes = [f"step_{n}" for n in range(60)]
    plan = make_plan(*(_planned(node, *nodes[:n][-1:]) for n, node in enumerate(nodes)))
    result = pipeline_result(*map(step_result, nodes))
    assert flow_figure(plan, result).layout.width == 60 * 170 + 140
    assert timeline_figure(result).layout.height > 60 * 25
    alone = pipeline_result(step_result("one"))
    assert flow_figure(make_plan(_planned("one")), alone).layout.width == 640


def test_one_page_has_all_figures_and_opens_without_the_network() -> None:
    page = render_run_page(*_run())
    assert "<script src=" not in page
    assert "<b>prep" not in page
    titles = re.findall(r'"title":\{"text":("[^"]+")', page)
    assert {"Flow", "Timeline", "Memory and CPU", "Quality along the pipeline"} <= {
        json.loads(title) for title in titles
    }
    assert page.count("plotly.js v") == 1
