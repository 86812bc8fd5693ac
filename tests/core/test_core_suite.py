"""The exit code of all tests together."""

from __future__ import annotations

import pytest

from mlvalidate.core.errors import ExitCode
from mlvalidate.core.plan import DataSource
from mlvalidate.core.results import PipelineResult, Status, StepResult
from mlvalidate.core.suite import LeftOut, SuiteResult

COVERED = LeftOut(name="evaluate", reason="nothing provides model", covered_by=("main",))
UNCOVERED = LeftOut(name="evaluate", reason="nothing provides model")


def run(status: Status) -> PipelineResult:
    step = StepResult(
        node="step",
        step="step",
        kind="processing",
        entry_point="step.py",
        status=status,
        started_at=0.0,
        finished_at=1.0,
    )
    return PipelineResult(
        run_id="r",
        kind="script",
        name="step",
        project="demo",
        status=Status.PASSED if status is Status.SKIPPED else status,
        started_at=0.0,
        finished_at=1.0,
        data_source=DataSource.SYNTHETIC,
        scenario="standard",
        seed=1,
        command="mlvalidate test-script step",
        steps=(step,),
    )


@pytest.mark.parametrize(
    ("statuses", "left_out", "code"),
    [
        ((Status.PASSED, Status.PASSED), (COVERED,), ExitCode.PASSED),
        ((Status.PASSED, Status.SKIPPED), (), ExitCode.PASSED),
        ((Status.PASSED, Status.FAILED), (UNCOVERED,), ExitCode.FAILED),
        ((Status.FAILED, Status.INTERNAL), (), ExitCode.INTERNAL),
        ((Status.INTERNAL, Status.INTERRUPTED), (), ExitCode.INTERRUPTED),
        ((Status.PASSED,), (UNCOVERED,), ExitCode.USAGE),
        ((Status.SKIPPED,), (COVERED,), ExitCode.NOTHING_RAN),
        ((), (), ExitCode.NOTHING_RAN),
    ],
)
def test_exit_code(
    statuses: tuple[Status, ...], left_out: tuple[LeftOut, ...], code: ExitCode
) -> None:
    runs = tuple(map(run, statuses))
    times = {"started_at": 0.0, "finished_at": 2.5}
    result = SuiteResult(project="demo", command="", runs=runs, left_out=left_out, **times)
    assert result.exit_code is code
    assert result.duration_s == 2.5


def test_what_was_not_begun_for_an_interrupt_has_not_passed() -> None:
    result = SuiteResult(
        project="demo",
        command="",
        started_at=0.0,
        finished_at=1.0,
        runs=(run(Status.PASSED),),
        was_interrupted=True,
    )
    assert result.exit_code is ExitCode.INTERRUPTED
