"""Checks that gates compare figures that exist."""

from __future__ import annotations

from collections.abc import Iterator

from mlvalidate.core.contracts import FileKind, Project, Step
from mlvalidate.core.gates import (
    BASELINE_METRICS,
    FINDING_METRICS,
    PASS_RATE,
    STEP_METRICS,
    Gate,
)
from mlvalidate.core.quality import DRIFT_FIGURES, QUALITY_FIGURES
from mlvalidate.core.suggest import did_you_mean, nearest
from mlvalidate.project.report import Report

_COMMON_FIGURES = (*FINDING_METRICS, *STEP_METRICS, *BASELINE_METRICS)
_RUN_FIGURES = (*_COMMON_FIGURES, PASS_RATE)


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
        name: {figure for step in steps for figure in _figures(step, project)}
        for name, steps in steps_by_name.items()
    }


def _figures(step: Step, project: Project) -> Iterator[str]:
    yield from _COMMON_FIGURES
    yield from step.metrics
    for name, port in step.outputs.items():
        yield f"rows.{name}"
        if not port.files or {*port.files.values()} - {FileKind.JSON, FileKind.ARCHIVE}:
            yield from (f"quality.{name}.{figure}" for figure in QUALITY_FIGURES)
        datasets = [project.datasets[d] for d in port.files.values() if d in project.datasets]
        shown = [column for d in datasets if d.column_figures for column in d.columns]
        yield from (f"quality.{name}.null_share.{column}" for column in shown)
        if any(dataset.reference for dataset in datasets):
            yield from (f"drift.{name}.{figure}" for figure in DRIFT_FIGURES)
            yield from (f"drift.{name}.score.{column}" for column in shown)


def _problem(gate: Gate, figures: dict[str, set[str]]) -> tuple[str, str] | None:
    """Return message and hint for a gate about a node; None when the node offers the figure."""
    node, dot, figure = gate.metric.partition(".")
    if not dot or (node in ("findings", "regression") and node not in figures):
        return f"a run has no figure {gate.metric!r}", _run_hint(gate.metric, figures)
    if node not in figures:
        return f"there is no node or step {node!r}", did_you_mean(node, figures)
    if figure in figures[node] or not figures[node]:
        return None
    if figure == PASS_RATE:
        return f"{node!r} has no figure {figure!r}", f"runs have it: write {PASS_RATE}"
    hint = _port_hint(figure, figures[node]) or did_you_mean(figure, figures[node])
    return f"{node!r} has no figure {figure!r}", hint or f"it has {_listed(figures[node])}"


def _port_hint(figure: str, offered: set[str]) -> str:
    """Say what keeps a figure of a port from being there, where the port itself is."""
    kind, _, rest = figure.partition(".")
    port, _, name = rest.partition(".")
    if kind not in ("quality", "drift"):
        return ""
    ports = {name.removeprefix("rows.") for name in offered if name.startswith("rows.")}
    if port not in ports:
        return f"there is no output {port!r}: {did_you_mean(port, ports)}" if ports else ""
    if kind == "drift" and f"drift.{port}.share" not in offered:
        return f"no dataset of the output {port!r} declares a `reference`"
    if name.partition(".")[0] in ("null_share", "score"):
        return "figures of columns need `column_figures: true` in the dataset"
    return ""


def _run_hint(metric: str, figures: dict[str, set[str]]) -> str:
    """Suggest a figure of a node for a name without its node, else one of the run."""
    if metric in figures:
        return f"name a figure of it, such as {metric}.duration_s"
    owners = [f"{node}.{metric}" for node, offered in figures.items() if metric in offered]
    near = owners[0] if owners else nearest(metric, _RUN_FIGURES)
    return f"did you mean {near!r}?" if near else f"a run has {_listed(_RUN_FIGURES)}"


def _listed(figures: set[str] | tuple[str, ...]) -> str:
    return ", ".join(repr(figure) for figure in sorted(figures))
