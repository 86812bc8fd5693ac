"""What has changed between two runs. Frozen, JSON-serialisable.

``before`` is the baseline, ``after`` the run that is compared with it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import Field

from mlvalidate.core.findings import Finding, Severity
from mlvalidate.core.model import Model
from mlvalidate.core.quality import ColumnDrift

COMPARISON_VERSION = 1

# Of times the first two, of memory the next two.
FigureVerdict = Literal["slower", "faster", "more", "less", "cannot say"]


class FailOn(StrEnum):
    """A sort of change that a comparison can be told to fail on."""

    # A step passed before and does not now, or is not there any more.
    STATUS = "status"
    # A new finding that is an error or a warning.
    NEW_FINDINGS = "new-findings"
    SLOWER = "slower"
    MEMORY = "memory"
    ROWS = "rows"
    METRICS = "metrics"
    SCHEMA = "schema"
    DRIFT = "drift"


class ComparedRun(Model):
    """One of the two runs. ``status`` is a word of `Status`."""

    run_id: str
    name: str
    kind: str
    status: str
    started_at: float
    commit: str = ""
    branch: str = ""
    is_dirty: bool = False
    # Both empty where it is not recorded.
    mlflow_run_id: str = ""
    url: str = ""


class Difference(Model):
    """A thing that has two values; empty where it is not there."""

    name: str
    before: str = ""
    after: str = ""


class FigureChange(Model):
    """A number that has changed; None where it is not there."""

    name: str
    before: float | None = None
    after: float | None = None


class Timing(Model):
    """A figure of a step (`duration_s` in seconds, `peak_rss_mb`) in both samples, and the verdict.

    ``before`` and ``after`` are medians, ``ratio`` the shift between the samples with its bounds
    (99 %; None with too few values). ``reason`` says why there is no verdict.
    """

    figure: str
    verdict: FigureVerdict
    before: float
    after: float
    ratio: float
    low: float | None = None
    high: float | None = None
    values_before: tuple[float, ...] = ()
    values_after: tuple[float, ...] = ()
    reason: str = ""


class Pool(Model):
    """The runs whose timings of a step were compared, and how many were left out, by reason."""

    runs_before: tuple[str, ...] = ()
    runs_after: tuple[str, ...] = ()
    left_out: dict[str, int] = Field(default_factory=dict)


class ColumnChange(Model):
    """A column of a table that is new, gone, or of another type."""

    change: Literal["added", "removed", "retyped"]
    column: str
    before: str = ""
    after: str = ""


class TableChange(Model):
    """A file of an output that has changed. ``change`` of the file itself, then its columns.

    ``drift`` has the columns of the kept samples that were compared, ``drift_problem`` says why
    none were.
    """

    port: str
    file: str
    change: Literal["added", "removed", "changed"] = "changed"
    columns: tuple[ColumnChange, ...] = ()
    drift: tuple[ColumnDrift, ...] = ()
    drift_problem: str = ""

    @property
    def is_schema_change(self) -> bool:
        """Tell whether file or columns are others than before, not only what they hold."""
        return self.change != "changed" or bool(self.columns)

    @property
    def drifted(self) -> tuple[ColumnDrift, ...]:
        """The columns whose values are distributed otherwise."""
        return tuple(column for column in self.drift if column.has_drifted)


class StepComparison(Model):
    """One node in both runs; a status is empty where the node is not in the run."""

    node: str
    status_before: str = ""
    status_after: str = ""
    # Why there is nothing to say about its time: it was reused, or did not pass.
    untimed: str = ""
    timings: tuple[Timing, ...] = ()
    pool: Pool = Pool()
    rows: tuple[FigureChange, ...] = ()
    metrics: tuple[FigureChange, ...] = ()
    new_findings: tuple[Finding, ...] = ()
    fixed_findings: tuple[Finding, ...] = ()
    tables: tuple[TableChange, ...] = ()
    # "code", "contract" and "data": hashes that differ.
    changed: tuple[str, ...] = ()
    # Arguments, variables and hyperparameters that differ.
    settings: tuple[Difference, ...] = ()

    def timing(self, figure: str) -> Timing | None:
        """Return what is known of a figure."""
        return next((timing for timing in self.timings if timing.figure == figure), None)

    @property
    def has_worse_status(self) -> bool:
        """Tell whether it passed before, and does not any more."""
        return self.status_before == "passed" and self.status_after != "passed"

    def fails(self, sort: FailOn) -> bool:
        """Tell whether this step has a change of a sort."""
        verdicts = {timing.verdict for timing in self.timings}
        return {
            FailOn.STATUS: self.has_worse_status,
            FailOn.NEW_FINDINGS: has_faults(self.new_findings),
            FailOn.SLOWER: "slower" in verdicts,
            FailOn.MEMORY: "more" in verdicts,
            FailOn.ROWS: bool(self.rows),
            FailOn.METRICS: bool(self.metrics),
            FailOn.SCHEMA: any(table.is_schema_change for table in self.tables),
            FailOn.DRIFT: any(table.drifted for table in self.tables),
        }[sort]

    @property
    def has_changed(self) -> bool:
        """Tell whether there is anything to say about it but timings without a verdict."""
        said = self.changed or self.settings or self.fixed_findings or self.new_findings
        moved = self.status_before != self.status_after or bool(said)
        return moved or any(self.fails(sort) for sort in FailOn) or self.is_better

    @property
    def is_better(self) -> bool:
        """Tell whether it takes less time or memory, for certain."""
        return any(timing.verdict in ("faster", "less") for timing in self.timings)


class Comparison(Model):
    """Two runs, step by step. ``baselines`` are the ids of all runs that the reference names."""

    version: int = COMPARISON_VERSION
    before: ComparedRun
    after: ComparedRun
    reference: str
    baselines: tuple[str, ...]
    steps: tuple[StepComparison, ...]
    # About the runs as wholes: gates, and faults blamed on no step.
    new_findings: tuple[Finding, ...] = ()
    fixed_findings: tuple[Finding, ...] = ()
    # Machine, version of mlvalidate, sandbox, seed, rows, commit.
    environment: tuple[Difference, ...] = ()
    # `commit..commit`, and the first lines of the commits between, the newest first.
    git_range: str = ""
    commits: tuple[str, ...] = ()
    # One line each: what a reader has to know about how the comparison was made.
    notes: tuple[str, ...] = ()

    def failures(self, sorts: tuple[FailOn, ...]) -> dict[FailOn, tuple[str, ...]]:
        """Return by sort of change the steps that have one; `run` stands for the run itself."""
        found = {
            sort: tuple(step.node for step in self.steps if step.fails(sort)) for sort in sorts
        }
        if FailOn.NEW_FINDINGS in found and has_faults(self.new_findings):
            found[FailOn.NEW_FINDINGS] += ("run",)
        return {sort: nodes for sort, nodes in found.items() if nodes}


def has_faults(findings: tuple[Finding, ...]) -> bool:
    """Tell whether any finding is more than an info."""
    return any(finding.severity is not Severity.INFO for finding in findings)
