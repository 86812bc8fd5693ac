"""The baseline that a person has chosen: a tag on a run, at most one for each scope."""

from __future__ import annotations

from collections.abc import Iterable

from mlvalidate.core.errors import UsageError
from mlvalidate.core.history import NoHistoryError, RunRecord
from mlvalidate.tracking import layout, search
from mlvalidate.tracking.gateway import Gateway
from mlvalidate.tracking.history import History


def find_chosen(history: History, name: str = "") -> tuple[RunRecord, ...]:
    """Return the baselines that were chosen, of all pipelines and steps or of those with a name."""
    found = history.search(search.has_tag(layout.CHOSEN_BASELINE, layout.CHOSEN))
    return tuple(run for run in found if name in ("", run.name))


def run_to_choose(history: History, reference: str) -> RunRecord:
    """Return the run that is to be a baseline; UsageError when it can't be one."""
    run = history.find(reference)
    if run.status == layout.RUNNING:
        raise UsageError(f"run {run.run_id} is not finished", "wait for it, or name another run")
    return run


def choose(gateway: Gateway, run: RunRecord, chosen: Iterable[RunRecord]) -> None:
    """Make a run the baseline of its scope, in the place of those that were ``chosen`` before."""
    # The new one first: a crash in between leaves two, of which the newer run counts.
    gateway.set_tag(run.mlflow_run_id, layout.CHOSEN_BASELINE, layout.CHOSEN)
    others = [old for old in chosen if old.scope == run.scope]
    forget(gateway, [old for old in others if old.mlflow_run_id != run.mlflow_run_id])


def forget(gateway: Gateway, runs: Iterable[RunRecord]) -> None:
    """Take the tag from runs."""
    for run in runs:
        gateway.delete_tag(run.mlflow_run_id, layout.CHOSEN_BASELINE)


def to_forget(history: History, name: str) -> tuple[RunRecord, ...]:
    """Return the baselines of a pipeline or step; NoHistoryError when none was chosen."""
    found = find_chosen(history, name)
    if not found:
        raise NoHistoryError(
            f"no baseline was chosen for {name!r}",
            "`mlvalidate baseline show` lists those that were",
        )
    return found
