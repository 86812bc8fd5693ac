"""What earlier runs know about a fault."""

from __future__ import annotations

from pydantic import TypeAdapter

from mlvalidate.core.model import Model


class RunReference(Model):
    """A recorded run. ``commit`` is empty where the project was in no checkout."""

    run_id: str
    commit: str = ""
    is_dirty: bool = False


class RelatedIssue(Model):
    """A fault of this run, and the earlier runs of the same step that have to do with it.

    ``seen_in`` are the last ones that met it, at most five, the newest first. ``last_passed`` is
    the last run in which the step passed, ``fixed_by`` the first that passed with other code after
    the fault was last seen.
    """

    fingerprint: str
    code: str
    node: str
    seen_in: tuple[RunReference, ...] = ()
    last_passed: RunReference | None = None
    fixed_by: RunReference | None = None


# As they stand in a run's folder.
RELATED_ISSUES: TypeAdapter[tuple[RelatedIssue, ...]] = TypeAdapter(tuple[RelatedIssue, ...])
