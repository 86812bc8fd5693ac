"""The tasks of one run: its start, its nodes, its end."""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from functools import partial

from mlvalidate.checks.static import unrefuted
from mlvalidate.core.events import (
    ChecksFinished,
    DriftMeasured,
    Event,
    RunFinished,
    RunStarted,
    StepFinished,
)
from mlvalidate.core.findings import Finding
from mlvalidate.core.plan import PlannedStep, SkipReason
from mlvalidate.core.results import Status, StepResult, is_failed
from mlvalidate.core.reuse import Part
from mlvalidate.engine.benchmarking import smaller_failed
from mlvalidate.engine.cache.running import reuse_or_run
from mlvalidate.engine.conclusion import conclude, status_of
from mlvalidate.engine.execution import Run
from mlvalidate.engine.past import PastStep
from mlvalidate.engine.ranking import memory_needed, path_lengths
from mlvalidate.engine.rerun import wanted_variations
from mlvalidate.engine.scheduler import Task
from mlvalidate.engine.static_checks import check_plan

Events = Generator[Event, None, None]


@dataclass
class RunTasks:
    """What is known of a run while its tasks are done, each perhaps in a thread of its own.

    ``results`` has those of the nodes that are done. A node reads only what its producers wrote,
    and they are done when it starts.
    """

    run: Run
    # Whether the run is not even begun once the user has asked to stop.
    may_be_left_out: bool = False
    started: float | None = None
    static: Mapping[str, tuple[Finding, ...]] = field(default_factory=dict)
    results: dict[str, StepResult] = field(default_factory=dict)

    def make(self, number: int, past: Mapping[str, PastStep]) -> list[Task[Event]]:
        """Return the tasks of the run, in an order in which they can be done.

        Runs are begun by their ``number``: those that have begun come to an end before others
        begin, unless a core would be idle. In a run the longest path comes first.
        """
        run_id, plan = self.run.folder.run_id, self.run.plan
        lengths = path_lengths(plan, past)
        names = {planned.node: self.run.task_name(planned.node) for planned in plan.steps}
        begin = f"{run_id} begins"
        nodes = [
            Task(
                name=names[planned.node],
                group=run_id,
                events=partial(self.run_node, planned),
                after=(begin, *(names[producer] for producer in planned.depends_on)),
                priority=(number, -lengths[planned.node]),
                memory=memory_needed(planned, past),
                frees_core=partial(_needs_no_core, planned),
            )
            for planned in plan.steps
        ]
        return [
            Task(name=begin, group=run_id, events=self.begin, priority=(number,)),
            *nodes,
            Task(
                name=f"{run_id} ends",
                group=run_id,
                events=self.end,
                after=(begin, *names.values()),
                priority=(number,),
            ),
        ]

    def begin(self) -> Events:
        """Start the run; its scripts are compared with their contracts first."""
        if self.may_be_left_out and self.run.interrupted():
            return
        self.started = time.time()
        yield RunStarted(at=self.started, run_id=self.run.folder.run_id, plan=self.run.plan)
        found = check_plan(self.run.project, self.run.plan)
        # Nodes that are not selected are not what this run is about.
        self.static = {
            node: findings
            for node, findings in found.items()
            if self.run.plan.step(node).part is Part.RUN
        }

    def run_node(self, planned: PlannedStep) -> Events:
        """Run and judge one node, or say why it does not run."""
        if self.started is None:
            return
        skipped = self._skip(planned)
        if skipped is not None:
            self.results[planned.node] = skipped
            yield ChecksFinished(at=time.time(), result=skipped)
            return
        for event in reuse_or_run(self.run, planned):
            if isinstance(event, ChecksFinished):
                finished = _with_static(event, self.static.get(planned.node, ()))
                self.results[planned.node] = finished.result
                yield finished
            else:
                yield event

    def end(self) -> Events:
        """Compare outputs with their references, judge the run, end it."""
        if self.started is None:
            return
        for samples in self.run.pending:
            samples.result()
        if status_of(self.run, self._in_order()) is not Status.INTERRUPTED:
            for changed in self.run.watch.conclude(self._in_order()):
                self.results[changed.node] = changed
                yield DriftMeasured(at=time.time(), result=changed)
            self.run.reuse.conclude(self._in_order(), self.static)
        else:
            self.run.reuse.close()
        result = conclude(self.run, self._in_order(), self.started)
        yield RunFinished(at=result.finished_at, result=result)

    def _in_order(self) -> tuple[StepResult, ...]:
        """Return the results in the order of the plan, whichever was there first."""
        return tuple(self.results[planned.node] for planned in self.run.plan.steps)

    def _skip(self, planned: PlannedStep) -> StepResult | None:
        """Return the result of a node that must not run, or None."""
        reason: SkipReason | None = None
        detail = ""
        if planned.part is Part.LEFT_OUT:
            reason = SkipReason.NOT_SELECTED
        if planned.on.not_applicable:
            reason, detail = SkipReason.NOT_APPLICABLE, planned.on.not_applicable
        # What stands for a step that is not run needs no producers.
        for producer in planned.depends_on if planned.part is Part.RUN else ():
            status = self.results[producer].status
            if self.results[producer].rejection:
                reason, detail = SkipReason.UPSTREAM_REJECTED, producer
                break
            if status is Status.FAILED:
                reason, detail = SkipReason.UPSTREAM_FAILED, producer
                break
            if status is not Status.PASSED:
                reason, detail = SkipReason.UPSTREAM_SKIPPED, producer
        if failed := smaller_failed(planned, self.results) if planned.rows else "":
            reason, detail = SkipReason.SMALLER_FAILED, failed
        if self.run.interrupted():
            reason, detail = SkipReason.INTERRUPTED, ""
        if reason is None:
            return None
        now = time.time()
        result = StepResult.of(planned, Status.SKIPPED, now, now)
        return result.model_copy(update={"skip_reason": reason, "skip_detail": detail})


def _needs_no_core(planned: PlannedStep, event: Event) -> bool:
    """Tell whether no more code of the user's runs for a node: what follows is to judge it."""
    runs_more = wanted_variations(planned) or any(check.check for check in planned.step.checks)
    return isinstance(event, StepFinished) and not runs_more


def _with_static(event: ChecksFinished, findings: tuple[Finding, ...]) -> ChecksFinished:
    """Put the static findings of a step in front of those of its run."""
    result = event.result
    if result.status is Status.PASSED:
        findings = unrefuted(findings)
    failed = is_failed(findings) and result.status is Status.PASSED
    result = result.model_copy(
        update={
            "findings": (*findings, *result.findings),
            "status": Status.FAILED if failed else result.status,
        }
    )
    return event.model_copy(update={"result": result})
