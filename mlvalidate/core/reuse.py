"""Reuse of what a step came to before: which steps may be reused, and why one runs all the same."""

from __future__ import annotations

from enum import StrEnum

from mlvalidate.core.model import Model


class RunReason(StrEnum):
    """Why a step runs although its outputs might have been kept."""

    NEW = "new"
    CODE = "code"
    ARGUMENTS = "arguments"
    HYPERPARAMETERS = "hyperparameters"
    ENVIRONMENT = "environment"
    CONTRACT = "contract"
    INPUT = "input"
    INTERPRETER = "interpreter"
    PACKAGES = "packages"
    MACHINE = "machine"
    MLVALIDATE = "mlvalidate"
    FORCED = "forced"
    CACHE_OFF = "cache-off"
    NETWORK = "network"
    CREDENTIALS = "credentials"
    GRANTS = "grants"
    BASELINE = "baseline"
    REPORTS = "reports"
    DAMAGED = "damaged"
    UNKNOWN = "unknown"


class Part(StrEnum):
    """What a node has to do in a run of some of the nodes of its pipeline."""

    RUN = "run"
    # Its outputs are those of an earlier run, for the nodes that run.
    PROVIDED = "provided"
    LEFT_OUT = "left-out"


class Verdict(StrEnum):
    """Whether a node of a plan would run."""

    REUSED = "reused"
    RUNS = "runs"
    # On whether a producer writes the same as before.
    DEPENDS = "depends"


class PlannedReuse(Model):
    """What would come of a node: ``run_id`` is the run that its outputs are of."""

    verdict: Verdict
    run_id: str = ""
    reason: RunReason | None = None
    # In words: why it runs, or of which producers it depends.
    detail: str = ""


class ReusePolicy(Model):
    """What a run may take from earlier ones."""

    # False: nothing is taken from the cache, and nothing put into it.
    cache: bool = True
    # Nodes that run in any case.
    force: tuple[str, ...] = ()
    # The run whose passed steps are taken, cache or not; '' for none.
    resume: str = ""


class CachedStep(Model):
    """A step that is kept in the cache. Times are seconds since the epoch.

    ``run_id`` is the run in which its script ran; ``name`` is that of the pipeline or step which
    that run was of.
    """

    node: str
    run_id: str
    name: str
    kept_at: float
    used_at: float
    size_bytes: int


class Pruned(Model):
    """What was removed from the cache, and what is left of it."""

    removed: int
    removed_bytes: int
    left: int
    left_bytes: int
