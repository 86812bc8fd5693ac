"""Results: what a run came to. The single source of terminal, MLflow, JSON and notebook output.

Times are seconds since the epoch, durations are seconds, sizes in ``_mb`` are 10^6 bytes.
"""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from mlvalidate.core.benchmarks import Benchmark
from mlvalidate.core.errors import ExitCode
from mlvalidate.core.findings import Finding, Severity, count_findings
from mlvalidate.core.model import Model
from mlvalidate.core.plan import ColdStart, DataSource, Plan, PlannedStep, RunKind, SkipReason
from mlvalidate.core.quality import Drift, Quality
from mlvalidate.core.related import RelatedIssue
from mlvalidate.core.reuse import RunReason
from mlvalidate.core.scenarios import Expectation

RESULT_VERSION = 1


class Status(StrEnum):
    """The verdict on a step or a run."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"
    INTERRUPTED = "interrupted"
    # mlvalidate itself broke or was killed: says nothing about the user's scripts.
    INTERNAL = "internal"


class CheckOutcome(StrEnum):
    """What a check came to. One that had nothing to look at has not passed: it is skipped."""

    PASSED = "passed"
    # It found nothing worse than a warning or an info.
    WARNED = "warned"
    FAILED = "failed"
    SKIPPED = "skipped"


class CheckResult(Model):
    """What one check of a step came to. ``messages`` are those of its findings.

    ``name`` is what the step declares below `checks:`, else the name of the rule.
    """

    code: str
    name: str
    outcome: CheckOutcome
    # Why it was skipped.
    reason: str = ""
    messages: tuple[str, ...] = ()

    def has(self, finding: Finding) -> bool:
        """Tell whether a finding is this check's."""
        return finding.code == self.code and finding.message in self.messages


class Usage(Model):
    """What the process tree of a step took."""

    duration_s: float = 0.0
    cpu_s: float = 0.0
    peak_rss_mb: float = 0.0
    read_mb: float = 0.0
    written_mb: float = 0.0


class FileSummary(Model):
    """One file of a port. ``rows`` and ``columns`` (name -> type as read) are for tables."""

    name: str
    size_bytes: int
    digest: str
    dataset: str | None = None
    # The columns of its dataset, as the contract has them.
    declared_columns: tuple[str, ...] = ()
    rows: int | None = None
    columns: dict[str, str] | None = None
    # The file with the first rows, relative to the run's folder, without ending.
    sample: str | None = None


class PortSummary(Model):
    """The files of one port after the step. ``path`` is the container path."""

    port: str
    path: str
    files: tuple[FileSummary, ...] = ()
    # Where the content came from, for an input.
    source: str = ""
    # Of an output that holds tables.
    quality: Quality | None = None
    # Of an output whose datasets declare a reference, once the run is over.
    drift: Drift | None = None

    @property
    def figures(self) -> dict[str, float]:
        """Quality and drift by the names that gates know them by."""
        return {
            f"{kind}.{self.port}.{name}": value
            for kind, found in (("quality", self.quality), ("drift", self.drift))
            if found is not None
            for name, value in found.figures.items()
        }

    @property
    def rows(self) -> int | None:
        """Rows over all tables of the port; None when it holds no table."""
        counted = [file.rows for file in self.files if file.rows is not None]
        return sum(counted) if counted else None


class StepResult(Model):
    """What one node came to."""

    version: int = RESULT_VERSION
    node: str
    step: str
    kind: str
    entry_point: str
    status: Status
    skip_reason: SkipReason | None = None
    # What the reason is about, such as the upstream node that failed.
    skip_detail: str = ""
    # Of a measurement: the rows of each synthetic dataset.
    volume: int | None = None
    # The run in which the script ran, when its outputs were reused.
    reused_from: str = ""
    # Why the step was not reused. Of a reused one: what differs from that run, if anything does.
    run_reason: RunReason | None = None
    run_detail: str = ""
    # The case of the data, and what the step had to do with it.
    scenario: str = "standard"
    expectation: Expectation = Expectation.PASS
    # With which words the step rejected data that it need not accept.
    rejection: str = ""
    started_at: float
    finished_at: float
    usage: Usage = Usage()
    # Why the script was started in a new interpreter; None when it was a fork of a ready one, or
    # when it did not start.
    cold: ColdStart | None = None
    exit_code: int | None = None
    signal: str | None = None
    command: str = ""
    args: dict[str, str] = Field(default_factory=dict)
    env: dict[str, str] = Field(default_factory=dict)
    hyperparameters: dict[str, str] = Field(default_factory=dict)
    inputs: tuple[PortSummary, ...] = ()
    outputs: tuple[PortSummary, ...] = ()
    metrics: dict[str, float] = Field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    # The checks that judged the step: all that had something to look at, and those that it
    # declares. Static checks and drift are in the findings only.
    checks: tuple[CheckResult, ...] = ()
    code_hash: str = ""
    contract_hash: str = ""
    data_hash: str = ""
    # Hosts that the script reached for, refused ones as well.
    hosts: tuple[str, ...] = ()
    # Text of /opt/ml/output/failure (training) or /opt/ml/output/message (processing).
    message: str = ""

    @classmethod
    def of(
        cls, planned: PlannedStep, status: Status, started_at: float, finished_at: float
    ) -> StepResult:
        """Return the result of a planned node of which nothing more is known."""
        return cls(
            node=planned.node,
            step=planned.step_name,
            kind=planned.step.kind.value,
            entry_point=planned.step.entry_point,
            status=status,
            volume=planned.rows,
            scenario=planned.on.case.name,
            expectation=planned.on.expectation,
            started_at=started_at,
            finished_at=finished_at,
        )

    @property
    def rows(self) -> dict[str, int]:
        """Rows by output port, for the ports that hold tables."""
        return {port.port: port.rows for port in self.outputs if port.rows is not None}

    @property
    def figures(self) -> dict[str, float]:
        """Every number a gate can name, without the node's name in front."""
        if self.status is Status.SKIPPED:
            return {}
        return {
            **self.usage.model_dump(),
            **{f"findings.{name}": n for name, n in count_findings(self.findings).items()},
            **{f"rows.{port}": rows for port, rows in self.rows.items()},
            **{name: value for port in self.outputs for name, value in port.figures.items()},
            **self.metrics,
        }


