"""F341: the checks that a pipeline declares, on a whole run."""

from __future__ import annotations

from collections.abc import Iterator

from mlvalidate.checks.base import Rule
from mlvalidate.core.contracts import Pipeline
from mlvalidate.core.findings import Finding
from mlvalidate.core.results import PipelineResult, Status


class FiguresDiffer(Rule):
    """Two figures that a pipeline declares `equal` differ by more than the tolerance.

    A model that is judged on one path and used on another shows it here: train/serve skew.

    What to do: find the step that computes its figure in another way, or raise `tolerance`.
    """

    code = "F341"


def judge_pipeline(pipeline: Pipeline, result: PipelineResult) -> Iterator[Finding]:
    """Yield a finding for each pair of figures that should be equal and is not.

    Figures of steps that did not pass don't count: their own findings say more.
    """
    figures = result.figures
    passed = {step.node for step in result.steps if step.status is Status.PASSED}
    for check in pipeline.checks:
        names = check.equal.figures
        nodes = [name.partition(".")[0] for name in names]
        if not passed.issuperset(nodes):
            continue
        lacking = [name for name in names if name not in figures]
        if lacking:
            yield _finding(result, nodes[1], f"equal: the run has no value for {lacking[0]}")
            continue
        first, second = (figures[name] for name in names)
        # Not `>`: NaN is equal to nothing.
        if not abs(first - second) <= check.equal.tolerance:
            yield _finding(
                result,
                nodes[1],
                f"{names[0]} is {first:.6g} and {names[1]} is {second:.6g}: they should be equal "
                f"within {check.equal.tolerance:g}",
            )


def _finding(result: PipelineResult, node: str, message: str) -> Finding:
    return Finding(
        code=FiguresDiffer.code,
        severity=FiguresDiffer.severity,
        message=message,
        step=node,
        hint="one of the steps computes its figure in another way, or on other rows",
        reproduce=result.command,
    )
