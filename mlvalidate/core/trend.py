"""What the last runs of a pipeline or a step came to, over time. Frozen, JSON-serialisable.

Times are seconds since the epoch, values are in the unit of their metric. Points, changes and flips
are in the order of their time.
"""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from mlvalidate.core.model import Model

TREND_VERSION = 1

# What people call them. `rows` stands for those of every output.
METRICS: Mapping[str, str] = {"duration": "duration_s", "memory": "peak_rss_mb", "rows": "rows."}
# They depend on machine, sandbox and start as well as on the scripts.
MEASURED = ("duration_s", "cpu_s", "peak_rss_mb", "read_mb", "written_mb")


class Point(Model):
    """A value of one run."""

    run_id: str
    mlflow_run_id: str
    started_at: float
    value: float
    commit: str = ""
    branch: str = ""
    is_dirty: bool = False


class Change(Model):
    """A step to another level, which is the median of the values up to the next change.

    ``run_id`` and ``commit`` are those of the first run after it, ``run_before`` and
    ``commit_before`` of the last one before.
    """

    run_id: str
    started_at: float
    before: float
    after: float
    commit: str = ""
    run_before: str
    commit_before: str = ""

    @property
    def ratio(self) -> float | None:
        """The share by which the level rose; None from a level of zero."""
        return (self.after - self.before) / abs(self.before) if self.before else None


class Series(Model):
    """One metric over comparable runs; of the run as a whole where ``node`` is empty.

    ``conditions`` say what these runs have in common, ``left_out`` how many others there are, by
    reason.
    """

    node: str = ""
    metric: str
    conditions: dict[str, str] = Field(default_factory=dict)
    points: tuple[Point, ...]
    changes: tuple[Change, ...] = ()
    left_out: dict[str, int] = Field(default_factory=dict)


class Flip(Model):
    """A verdict that changed while code, contract and data were the same. Words of `Status`."""

    run_before: str
    status_before: str
    run_id: str
    status: str
    started_at: float


class Reliability(Model):
    """How often a node, or the run as a whole (``node`` empty), failed where it had a verdict."""

    node: str = ""
    runs: int
    failed: int
    flips: tuple[Flip, ...] = ()

    @property
    def failure_rate(self) -> float:
        """The share of the runs that failed."""
        return self.failed / self.runs if self.runs else 0.0

    @property
    def is_flaky(self) -> bool:
        """Tell whether it passed and failed on the same code, contract and data."""
        return bool(self.flips)


class Recurrence(Model):
    """A fault, by its fingerprint, and how many runs have it; words are those of the newest one."""

    fingerprint: str
    code: str
    severity: str
    # The node to blame; empty for the run as a whole.
    node: str = ""
    message: str
    runs: int
    # The ids of the oldest and the newest run that have it, of those that were read.
    first_run: str
    last_run: str


class Trend(Model):
    """The last runs of a pipeline or a step. ``runs`` is how many there are, of any outcome."""

    version: int = TREND_VERSION
    project: str
    # "pipeline" or "step".
    kind: str
    name: str
    metric: str
    runs: int
    began_at: float
    ended_at: float
    series: tuple[Series, ...]
    reliability: tuple[Reliability, ...]
    # The most frequent first. Only the newest runs that have errors or warnings are read for them:
    # how many there are, and how many were read.
    findings: tuple[Recurrence, ...] = ()
    runs_with_findings: int = 0
    runs_read: int = 0
