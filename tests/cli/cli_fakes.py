"""A stand-in for `mlvalidate.api`, so that the command line is tested without running scripts.

As a program, `python cli_fakes.py NAME ARGUMENTS...` runs the command line in a process of its own;
NAME is a key of `EXECUTIONS`.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import mlvalidate
from mlvalidate.core.contracts import Access, Project
from mlvalidate.core.errors import InfrastructureError, UsageError
from mlvalidate.core.events import ChecksFinished, Event, RunFinished, RunStarted, StepStarted
from mlvalidate.core.findings import Finding, Severity
from mlvalidate.core.plan import DataSource, Plan, PlannedStep, SkipReason
from mlvalidate.core.results import PipelineResult, Status, StepResult, Usage
from mlvalidate.core.run_folder import RunFolder
from mlvalidate.core.suggest import did_you_mean
from mlvalidate.core.suite import LeftOut, SuitePlan, SuiteResult
from mlvalidate.tracking.team_server import TeamServer

PROJECT = {
    "version": 1,
    "project": "churn",
    "steps": {
        "prep": {"script": "prep.py", "outputs": {"out": {}}, "description": "Splits"},
        "train": {"script": "train.py", "inputs": {"data": {}}, "env": {"API_TOKEN": "tok-123456"}},
    },
    "pipelines": {"main": {"nodes": ["prep", "train"], "edges": {"train.data": "prep.out"}}},
}


@dataclass(frozen=True)
class Options:
    data: DataSource = DataSource.SYNTHETIC
    data_dirs: Mapping[str, Path] = field(default_factory=dict)
    rows: int | None = None
    seed: int | None = None
    entry: object = None
    scenarios: tuple[str, ...] = ()
    explore: int | None = None
    reports: object = None
    sandbox: object = None
    cache: bool = True
    force: tuple[str, ...] = ()
    resume: bool = False
    only: tuple[str, ...] = ()
    start: tuple[str, ...] = ()
    until: tuple[str, ...] = ()
    cold: bool = False


@dataclass(frozen=True)
class PendingRun:
    run_id: str
    reason: str


@dataclass(frozen=True)
class SyncReport:
    recorded: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()
    pending: tuple[PendingRun, ...] = ()
    reports: Mapping[str, str] = field(default_factory=dict)


DEFAULTS = Options()
Execution = Callable[[Plan, Callable[[Event], None]], PipelineResult]


class FakeApi(types.ModuleType):
    """Notes its calls; ``execution`` says what a run comes to."""

    Options = Options

    def __init__(self, execution: Execution) -> None:
        super().__init__("mlvalidate.api")
        self.execution = execution
        self.calls: list[tuple[object, ...]] = []
        self.report = SyncReport()

    def open_project(self, directory: Path | None = None) -> Project:
        self.calls.append(("open_project", directory))
        if directory is not None and directory.name == "broken":
            raise UsageError("mlvalidate.yaml:3: steps.x: no such \x1b[31mkey", "write steps:")
        return Project.model_validate(PROJECT).at(Path("/project"))

    def plan_pipeline(
        self, project: Project, pipeline: str | None = None, options: Options = DEFAULTS
    ) -> Plan:
        self.calls.append(("plan_pipeline", pipeline, options))
        if pipeline not in (None, "main"):
            hint = did_you_mean(pipeline, project.pipelines)
            raise UsageError(f"there is no pipeline {pipeline!r}", hint)
        return _plan(project, ("prep", "train"), "pipeline", options)

    def plan_script(self, project: Project, step: str, options: Options = DEFAULTS) -> Plan:
        self.calls.append(("plan_script", step, options))
        if step not in project.steps:
            raise UsageError(f"there is no step {step!r}", did_you_mean(step, project.steps))
        return _plan(project, (step,), "script", options)

    def plan_exploration(
        self,
        project: Project,
        step: str,
        options: Options,
        on_try: Callable[[int, bool], None],
    ) -> Plan:
        self.calls.append(("plan_exploration", step, options))
        for number in range(1, 31):
            on_try(number, number == 7)
        return _plan(project, (step,), "script", options)

    def execute(
        self,
        project: Project,
        plan: Plan,
        on_event: Callable[[Event], None],
        *,
        record: bool,
        jobs: int | None,
    ) -> PipelineResult:
        self.calls.append(("execute", plan.name, record, *([jobs] if jobs else [])))
        return self.execution(plan, on_event)

    def plan_all(self, project: Project, options: Options = DEFAULTS) -> SuitePlan:
        self.calls.append(("plan_all", options))
        plans = (
            _plan(project, ("prep", "train"), "pipeline", options),
            _plan(project, ("prep",), "script", options),
        )
        left_out = LeftOut(name="train", reason="nothing provides data", covered_by=("main",))
        return SuitePlan(
            project="churn", plans=plans, left_out=(left_out,), command="mlvalidate test-all"
        )

    def execute_all(
        self,
        project: Project,
        suite: SuitePlan,
        on_event: Callable[[str, Event], None],
        *,
        record: bool,
        jobs: int | None,
    ) -> SuiteResult:
        self.calls.append(("execute_all", record, jobs))
        runs = tuple(
            self.execution(plan, partial(on_event, f"{number}"))
            for number, plan in enumerate(suite.plans)
        )
        return SuiteResult(
            project="churn",
            command=suite.command,
            started_at=0.0,
            finished_at=1.0,
            runs=runs,
            left_out=suite.left_out,
        )

    def foresee(self, project: Project, plan: Plan) -> Plan:
        return plan

    def run_folder(self, project: Project, result: PipelineResult) -> RunFolder:
        return RunFolder(project.state_folder / "runs" / result.run_id)

    def sync(self, project: Project) -> SyncReport:
        self.calls.append(("sync",))
        return self.report

    def run_server(self, team: TeamServer, say: Callable[[str], None]) -> None:
        self.calls.append(("run_server", team))
        say("MLflow at http://127.0.0.1:5000")

    def open_ui(self, project: Project, host: str, port: int, say: Callable[[str], None]) -> None:
        self.calls.append(("open_ui", host, port))

    def json_schema(self) -> dict[str, object]:
        return {"title": "mlvalidate.yaml ü"}


def _plan(project: Project, nodes: tuple[str, ...], kind: str, options: Options) -> Plan:
    steps = tuple(
        PlannedStep(
            node=node,
            step_name=node,
            step=project.steps[node],
            inputs=(),
            python=Path("/usr/bin/python3"),
            timeout=60,
            memory=10**9,
            network=Access.DENY,
            credentials=Access.DENY,
            env=project.steps[node].env,
        )
        for node in nodes
    )
    return Plan.model_validate(
        {
            "kind": kind,
            "name": "main" if kind == "pipeline" else nodes[0],
            "project": "churn",
            "root": Path("/project"),
            "steps": steps,
            "data_source": options.data,
            "seed": options.seed or 0,
            "rows": options.rows,
            "log_limit": 1000,
            "command": "mlvalidate test-pipeline main",
        }
    )


def run(status: Status, *, tell: bool = True, **fields: object) -> Execution:
    """Return an execution in which every step ends with ``status``."""

    def execute(plan: Plan, on_event: Callable[[Event], None]) -> PipelineResult:
        tell_now = on_event if tell else lambda event: None
        tell_now(RunStarted(at=0, run_id="r1", plan=plan))
        steps = []
        for planned in plan.steps:
            tell_now(StepStarted(at=0, node=planned.node))
            steps.append(_step(planned.node, status))
            tell_now(ChecksFinished(at=1, result=steps[-1]))
        result = PipelineResult.model_validate(
            {
                "run_id": "r1",
                "kind": plan.kind,
                "name": plan.name,
                "project": plan.project,
                "status": Status.PASSED if status is Status.SKIPPED else status,
                "started_at": 0,
                "finished_at": 2,
                "data_source": plan.data_source,
                "scenario": plan.scenario,
                "seed": plan.seed,
                "command": plan.command,
                "steps": tuple(steps),
                "unrecorded": "the server is away",
                **fields,
            }
        )
        tell_now(RunFinished(at=2, result=result))
        return result

    return execute


def _step(node: str, status: Status) -> StepResult:
    finding = Finding(code="X201", severity=Severity.ERROR, message=f"{node} broke", step=node)
    return StepResult(
        node=node,
        step=node,
        kind="processing",
        entry_point=f"{node}.py",
        status=status,
        skip_reason=SkipReason.INTERRUPTED if status is Status.SKIPPED else None,
        started_at=0,
        finished_at=1,
        usage=Usage(duration_s=1, peak_rss_mb=100),
        findings=(finding,) if status is Status.FAILED else (),
    )


def failing(error: BaseException) -> Execution:
    """Return an execution that raises."""

    def execute(plan: Plan, on_event: Callable[[Event], None]) -> PipelineResult:
        raise error

    return execute


def interrupted_by_signal(plan: Plan, on_event: Callable[[Event], None]) -> PipelineResult:
    os.kill(os.getpid(), signal.SIGINT)
    raise AssertionError("the signal was ignored")


EXECUTIONS: dict[str, Execution] = {
    "passed": run(Status.PASSED),
    "failed": run(Status.FAILED),
    "skipped": run(Status.SKIPPED),
    "interrupted": run(Status.INTERRUPTED),
    "internal": run(Status.INTERNAL),
    "bug": failing(ZeroDivisionError("division\nby zero")),
    "refused": failing(InfrastructureError("no namespaces", "sysctl -w x=1")),
    "full": failing(OSError(errno.ENOSPC, "No space left on device", "/x/journal.jsonl")),
    "readonly": failing(OSError(errno.EROFS, "Read-only file system", "/x")),
    "odd": failing(OSError(errno.EBADF, "Bad file descriptor")),
    "sigint": interrupted_by_signal,
}


def install(api: FakeApi) -> FakeApi:
    """Put the stand-in where `from mlvalidate import api` finds it; for a process of its own."""
    sys.modules["mlvalidate.api"] = api
    mlvalidate.api = api
    return api


if __name__ == "__main__":
    install(FakeApi(EXECUTIONS[sys.argv.pop(1)]))
    from mlvalidate.cli import main

    main()
