"""Checks that gates compare figures that exist."""

from __future__ import annotations

from mlvalidate.core.contracts import Project, Step
from mlvalidate.core.gates import FINDING_METRICS, STEP_METRICS, Gate
from mlvalidate.core.suggest import did_you_mean, nearest
from mlvalidate.project.report import Report

_COMMON_FIGURES = (*FINDING_METRICS, *STEP_METRICS)


def check_gates(project: Project, report: Report) -> None:
    """Add to ``report`` every gate that can't be read, or whose figure nothing offers."""
    if not project.gates:
        return
    figures = _figures_by_node(project)
    for index, text in enumerate(project.gates):
        try:
            gate = Gate.parse(text)
        except ValueError as error:
            report.add(("gates", index), str(error))
            continue
        problem = None if gate.is_about_run else _problem(gate, figures)
        if problem:
            report.add(("gates", index), *problem)


def _figures_by_node(project: Project) -> dict[str, set[str]]:
    """Return the figures of every name that a gate may start with: the nodes and the steps.

    A node whose step is unknown, which is told elsewhere, has none.
    """
    steps_by_name: dict[str, list[Step]] = {name: [step] for name, step in project.steps.items()}
    for pipeline in project.pipelines.values():
        for node in pipeline.nodes:
            steps = steps_by_name.setdefault(node, [])
            if step := project.steps.get(pipeline.step_of(node)):
                steps.append(step)
    return {
        name: {figure for step in steps for figure in _figures(step)}
        for name, steps in steps_by_name.items()
    }


def _figures(step: Step) -> tuple[str, ...]:
    return (*_COMMON_FIGURES, *(f"rows.{port}" for port in step.outputs), *step.metrics)


def _problem(gate: Gate, figures: dict[str, set[str]]) -> tuple[str, str] | None:
    """Return message and hint for a gate about a node; None when the node offers the figure."""
    node, dot, figure = gate.metric.partition(".")
    if not dot or (node == "findings" and node not in figures):
        return f"a run has no figure {gate.metric!r}", _run_hint(gate.metric, figures)
    if node not in figures:
        return f"there is no node or step {node!r}", did_you_mean(node, figures)
    if figure in figures[node] or not figures[node]:
        return None
    hint = did_you_mean(figure, figures[node])
    return f"{node!r} has no figure {figure!r}", hint or f"it has {_listed(figures[node])}"


def _run_hint(metric: str, figures: dict[str, set[str]]) -> str:
    """Suggest a figure of a node for a name without its node, else one of the run."""
    if metric in figures:
        return f"name a figure of it, such as {metric}.duration_s"
    owners = [f"{node}.{metric}" for node, offered in figures.items() if metric in offered]
    near = owners[0] if owners else nearest(metric, _COMMON_FIGURES)
    return f"did you mean {near!r}?" if near else f"a run has {_listed(_COMMON_FIGURES)}"


def _listed(figures: set[str] | tuple[str, ...]) -> str:
    return ", ".join(repr(figure) for figure in sorted(figures))
