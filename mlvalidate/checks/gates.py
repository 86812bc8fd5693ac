"""G6xx: the gates of the project, applied to a whole run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mlvalidate.checks.base import Rule
from mlvalidate.core.contracts import Project
from mlvalidate.core.findings import Finding, Severity
from mlvalidate.core.gates import Gate
from mlvalidate.core.history import HistoryFigure
from mlvalidate.core.results import PipelineResult, Status


class GateFailed(Rule):
    """A gate of the project file does not hold.

    What to do: look at the figure in the run; if the new value is right, change the gate.
    """

    code = "G601"


class GateWithoutValue(Rule):
    """A gate names a figure that the run did not produce, so it can't hold.

    Gates on steps that were skipped or are not part of the run do not count, nor do those on drift
    that could not be measured (Q404, Q405).

    What to do: check that the step still writes the metric, or change the gate.
    """

    code = "G602"


class GateNotJudged(Rule):
    """Nobody can say whether a gate on history holds: there is too little to compare with.

    No run has passed yet, the tracking store is away, too few comparable runs are recorded, or all
    steps were reused. Comparable are runs on the same machine, on as many rows, in the same
    sandbox, started the same way.

    What to do: run it more often, or choose a baseline with `mlvalidate baseline set`. For time and
    memory `mlvalidate compare --against COMMIT --repeat 10` measures both states of the code here.
    """

    code = "G603"
    severity = Severity.INFO


def judge_history_gates(
    project: Project, result: PipelineResult, figures: Mapping[str, HistoryFigure]
) -> Iterator[Finding]:
    """Yield a finding for each gate on history that does not hold, or that nobody can judge.

    ``figures`` are those of the gates that count for the run, by their names.
    """
    for gate in project.parsed_gates:
        figure = figures.get(gate.figure) if gate.is_about_history else None
        if figure is None:
            continue
        if figure.value is None:
            message = f"gate {gate.text} was not judged: {figure.reason}"
            yield _finding(GateNotJudged, gate, message, result)
        elif not gate.holds(figure.value):
            yield _finding(
                GateFailed,
                gate,
                f"gate {gate.text} does not hold: it is {_shown(gate, figure.value)}, "
                f"{figure.detail}",
                result,
                "`mlvalidate compare` shows what has changed",
            )


def _shown(gate: Gate, value: float) -> str:
    return f"{value:.1%}" if "%" in gate.text else f"{value:g}"


def judge_gates(project: Project, result: PipelineResult) -> Iterator[Finding]:
    """Yield a finding for each gate that the run alone does not satisfy.

    A script test is judged by the gates on that step alone: those on the whole run are meant for
    pipelines, except the ones on findings.
    """
    figures = result.figures
    steps = {step.node: step for step in result.steps}
    for gate in project.parsed_gates:
        if gate.is_implied or gate.is_about_history:
            continue
        if gate.is_about_run:
            # A run that reuses steps is fast for that reason.
            if gate.metric == "duration_s" and any(step.reused_from for step in result.steps):
                continue
            if result.kind == "script" and not gate.metric.startswith("findings."):
                continue
        elif gate.node not in steps or steps[gate.node].status is Status.SKIPPED:
            continue
        value = figures.get(gate.metric)
        # A failed step has not written its metrics: its own finding says more than this would.
        if value is None and (_has_failed(result, gate) or _is_unmeasured(result, gate)):
            continue
        if value is None:
            yield _finding(
                GateWithoutValue,
                gate,
                f"gate {gate.text}: the run has no value for {gate.metric}",
                result,
            )
        elif not gate.holds(value):
            # Rounded, 0.69999999 would read as 0.7 beside `>= 0.7`.
            shown = f"{value!r}" if gate.holds(float(f"{value:g}")) else f"{value:g}"
            yield _finding(
                GateFailed, gate, f"gate {gate.text} does not hold: it is {shown}", result
            )


def _has_failed(result: PipelineResult, gate: Gate) -> bool:
    return any(step.node == gate.node and step.status is not Status.PASSED for step in result.steps)


def _is_unmeasured(result: PipelineResult, gate: Gate) -> bool:
    """Tell whether the gate is on drift of which the run says itself why it is not known."""
    _, _, figure = gate.metric.partition(".")
    return any(
        figure.startswith(f"drift.{port.port}.")
        for step in result.steps
        if step.node == gate.node
        for port in step.outputs
        if port.drift is not None
    )


def _finding(
    rule: type[Rule],
    gate: Gate,
    message: str,
    result: PipelineResult,
    hint: str = "",
) -> Finding:
    return Finding(
        code=rule.code,
        severity=rule.severity,
        message=message,
        step=None if gate.is_about_run else gate.node,
        hint=hint,
        reproduce=result.command,
    )
