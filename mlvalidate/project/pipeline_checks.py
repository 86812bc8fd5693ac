"""Checks the nodes and the edges of a pipeline."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter

from mlvalidate.core.contracts import Edge, Kind, Pipeline, Project
from mlvalidate.core.suggest import did_you_mean
from mlvalidate.project.problems import KeyPath
from mlvalidate.project.report import Report


def check_pipeline(project: Project, name: str, report: Report) -> None:
    """Add to ``report`` what is wrong with the nodes and edges of the pipeline ``name``."""
    pipeline = project.pipelines[name]
    path: KeyPath = ("pipelines", name)
    for node in pipeline.nodes:
        _check_node(project, pipeline, node, path, report)
    edges = []
    for target, source in pipeline.edges.items():
        edge_path = (*path, "edges", target)
        try:
            edge = Edge.parse(target, source)
        except ValueError as error:
            report.add(edge_path, str(error))
            continue
        if _ends_are_known(project, pipeline, edge, edge_path, report):
            edges.append((edge, edge_path))
    _check_cycles(pipeline, edges, report)


def _check_node(
    project: Project, pipeline: Pipeline, node: str, path: KeyPath, report: Report
) -> None:
    step_name = pipeline.step_of(node)
    node_path = (*path, "nodes", node)
    step = project.steps.get(step_name)
    if step is None:
        hint = did_you_mean(step_name, project.steps)
        report.add((*node_path, "step"), f"there is no step {step_name!r}", hint)
    elif pipeline.nodes[node].hyperparameters and step.kind is not Kind.TRAINING:
        message = f"hyperparameters are for steps of kind training, {step_name!r} is not one"
        report.add((*node_path, "hyperparameters"), message)


def _ends_are_known(
    project: Project, pipeline: Pipeline, edge: Edge, path: KeyPath, report: Report
) -> bool:
    ends = (("input", edge.consumer, edge.input), ("output", edge.producer, edge.output))
    problems = [_end_problem(project, pipeline, *end) for end in ends]
    for problem, add in zip(problems, (report.add_at_key, report.add), strict=True):
        if problem:
            add(path, *problem)
    return not any(problems)


def _end_problem(
    project: Project, pipeline: Pipeline, direction: str, node: str, port: str
) -> tuple[str, str] | None:
    """Return message and hint for one end of an edge; None when it exists."""
    if node not in pipeline.nodes:
        return f"the pipeline has no node {node!r}", did_you_mean(node, pipeline.nodes)
    step = project.steps.get(pipeline.step_of(node))
    if step is None:  # told at the node
        return None
    ports = step.inputs if direction == "input" else step.outputs
    if port in ports:
        return None
    hint = did_you_mean(port, ports) or f"the step declares no {direction}s"
    return f"{node!r} has no {direction} {port!r}", hint


def _check_cycles(pipeline: Pipeline, edges: list[tuple[Edge, KeyPath]], report: Report) -> None:
    producers: dict[str, list[str]] = {}
    for edge, _ in edges:
        producers.setdefault(edge.consumer, []).append(edge.producer)
    try:
        TopologicalSorter(producers).prepare()
    except CycleError as error:
        # Where the pipeline names its nodes first, the cycle starts; graphlib starts anywhere.
        cycle: list[str] = error.args[1][1:]
        start = cycle.index(min(cycle, key=list(pipeline.nodes).index))
        cycle = [*cycle[start:], *cycle[: start + 1]]
        closing = (cycle[-1], cycle[-2])
        path = next(path for edge, path in edges if (edge.consumer, edge.producer) == closing)
        report.add_at_key(path, f"the edges form a cycle: {' -> '.join(cycle)}")
