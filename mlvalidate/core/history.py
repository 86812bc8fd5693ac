"""History: runs as a tracking store holds them, without the artifacts.

Times are seconds since the epoch. Texts are empty where the record says nothing.
"""

from __future__ import annotations

from pydantic import Field

from mlvalidate.core.errors import UsageError
from mlvalidate.core.model import Model
from mlvalidate.core.plan import Plan
from mlvalidate.core.results import Status


class HistoryFigure(Model):
    """A figure of a run that takes recorded runs to know, as gates name it.

    ``value`` is None where nobody can say, and ``reason`` says why; ``detail`` says what a value
    comes from.
    """

    value: float | None = None
    detail: str = ""
    reason: str = ""


class NoHistoryError(UsageError):
    """There is no such run: nothing is recorded yet, or nothing that fits."""


class Scope(Model):
    """Runs that can be compared with each other: of one thing, on data of one kind.

    ``name`` is that of the pipeline, or of the step in any other kind of run.
    """

    project: str
    kind: str
    name: str
    scenario: str = "standard"
    data_source: str = "synthetic"

    @classmethod
    def of(cls, plan: Plan) -> Scope:
        """Return the scope of the run that a plan would make."""
        return cls(
            project=plan.project,
            kind=plan.kind,
            # A step tested alone may be a node of a pipeline, and is recorded as that.
            name=plan.steps[0].node if plan.kind == "script" else plan.name,
            scenario=plan.scenario,
            data_source=plan.data_source.value,
        )

    @property
    def description(self) -> str:
        """A short text for people: ``pipeline churn on synthetic data``."""
        scenario = "" if self.scenario == "standard" else f", scenario {self.scenario}"
        return f"{self.kind} {self.name} on {self.data_source} data{scenario}"


class RunRecord(Model):
    """A run as it is recorded. ``status`` is a `Status`, or ``running``.

    ``tags``, ``params`` and ``metrics`` have all that is recorded, under the names of the layout;
    of a metric the last value.
    """

    mlflow_run_id: str
    run_id: str
    # "pipeline", "script", "matrix", "benchmark"; "step" for a node of one of these.
    kind: str
    # What ran: the pipeline, or the step.
    name: str
    project: str
    status: str
    scenario: str = "standard"
    data_source: str = "synthetic"
    started_at: float
    # None while it runs.
    finished_at: float | None = None
    # As `--rows` was given.
    rows: int | None = None
    seed: int | None = None
    machine: str = ""
    commit: str = ""
    branch: str = ""
    is_dirty: bool = False
    code_hash: str = ""
    contract_hash: str = ""
    data_hash: str = ""
    tags: dict[str, str] = Field(default_factory=dict)
    params: dict[str, str] = Field(default_factory=dict)
    metrics: dict[str, float] = Field(default_factory=dict)

    @property
    def scope(self) -> Scope:
        """The runs that this one can be compared with."""
        return Scope(
            project=self.project,
            kind=self.kind,
            name=self.name,
            scenario=self.scenario,
            data_source=self.data_source,
        )

    @property
    def is_passed(self) -> bool:
        """Tell whether the verdict is that it passed."""
        return self.status == Status.PASSED.value


class StepRecord(RunRecord):
    """A node that ran, in a run of its own below another, or tested alone."""

    node: str
    step: str
    # Of a node of a pipeline.
    pipeline: str = ""
    # "warm" or "cold"; empty when the script did not start.
    start: str = ""
    # The run in which its script ran, when its outputs were reused.
    reused_from: str = ""
