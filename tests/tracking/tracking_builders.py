"""Journals and results of runs that never ran, for the tests of the record."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from mlvalidate.core.contracts import Access, Project, Step
from mlvalidate.core.events import (
    ChecksFinished,
    Event,
    RunFinished,
    RunStarted,
    SampleTaken,
    StepFinished,
    StepStarted,
)
from mlvalidate.core.findings import Finding, Severity
from mlvalidate.core.plan import DataSource, Plan, PlannedStep, SkipReason
from mlvalidate.core.results import (
    FileSummary,
    PipelineResult,
    PortSummary,
    Status,
    StepResult,
    Usage,
)
from mlvalidate.core.run_folder import RunFolder
from mlvalidate.engine.journal import JournalWriter
from mlvalidate.tracking.launch import RecorderProcess, SharedRecorder
from mlvalidate.tracking.store import Store, resolve_store

START = 1_760_000_000.0
RUN_ID = "20251009-085320-ab12"
NODES = ("preprocess", "train", "evaluate")


def make_project(root: Path, database: Path) -> tuple[Project, Store]:
    """Return a project whose default store is a copy of a database, and that store."""
    declared = {"version": 1, "project": "shop", "steps": {"train": {"script": "train.py"}}}
    project = Project.model_validate(declared).at(root)
    project.state_folder.mkdir(parents=True)
    (project.state_folder / "mlflow.db").write_bytes(database.read_bytes())
    return project, resolve_store(project, {})


def make_plan(root: Path, nodes: tuple[str, ...] = NODES, kind: str = "pipeline") -> Plan:
    return Plan(
        kind=kind,
        name="churn" if kind == "pipeline" else nodes[0],
        project="shop",
        root=root,
        steps=tuple(_planned(node) for node in nodes),
        data_source=DataSource.SYNTHETIC,
        seed=7,
        rows=500,
        log_limit=10**6,
        command="mlvalidate test-pipeline churn",
    )


def _planned(node: str) -> PlannedStep:
    return PlannedStep(
        node=node,
        step_name=node,
        step=Step(script=f"scripts/{node}.py"),
        inputs=(),
        python=Path("/usr/bin/python3"),
        timeout=60,
        memory=10**9,
        network=Access.DENY,
        credentials=Access.DENY,
        env={},
    )


def make_step(number: int, node: str, status: Status = Status.PASSED, **changes: object):
    begun = START + 1 + 10 * number
    findings = (
        (
            Finding(
                code="X201",
                severity=Severity.ERROR,
                message="exit code 1 | <b>bold</b>",
                step=node,
                hint="Look at `stderr`.",
                location="scripts/train.py:12",
            ),
        )
        if status is Status.FAILED
        else ()
    )
    values: dict[str, object] = {
        "node": node,
        "step": node,
        "kind": "processing",
        "entry_point": f"scripts/{node}.py",
        "status": status,
        "started_at": begun,
        "finished_at": begun + 4,
        "usage": Usage(
            duration_s=4.0, cpu_s=3.5, peak_rss_mb=120.0 + number, read_mb=1.0, written_mb=2.0
        ),
        "exit_code": 0 if status is Status.PASSED else 1,
        "args": {"test-ratio": "0.2", "naïve name?": "x" * 7000},
        "env": {"MODE": "fast", "TOKEN": "***"},
        "hyperparameters": {"max_depth": "4"},
        "inputs": (_port("raw", f"digest-of-input-{number}"),),
        "outputs": (_port("train", f"digest-of-output-{number}"),),
        "metrics": {"auc": 0.75, "odd metric!": 1.5},
        "findings": findings,
        "code_hash": f"code{number}",
        "contract_hash": f"contract{number}",
        "data_hash": f"data{number}",
    }
    return StepResult.model_validate({**values, **changes})


def _port(name: str, digest: str) -> PortSummary:
    table = FileSummary(
        name=f"{name}.csv",
        size_bytes=1000,
        digest=digest,
        dataset="features",
        rows=400,
        columns={"customer_id": "str", "tenure": "int64", "charges": "float64"},
    )
    blob = FileSummary(name="notes.txt", size_bytes=10, digest="feed")
    return PortSummary(port=name, path=f"/opt/ml/processing/{name}", files=(table, blob))


def make_skipped(node: str) -> StepResult:
    return StepResult(
        node=node,
        step=node,
        kind="processing",
        entry_point=f"scripts/{node}.py",
        status=Status.SKIPPED,
        skip_reason=SkipReason.UPSTREAM_FAILED,
        skip_detail="train",
        started_at=START + 30,
        finished_at=START + 30,
    )


def make_result(plan: Plan, steps: list[StepResult], run_id: str = RUN_ID) -> PipelineResult:
    failed = any(step.status is Status.FAILED for step in steps)
    return PipelineResult(
        run_id=run_id,
        kind=plan.kind,
        name=plan.name,
        project=plan.project,
        status=Status.FAILED if failed else Status.PASSED,
        started_at=START,
        finished_at=max(step.finished_at for step in steps) + 1,
        data_source=plan.data_source,
        scenario=plan.scenario,
        seed=plan.seed,
        rows=plan.rows,
        command=plan.command,
        steps=tuple(steps),
        findings=(Finding(code="G601", severity=Severity.WARNING, message="gate is close"),),
    )


def events_of(plan: Plan, steps: list[StepResult], run_id: str = RUN_ID, samples: int = 5):
    """Return all events of a run, in the order in which the engine tells them."""
    events: list[Event] = [RunStarted(at=START, run_id=run_id, plan=plan)]
    for step in steps:
        if step.status is not Status.SKIPPED:
            events.append(StepStarted(at=step.started_at, node=step.node))
            events += [
                SampleTaken(
                    at=step.started_at + 0.1 * (n + 1),
                    node=step.node,
                    rss_mb=50 + n,
                    cpu_s=0.1 * n,
                    processes=1,
                )
                for n in range(samples)
            ]
            events.append(
                StepFinished(
                    at=step.finished_at, node=step.node, exit_code=step.exit_code, signal=None
                )
            )
        events.append(ChecksFinished(at=step.finished_at, result=step))
    result = make_result(plan, steps, run_id)
    return [*events, RunFinished(at=result.finished_at, result=result)]


def make_folder(state: Path, run_id: str = RUN_ID) -> RunFolder:
    return RunFolder(state / "runs" / run_id)


def write_journal(folder: RunFolder, events: list[Event]) -> None:
    with JournalWriter(folder) as journal:
        for event in events:
            journal.write(event)


def write_files(folder: RunFolder, nodes: tuple[str, ...] = NODES) -> None:
    """Write the logs and samples that the engine would have left."""
    frame = pd.DataFrame({"customer_id": ["a", "b"], "tenure": [1, 2]})
    for node in nodes:
        step = folder.step(node)
        step.logs.mkdir(parents=True)
        step.stdout.write_text(f"hello from {node}\n")
        step.stderr.write_text("")
        (step.samples / "train").mkdir(parents=True)
        sample = step.samples / "train" / "train#1.csv"
        frame.to_parquet(f"{sample}.parquet")
        Path(f"{sample}.json").write_text(
            json.dumps({"columns": list(frame), "data": frame.values.tolist()})
        )


def failed_pipeline(root: Path, state: Path, run_id: str = RUN_ID) -> RunFolder:
    """Write a whole run: preprocess passed, train failed, evaluate was skipped."""
    folder = make_folder(state, run_id)
    steps = [
        make_step(0, "preprocess"),
        make_step(1, "train", Status.FAILED),
        make_skipped("evaluate"),
    ]
    write_journal(folder, events_of(make_plan(root), steps, run_id))
    write_files(folder, NODES[:2])
    return folder


def start_recorder(folder: RunFolder, store: Store, ui_command: str = "") -> RecorderProcess:
    """Start a recorder for one run."""
    recorder = SharedRecorder(store, ui_command)
    process = recorder.record(folder)
    recorder.close()
    return process
