"""Executes a plan: a generator of events, each written to the journal before it is yielded."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import secrets
import time
from collections.abc import Callable, Iterator
from functools import partial

from mlvalidate.checks.evidence import PortContent
from mlvalidate.checks.gates import judge_gates
from mlvalidate.checks.pipeline import judge_pipeline
from mlvalidate.checks.static import unrefuted
from mlvalidate.core.contracts import Project
from mlvalidate.core.events import (
    ChecksFinished,
    DriftMeasured,
    Event,
    RunFinished,
    RunStarted,
    SampleTaken,
)
from mlvalidate.core.findings import Finding
from mlvalidate.core.plan import DataSource, Origin, Plan, PlannedStep, SkipReason
from mlvalidate.core.results import PipelineResult, Status, StepResult, is_failed
from mlvalidate.core.run_folder import RunFolder, runs_folder
from mlvalidate.core.secrets import Redactor
from mlvalidate.engine.container import Paths
from mlvalidate.engine.drift_watch import NO_BASELINES, Baselines, DriftWatch
from mlvalidate.engine.execution import Run, read_output
from mlvalidate.engine.journal import JournalWriter, unfinished_result, write_result
from mlvalidate.engine.sandbox import Sandboxing
from mlvalidate.engine.scratch import sweep_scratch
from mlvalidate.engine.static_checks import check_plan
from mlvalidate.engine.step import run_step
from mlvalidate.engine.warm_starts import WarmStarts


def new_run_folder(project: Project) -> RunFolder:
    """Return the folder of a new run. Its name sorts by time and is unique."""
    now = dt.datetime.now(dt.UTC)
    run_id = f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
    return RunFolder(runs_folder(project.state_folder) / run_id)


def execute_plan(
    project: Project,
    plan: Plan,
    folder: RunFolder,
    sandboxing: Sandboxing,
    interrupted: Callable[[], bool] = lambda: False,
    baselines: Baselines = NO_BASELINES,
) -> Iterator[Event]:
    """Run the steps of a plan in order and judge them; the last event is `RunFinished`.

    ``baselines`` are what outputs with `reference: baseline` are compared with.

    A step whose producer failed is skipped with that reason; the others go on. When
    ``interrupted`` turns true the running step is ended and the rest is skipped. OSError when the
    journal can't be written, InfrastructureError when a sandbox can't be built.
    """
    sweep_scratch()
    redactor = Redactor.for_environment(os.environ, *plan.settings())
    watch = DriftWatch(project, plan, folder, baselines, interrupted)
    starts = WarmStarts(project, plan.steps)
    run = Run(project, plan, folder, sandboxing, redactor, interrupted, watch, starts)
    with JournalWriter(folder) as journal, watch, starts:
        facts: list[Event] = []
        try:
            for event in _events(run):
                if isinstance(event, SampleTaken):
                    journal.write(event)
                    yield event
                    continue
                safe = redactor.redact_model(event)
                facts.append(safe)
                if isinstance(safe, RunFinished):
                    # Before the event: who sees it finds the file.
                    write_result(folder, safe.result)
                journal.write(safe)
                yield safe
        except BaseException as error:
            _close_broken(journal, facts, error, redactor)
            raise


def _close_broken(
    journal: JournalWriter, facts: list[Event], error: BaseException, redactor: Redactor
) -> None:
    """Close a run that did not get to its end: it must not stay open."""
    if not facts or isinstance(facts[-1], RunFinished):
        return
    # GeneratorExit: the consumer wants no more events.
    stopped = isinstance(error, KeyboardInterrupt | GeneratorExit)
    status = Status.INTERRUPTED if stopped else Status.INTERNAL
    reason = "" if stopped else redactor.redact(f": {type(error).__name__}: {error}")
    result = unfinished_result(facts, status, f"mlvalidate gave up{reason}")
    # A full disk may be the reason; whoever records the run then closes it from its journal.
    with contextlib.suppress(OSError):
        write_result(journal.folder, result)
        journal.write(RunFinished(at=result.finished_at, result=result))


def _events(run: Run) -> Iterator[Event]:
    started = time.time()
    yield RunStarted(at=started, run_id=run.folder.run_id, plan=run.plan)
    static = check_plan(run.project, run.plan)
    results: dict[str, StepResult] = {}
    for planned in run.plan.steps:
        skipped = _skip(run, planned, results)
        if skipped is not None:
            results[planned.node] = skipped
            yield ChecksFinished(at=time.time(), result=skipped)
            continue
        for event in run_step(run, planned):
            if isinstance(event, ChecksFinished):
                finished = _with_static(event, static.get(planned.node, ()))
                results[planned.node] = finished.result
                yield finished
            else:
                yield event
    if _status(run, tuple(results.values())) is not Status.INTERRUPTED:
        for changed in run.watch.conclude(tuple(results.values())):
            results[changed.node] = changed
            yield DriftMeasured(at=time.time(), result=changed)
    result = _conclude(run, tuple(results.values()), started)
    yield RunFinished(at=result.finished_at, result=result)


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


def _skip(run: Run, planned: PlannedStep, results: dict[str, StepResult]) -> StepResult | None:
    """Return the result of a node that must not run, or None."""
    reason: SkipReason | None = None
    detail = ""
    if planned.on.not_applicable:
        reason, detail = SkipReason.NOT_APPLICABLE, planned.on.not_applicable
    for producer in planned.depends_on:
        status = results[producer].status
        if results[producer].rejection:
            reason, detail = SkipReason.UPSTREAM_REJECTED, producer
            break
        if status is Status.FAILED:
            reason, detail = SkipReason.UPSTREAM_FAILED, producer
            break
        if status is not Status.PASSED:
            reason, detail = SkipReason.UPSTREAM_SKIPPED, producer
    if run.interrupted():
        reason, detail = SkipReason.INTERRUPTED, ""
    if reason is None:
        return None
    now = time.time()
    result = StepResult.of(planned, Status.SKIPPED, now, now)
    return result.model_copy(update={"skip_reason": reason, "skip_detail": detail})


def _conclude(run: Run, steps: tuple[StepResult, ...], started: float) -> PipelineResult:
    plan = run.plan
    bare = PipelineResult.of(plan, run.folder.run_id, _status(run, steps), started, time.time())
    result = bare.model_copy(update={"steps": steps, "notes": _notes(plan)})
    if result.status is Status.INTERRUPTED:
        return result
    # In a pipeline gates are about the usual data; in a matrix other nodes have other names.
    unusual = plan.kind == "pipeline" and not plan.steps[0].on.case.is_standard
    findings = () if unusual else tuple(judge_gates(run.project, result))
    if plan.kind == "pipeline":
        pipeline = run.project.pipelines[plan.name]
        findings = (*judge_pipeline(pipeline, result, partial(_read_port, run)), *findings)
    failed = result.status is Status.FAILED or is_failed(findings)
    notes = run.desk.publish(steps, run.watch.reference_of)
    return result.model_copy(
        update={
            "findings": findings,
            "status": Status.FAILED if failed else Status.PASSED,
            "notes": (*result.notes, *notes),
        }
    )


def _read_port(run: Run, node: str, port: str) -> PortContent:
    paths = Paths(run.plan.step(node), run.folder.step(node), run.sandboxing.is_available)
    return read_output(run, paths, port)


def _status(run: Run, steps: tuple[StepResult, ...]) -> Status:
    if run.interrupted() or any(step.status is Status.INTERRUPTED for step in steps):
        return Status.INTERRUPTED
    failed = any(step.status is Status.FAILED for step in steps)
    return Status.FAILED if failed else Status.PASSED


def _notes(plan: Plan) -> tuple[str, ...]:
    notes = list(plan.notes)
    if plan.sandbox_refusal:
        notes.append(
            f"Without a sandbox ({plan.sandbox_refusal}): ports were mapped to folders, the "
            "network was not refused, and writes outside the outputs were not noticed."
        )
    if plan.kind == "pipeline" and not plan.steps[0].on.case.is_standard:
        shaped = sorted({name for step in plan.steps for name in step.on.datasets})
        notes.append(
            f"Scenario {plan.scenario} shapes {', '.join(shaped)}; gates are for standard data "
            "and were not judged."
        )
    generated = [
        f"{step.node}.{item.port}"
        for step in plan.steps
        for item in step.inputs
        if item.origin is Origin.SYNTHETIC
    ]
    if plan.data_source is DataSource.SAMPLE and generated:
        notes.append(f"{', '.join(generated)} has no sample: the data is synthetic.")
    return tuple(notes)
