"""Recorded runs that never ran, for the tests of the read side."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tracking_builders import START, events_of, make_folder, make_plan, make_step, write_journal

from mlvalidate.core.contracts import Project
from mlvalidate.core.events import RunFinished, RunStarted
from mlvalidate.core.results import Status, StepResult, Usage
from mlvalidate.tracking import layout
from mlvalidate.tracking.context import minimal_context
from mlvalidate.tracking.gateway import Gateway
from mlvalidate.tracking.recording import RunRecorder

MACHINE = "linux-x86_64-2cpu-8gib"


def run_id_of(number: int) -> str:
    """Return the id of the run with a number: runs begin an hour apart."""
    return f"20251009-{number:02d}5320-ab{number:04d}"


def make_steps(
    nodes: tuple[str, ...], seconds: float, status: Status, **changes: Any
) -> list[StepResult]:
    usage = Usage(duration_s=seconds, cpu_s=seconds, peak_rss_mb=100.0)
    made = [
        make_step(place, node, Status.PASSED, **{"usage": usage, "args": {}, **changes})
        for place, node in enumerate(nodes)
    ]
    return [*made[:-1], made[-1].model_copy(update={"status": status})]


def record_run(
    gateway: Gateway,
    project: Project,
    number: int,
    *,
    kind: str = "pipeline",
    nodes: tuple[str, ...] = ("prepare", "train"),
    status: Status = Status.PASSED,
    seconds: float = 4.0,
    tags: dict[str, str] | None = None,
    plan_changes: dict[str, Any] | None = None,
    ended: bool = True,
    **changes: Any,
) -> str:
    """Record a run and return its id; ``changes`` are those of its steps."""
    run_id = run_id_of(number)
    plan = make_plan(Path("/project"), nodes, kind).model_copy(update=plan_changes or {})
    shift = 3600.0 * number
    steps = [
        step.model_copy(
            update={
                "started_at": step.started_at + shift,
                "finished_at": step.finished_at + shift,
            }
        )
        for step in make_steps(nodes, seconds, status, **changes)
    ]
    events = events_of(plan, steps, run_id, samples=0)
    events[0] = RunStarted(at=START + shift, run_id=run_id, plan=plan)
    assert isinstance(events[-1], RunFinished)
    verdict = events[-1].result.model_copy(update={"status": status, "started_at": START + shift})
    events[-1] = RunFinished(at=START + shift, result=verdict)
    folder = make_folder(project.state_folder, run_id)
    write_journal(folder, events)
    context = {**minimal_context(), layout.MACHINE: MACHINE, **(tags or {})}
    RunRecorder(folder, gateway, context).record(events if ended else events[:1])
    return run_id