class PipelineResult(Model):
    """What one run came to: of a pipeline, of a single step tested alone (kind ``script``), of
    one step on several cases (``matrix``), or on several volumes of data (``benchmark``).
    """

    version: int = RESULT_VERSION
    run_id: str
    kind: RunKind
    name: str
    project: str
    status: Status
    started_at: float
    finished_at: float
    data_source: DataSource
    scenario: str
    seed: int
    rows: int | None = None
    command: str
    steps: tuple[StepResult, ...]
    # What the measurements of a benchmark came to.
    benchmark: Benchmark | None = None
    # Findings about the run as a whole: gates, and faults blamed on no step.
    findings: tuple[Finding, ...] = ()
    # One line each: what a reader has to know about how the run was made.
    notes: tuple[str, ...] = ()
    # What earlier runs know about the errors; nothing until the run is recorded.
    related_issues: tuple[RelatedIssue, ...] = ()
    # Where MLflow shows the run, and how to open it; empty until it is recorded.
    run_url: str = ""
    open_command: str = ""
    # What to type to go on from the first step that has not passed; empty when there is none.
    resume_command: str = ""
    # Why the run is not recorded yet.
    unrecorded: str = ""

    @classmethod
    def of(
        cls, plan: Plan, run_id: str, status: Status, started_at: float, finished_at: float
    ) -> PipelineResult:
        """Return the result of a plan without its steps."""
        return cls(
            run_id=run_id,
            kind=plan.kind,
            name=plan.name,
            project=plan.project,
            status=status,
            started_at=started_at,
            finished_at=finished_at,
            data_source=plan.data_source,
            scenario=plan.scenario,
            seed=plan.seed,
            rows=plan.rows,
            command=plan.command,
            steps=(),
        )

    @property
    def all_findings(self) -> tuple[Finding, ...]:
        """Every finding of the run, the steps' first."""
        return (*(f for step in self.steps for f in step.findings), *self.findings)

    @property
    def duration_s(self) -> float:
        """Wall time of the run in seconds."""
        return self.finished_at - self.started_at

    @property
    def figures(self) -> dict[str, float]:
        """Every number that a gate can name: of the run, and ``<node>.<figure>`` of its steps."""
        ran = [step for step in self.steps if step.status is not Status.SKIPPED]
        return {
            "duration_s": self.duration_s,
            "cpu_s": sum(step.usage.cpu_s for step in ran),
            "peak_rss_mb": max((step.usage.peak_rss_mb for step in ran), default=0.0),
            "read_mb": sum(step.usage.read_mb for step in ran),
            "written_mb": sum(step.usage.written_mb for step in ran),
            **{f"findings.{name}": n for name, n in count_findings(self.all_findings).items()},
            **{f"{step.node}.{name}": x for step in ran for name, x in step.figures.items()},
        }

    @property
    def exit_code(self) -> ExitCode:
        """What the process should return for this result."""
        if self.status is Status.INTERRUPTED:
            return ExitCode.INTERRUPTED
        if self.status is Status.INTERNAL:
            return ExitCode.INTERNAL
        if self.status is Status.FAILED:
            return ExitCode.FAILED
        if all(step.status is Status.SKIPPED for step in self.steps):
            return ExitCode.NOTHING_RAN
        return ExitCode.PASSED


def is_failed(findings: tuple[Finding, ...]) -> bool:
    """Tell whether any finding is an error."""
    return any(finding.severity is Severity.ERROR for finding in findings)
