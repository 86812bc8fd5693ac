"""What belongs to all tests of a project together: what they leave out, and what they came to."""

from __future__ import annotations

from collections.abc import Sequence

from mlvalidate.core.contracts import Project
from mlvalidate.core.errors import NothingProvidesError
from mlvalidate.core.results import PipelineResult
from mlvalidate.core.suite import LeftOut, SuitePlan, SuiteResult
from mlvalidate.engine.planning import Choices, spell_command


def left_out(project: Project, step: str, error: NothingProvidesError) -> LeftOut:
    """Return why a step has no test of its own, and which pipelines run it."""
    covered = tuple(
        name
        for name, pipeline in project.pipelines.items()
        if any(pipeline.step_of(node) == step for node in pipeline.nodes)
    )
    hint = "" if covered else error.hint
    return LeftOut(name=step, reason=error.message, hint=hint, covered_by=covered)


def suite_command(project: Project, choices: Choices) -> str:
    """Return what to type to run all tests again."""
    return spell_command(project, ("test-all",), choices)


def suite_result(
    suite: SuitePlan,
    runs: Sequence[PipelineResult | None],
    started_at: float,
    finished_at: float,
) -> SuiteResult:
    """Return the result of a suite; a run that is None was not begun."""
    not_begun = tuple(
        LeftOut(name=plan.name, reason="interrupted before it began")
        for plan, run in zip(suite.plans, runs, strict=True)
        if run is None
    )
    return SuiteResult(
        project=suite.project,
        command=suite.command,
        started_at=started_at,
        finished_at=finished_at,
        runs=tuple(run for run in runs if run is not None),
        left_out=(*suite.left_out, *not_begun),
        was_interrupted=bool(not_begun),
    )
