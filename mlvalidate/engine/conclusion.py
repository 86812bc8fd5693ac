"""What a run came to when its nodes are done: the run's status, its own findings, its notes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial

from mlvalidate.checks.evidence import PortContent
from mlvalidate.checks.gates import judge_gates, judge_history_gates
from mlvalidate.checks.growth import judge_growth
from mlvalidate.checks.pipeline import judge_pipeline
from mlvalidate.core.findings import Finding
from mlvalidate.core.plan import DataSource, Origin, Plan
from mlvalidate.core.results import PipelineResult, Status, StepResult, is_failed
from mlvalidate.engine.benchmarking import conclude_benchmark
from mlvalidate.engine.cache.notes import resume_command, reuse_notes
from mlvalidate.engine.cache.pipelines import judge_once
from mlvalidate.engine.container import Paths
from mlvalidate.engine.execution import Run, read_output
from mlvalidate.engine.profiling import read_profiles


def conclude(run: Run, steps: tuple[StepResult, ...], started: float) -> PipelineResult:
    """Judge a run as a whole and have its reports rendered, unless it was interrupted."""
    plan = run.plan
    bare = PipelineResult.of(plan, run.folder.run_id, status_of(run, steps), started, time.time())
    notes = (*_notes(plan), *reuse_notes(run.project, plan, steps))
    resume = resume_command(plan, steps)
    result = bare.model_copy(update={"steps": steps, "notes": notes, "resume_command": resume})
    if result.status is Status.INTERRUPTED:
        return result
    if plan.kind == "benchmark":
        return _with_growth(run, result)
    # In a pipeline gates are about the usual data; in a matrix other nodes have other names.
    unusual = plan.kind == "pipeline" and not plan.steps[0].on.case.is_standard
    findings = () if unusual else tuple(judge_gates(run.project, result))
    if plan.kind == "pipeline":
        pipeline = run.project.pipelines[plan.name]
        judge = partial(judge_pipeline, pipeline, result, partial(_read_port, run))
        between = judge_once(run.project, plan, steps, run.redactor, judge)
        findings = (*between, *findings)
    if not unusual:
        findings = (*findings, *_judge_history(run, result, findings))
    failed = result.status is Status.FAILED or is_failed(findings)
    reports = run.desk.publish(steps, run.watch.reference_of)
    return result.model_copy(
        update={
            "findings": findings,
            "status": Status.FAILED if failed else Status.PASSED,
            "notes": (*result.notes, *reports),
        }
    )


def _judge_history(
    run: Run, result: PipelineResult, findings: tuple[Finding, ...]
) -> Iterator[Finding]:
    """Yield what gates on history say of a run, of which all else is known."""
    failed = result.status is Status.FAILED or is_failed(findings)
    status = Status.FAILED if failed else Status.PASSED
    whole = result.model_copy(update={"findings": findings, "status": status})
    return judge_history_gates(run.project, whole, run.ask_history(whole))


def _with_growth(run: Run, result: PipelineResult) -> PipelineResult:
    """Return the result of a benchmark. Gates are about the usual data and are not judged."""
    profiles = read_profiles(run, result.steps)
    benchmark = conclude_benchmark(run.plan, result.steps, profiles)
    findings = tuple(judge_growth(benchmark, run.plan.command))
    failed = result.status is Status.FAILED or is_failed(findings)
    return result.model_copy(
        update={
            "benchmark": benchmark,
            "findings": findings,
            "status": Status.FAILED if failed else Status.PASSED,
        }
    )


def _read_port(run: Run, node: str, port: str) -> PortContent:
    paths = Paths(run.plan.step(node), run.folder.step(node), run.sandboxing.is_available)
    return read_output(run, paths, port)


def status_of(run: Run, steps: tuple[StepResult, ...]) -> Status:
    """Return what the steps alone say about the run."""
    if run.interrupted() or any(step.status is Status.INTERRUPTED for step in steps):
        return Status.INTERRUPTED
    failed = any(step.status is Status.FAILED for step in steps)
    return Status.FAILED if failed else Status.PASSED


def _notes(plan: Plan) -> tuple[str, ...]:
    notes = list(plan.notes)
    if plan.sandbox_refusal:
        notes.append(
            f"Without a sandbox ({plan.sandbox_refusal}): ports were mapped to folders, scripts "
            "could read and write what you can, the network was not refused, and writes outside "
            "the outputs were not noticed."
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
