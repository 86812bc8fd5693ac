"""What a reader of a result has to know about the steps of it that did not run."""

from __future__ import annotations

from collections.abc import Sequence

from mlvalidate.core.contracts import Project, Reports
from mlvalidate.core.plan import Plan
from mlvalidate.core.results import Status, StepResult


def reuse_notes(project: Project, plan: Plan, steps: Sequence[StepResult]) -> tuple[str, ...]:
    """Return the notes on reused steps, none where there is no such step."""
    reused = [step for step in steps if step.reused_from]
    if not reused:
        return ()
    ran = [step for step in steps if not step.reused_from and step.status is not Status.SKIPPED]
    runs = ", ".join(dict.fromkeys(step.reused_from for step in reused))
    what = f"{len(reused)} of {len(steps)} steps were reused" if ran else "No step ran: all reused"
    notes = [f"{what}, from run {runs}. Their time and memory are those of that run."]
    notes += [
        f"{step.node} is that of run {step.reused_from}; since then: {step.run_detail}."
        for step in reused
        if step.run_detail
    ]
    if plan.kind == "pipeline" and any(g.metric == "duration_s" for g in project.parsed_gates):
        notes.append("The gate on the duration of the run was not judged: steps were reused.")
    has_tables = any(f.rows is not None for s in reused for p in s.outputs for f in p.files)
    if has_tables and plan.rendered is not Reports.NONE:
        notes.append("Reports on reused steps are with the runs that they come from.")
    return tuple(notes)


def resume_command(plan: Plan, steps: Sequence[StepResult]) -> str:
    """Return what to type to go on from the first step that has not passed; else ''."""
    has_passed = any(step.status is Status.PASSED for step in steps)
    is_open = any(step.status in (Status.FAILED, Status.INTERRUPTED) for step in steps)
    return f"{plan.command} --resume" if plan.kind == "pipeline" and has_passed and is_open else ""
