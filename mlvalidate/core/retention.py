"""What may be thrown away of old runs, and what was."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from mlvalidate.core.model import Model


class Sort(StrEnum):
    """What is thrown away of a run."""

    # Inputs, outputs and samples in its folder; journal, logs and result stay.
    DATA = "data"
    # Its whole folder.
    JOURNALS = "journals"
    # Its runs in MLflow.
    RUNS = "runs"


class Retention(Model):
    """What is kept: the ``keep`` newest runs of each pipeline and step, and all that are younger
    than ``older_than`` seconds.
    """

    sorts: tuple[Sort, ...] = (Sort.JOURNALS, Sort.RUNS)
    keep: int = Field(default=10, ge=1)
    older_than: float = 30 * 86400.0


class OldRun(Model):
    """A run that goes. ``size_bytes`` is what that frees, None where nobody can say."""

    run_id: str
    name: str
    kind: str
    started_at: float
    size_bytes: int | None = None


class Removal(Model):
    """What goes of one sort, the oldest first; ``kept`` counts the others by what spares them."""

    sort: Sort
    runs: tuple[OldRun, ...] = ()
    kept: dict[str, int] = Field(default_factory=dict)
    # What was to go and could not, by run, and why.
    failed: dict[str, str] = Field(default_factory=dict)
    # What a reader has to know or to do.
    note: str = ""

    @property
    def size_bytes(self) -> int:
        """The bytes that are freed, as far as they are known."""
        return sum(run.size_bytes or 0 for run in self.runs)


class Collected(Model):
    """What was thrown away, or would be where ``is_dry``."""

    is_dry: bool
    removals: tuple[Removal, ...]
