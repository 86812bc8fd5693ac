"""Builders of results, plans and events for the tests of the writers."""

from __future__ import annotations

import io
from pathlib import Path

from mlvalidate.core.contracts import Access, Kind, Port, Step
from mlvalidate.core.findings import Finding, Severity
from mlvalidate.core.plan import (
    DataSource,
    FileToMake,
    Origin,
    Plan,
    PlannedInput,
    PlannedStep,
    SkipReason,
)
from mlvalidate.core.results import (
    FileSummary,
    PipelineResult,
    PortSummary,
    Status,
    StepResult,
    Usage,
)
from mlvalidate.reporting.console import ReportConsole, make_console

SNAPSHOTS = Path(__file__).parent / "snapshots"


class Tty(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def console(width: int = 80, *, tty: bool = False) -> ReportConsole:
    return make_console(Tty() if tty else io.StringIO(), width=width)


def printed(console: ReportConsole) -> str:
    """What was printed, without blanks at the ends of lines."""
    stream = console.file
    assert isinstance(stream, io.StringIO)
    return "\n".join(line.rstrip() for line in stream.getvalue().split("\n"))


def finding(code: str = "X201", severity: Severity = Severity.ERROR, **fields: object) -> Finding:
    return Finding.model_validate(
        {"code": code, "severity": severity, "message": "the script failed", **fields}
    )


def table_port(name: str, rows: int | None) -> PortSummary:
    file = FileSummary(name=f"{name}.csv", size_bytes=100, digest="d", rows=rows)
    return PortSummary(port=name, path=f"/opt/ml/processing/{name}", files=(file,))


def step_result(node: str = "preprocess", **fields: object) -> StepResult:
    return StepResult.model_validate(
        {
            "node": node,
            "step": node,
            "kind": "processing",
            "entry_point": f"scripts/{node}.py",
            "status": Status.PASSED,
            "started_at": 100.0,
            "finished_at": 101.0,
            "usage": Usage(duration_s=1.24, peak_rss_mb=140),
            "exit_code": 0,
            **fields,
        }
    )


def skipped(node: str, reason: SkipReason, detail: str = "") -> StepResult:
    return step_result(
        node,
        status=Status.SKIPPED,
        skip_reason=reason,
        skip_detail=detail,
        usage=Usage(),
        exit_code=None,
    )


def pipeline_result(*steps: StepResult, **fields: object) -> PipelineResult:
    return PipelineResult.model_validate(
        {
            "run_id": "20250101-000000-abc",
            "kind": "pipeline",
            "name": "churn",
            "project": "churn",
            "status": Status.PASSED,
            "started_at": 100.0,
            "finished_at": 112.3,
            "data_source": DataSource.SYNTHETIC,
            "scenario": "standard",
            "seed": 0,
            "command": "mlvalidate test-pipeline churn",
            "steps": steps,
            **fields,
        }
    )


def failed_result() -> PipelineResult:
    """A run with everything that a report can hold."""
    reproduce = "mlvalidate test-script train -C examples/churn --data sample --seed 7"
    return pipeline_result(
        step_result(
            "preprocess",
            outputs=(table_port("train", 4800), table_port("test", 1200), table_port("x", None)),
            findings=(finding("X230", Severity.INFO, message="read 3 files", step="preprocess"),),
        ),
        step_result(
            "train",
            status=Status.FAILED,
            exit_code=1,
            usage=Usage(duration_s=75.0, peak_rss_mb=1300),
            message="Traceback: no such column",
            findings=(
                finding(
                    "X240",
                    Severity.WARNING,
                    message="the script tried to install packages",
                    step="train",
                    evidence=("pip install xgboost==2.0", "pip install shap"),
                    reproduce=reproduce,
                ),
                finding(
                    "X201",
                    message="the script raised KeyError: 'tenure'\nwhile it was reading the "
                    "training channel, which preprocess wrote a moment before",
                    step="train",
                    location="scripts/train.py:31",
                    reproduce=reproduce,
                ),
                finding(
                    "F301",
                    message="column 'tenure' is missing from train.csv",
                    step="preprocess",
                    observed_in="train",
                    port="train",
                    file="train.csv",
                    column="tenure",
                    hint="did you mean 'tenure_months'?",
                    reproduce="mlvalidate test-script preprocess -C examples/churn",
                ),
            ),
        ),
        skipped("evaluate", SkipReason.UPSTREAM_FAILED, "train"),
        skipped("package", SkipReason.UPSTREAM_SKIPPED, "evaluate"),
        step_result("report", metrics={"auc": 0.83251, "n": 12.0}),
        status=Status.FAILED,
        findings=(finding("G601", message="gate `train.auc >= 0.7` can't be judged"),),
        notes=("steps ran without a sandbox: namespaces are refused here",),
        unrecorded="the server at http://localhost:5000 does not answer",
    )


def planned_step(node: str = "preprocess", **fields: object) -> PlannedStep:
    return PlannedStep.model_validate(
        {
            "node": node,
            "step_name": node,
            "step": Step(script=f"scripts/{node}.py"),
            "inputs": (),
            "python": Path("/usr/bin/python3"),
            "timeout": 600.0,
            "memory": 2 * 10**9,
            "network": Access.DENY,
            "credentials": Access.DENY,
            "env": {},
            **fields,
        }
    )


def plan(*steps: PlannedStep, **fields: object) -> Plan:
    return Plan.model_validate(
        {
            "kind": "pipeline",
            "name": "churn",
            "project": "churn",
            "root": Path("/project"),
            "steps": steps or (planned_step("preprocess"), planned_step("train")),
            "data_source": DataSource.SYNTHETIC,
            "seed": 0,
            "log_limit": 1000,
            "command": "mlvalidate test-pipeline churn",
            **fields,
        }
    )


def full_plan() -> Plan:
    """A plan with everything that a plan can hold."""
    raw = PlannedInput(
        port="raw",
        container_path="/opt/ml/processing/input",
        origin=Origin.SYNTHETIC,
        files=(FileToMake(name="customers.csv", dataset="customers"),),
    )
    channel = PlannedInput(
        port="train",
        container_path="/opt/ml/input/data/train",
        origin=Origin.EDGE,
        producer="preprocess",
        output="train",
        subpath="split",
    )
    first = planned_step(
        "preprocess",
        step_name="prepare",
        step=Step(
            script="scripts/preprocess.py",
            args={"test-ratio": 0.2, "api-token": "tok-123456", "verbose": None},
            outputs={"train": Port(), "test": Port(path="/opt/ml/processing/test")},
        ),
        inputs=(raw,),
        env={"API_TOKEN": "tok-123456", "MODE": "fast"},
    )
    second = planned_step(
        "train",
        step=Step(
            kind=Kind.TRAINING,
            module="jobs.train",
            args=("--note", "two words"),
            hyperparameters={"max_depth": 4, "note": "tok-123456"},
            outputs={"model": Port()},
        ),
        inputs=(channel,),
        network=Access.ALLOW,
        credentials=Access.ALLOW,
    )
    return plan(first, second, rows=500, seed=7, sandbox_refusal="user namespaces are refused")
