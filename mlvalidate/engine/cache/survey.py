"""Says before a run which of its steps would be reused, and why the others would run."""

from __future__ import annotations

from mlvalidate.core.contracts import Project
from mlvalidate.core.errors import UsageError
from mlvalidate.core.plan import Plan, PlannedStep
from mlvalidate.core.reuse import Part, PlannedReuse, Verdict
from mlvalidate.engine.cache.reuse import Decision, Reuse


def survey(project: Project, plan: Plan, *, sandboxed: bool) -> Plan:
    """Return the plan with what would come of each step; nothing is run, made or changed.

    A step whose producers run may be reused if they write the same again: its verdict is DEPENDS.
    UsageError when nothing is kept of a step that is to be provided.
    """
    reuse = Reuse(project, plan, sandboxed=sandboxed)
    return plan.model_copy(update={"steps": tuple(_look_at(reuse, plan, s) for s in plan.steps)})


def _look_at(reuse: Reuse, plan: Plan, planned: PlannedStep) -> PlannedStep:
    if planned.part is Part.LEFT_OUT or planned.on.not_applicable:
        return planned
    decision = reuse.decide(planned)
    if decision.kept is not None:
        reuse.foresee(planned, decision.kept.entry.result)
    elif planned.part is Part.PROVIDED:
        raise _nothing_kept(plan, planned)
    return planned.model_copy(update={"reuse": _told(decision)})


def _told(decision: Decision) -> PlannedReuse:
    if decision.kept is not None:
        run_id = decision.kept.entry.run_id
        return PlannedReuse(verdict=Verdict.REUSED, run_id=run_id, detail=decision.detail)
    if decision.waits_for:
        return PlannedReuse(verdict=Verdict.DEPENDS, detail=", ".join(decision.waits_for))
    return PlannedReuse(verdict=Verdict.RUNS, reason=decision.reason, detail=decision.detail)


def _nothing_kept(plan: Plan, planned: PlannedStep) -> UsageError:
    consumers = [s.node for s in plan.steps if s.part is Part.RUN and planned.node in s.depends_on]
    words = plan.command.split(" --only ")[0].split(" --from ")[0].split(" --until ")[0]
    return UsageError(
        f"{', '.join(consumers)} needs what {planned.node} writes, and no run of it that passed is "
        "kept",
        f"make it: {words} --until {planned.node}",
    )
