"""Runs a step, or takes what it came to before."""

from __future__ import annotations

import time
from collections.abc import Iterator

from mlvalidate.core.errors import UsageError
from mlvalidate.core.events import ChecksFinished, Event
from mlvalidate.core.plan import PlannedStep
from mlvalidate.core.results import StepResult
from mlvalidate.core.reuse import Part, RunReason
from mlvalidate.engine.cache.reuse import Decision
from mlvalidate.engine.execution import Run
from mlvalidate.engine.outputs import output_folder, packed_archive
from mlvalidate.engine.step import run_step


def reuse_or_run(run: Run, planned: PlannedStep) -> Iterator[Event]:
    """Yield the events of a step; the last is its `ChecksFinished`, of one that is reused the only.

    Safe to be called for several steps at once, when the producers of each are done.
    """
    decision = run.reuse.decide(planned)
    if decision.kept is not None:
        result = run.reuse.restore(planned, decision)
        if result is not None:
            _remember_outputs(run, planned, result)
            run.reuse.take_note(planned, result)
            yield ChecksFinished(at=time.time(), result=result)
            return
        decision = Decision(reason=RunReason.DAMAGED, detail="what was kept is gone")
    if planned.part is Part.PROVIDED:
        # The plan has looked: somebody has removed it since.
        raise UsageError(f"nothing is kept of {planned.node} any more", "run the whole pipeline")
    for event in run_step(run, planned):
        if isinstance(event, ChecksFinished):
            event = _with_reason(event, decision)  # noqa: PLW2901
            run.reuse.take_note(planned, event.result)
        yield event


def _with_reason(event: ChecksFinished, decision: Decision) -> ChecksFinished:
    reason = {"run_reason": decision.reason, "run_detail": decision.detail}
    return event.model_copy(update={"result": event.result.model_copy(update=reason)})


def _remember_outputs(run: Run, planned: PlannedStep, result: StepResult) -> None:
    """Spare the consumers a look at what is known already."""
    folder = run.folder.step(planned.node)
    for port in result.outputs:
        if packed_archive(folder, planned.step, port.port) is None:
            run.inputs.remember(output_folder(folder, planned.step, port.port), port.files)
