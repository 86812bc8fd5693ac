"""Looks up what earlier runs know about the faults of a run, while that is being recorded.

It is a help and no part of the record: a store that does not answer in time leaves it out.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import islice

from mlvalidate.core.events import RunStarted
from mlvalidate.core.findings import Finding, Severity
from mlvalidate.core.history import Scope, StepRecord
from mlvalidate.core.related import RelatedIssue, RunReference
from mlvalidate.core.results import PipelineResult, Status
from mlvalidate.tracking import layout, search
from mlvalidate.tracking.gateway import Gateway, without_retries
from mlvalidate.tracking.history import History
from mlvalidate.tracking.reasons import RecordingError

_SECONDS = 2.0
_MOST_FAULTS = 3
_MOST_RUNS = 5
# Of runs that passed after a fault; the one that fixed it is the oldest of them.
_MOST_PASSED = 500


def find_related(
    gateway: Gateway, started: RunStarted, result: PipelineResult, seconds: float = _SECONDS
) -> tuple[RelatedIssue, ...]:
    """Return what is known about the errors of the failed steps; nothing where nothing is.

    ``seconds`` are after which no further fault is looked up. Never raises for what a store does.
    """
    if started.plan.kind not in ("pipeline", "script"):
        return ()
    deadline = time.monotonic() + seconds
    scope = Scope.of(started.plan)
    history = History(gateway.client, gateway.store, gateway.experiment_id, scope.project)
    found = []
    try:
        with without_retries():
            for node, fault in islice(_faults(result), _MOST_FAULTS):
                if time.monotonic() >= deadline:
                    break
                issue = _look_up(history, scope, node, fault, started.at)
                if issue.seen_in or issue.last_passed:
                    found.append(issue)
    except RecordingError:
        # Whatever the store has against it, recording the run will say.
        return tuple(found)
    return tuple(found)


def _faults(result: PipelineResult) -> Iterator[tuple[str, Finding]]:
    for step in result.steps:
        if step.status is Status.FAILED:
            errors = [f for f in step.findings if f.severity is Severity.ERROR]
            yield from ((step.node, f) for f in {f.fingerprint: f for f in errors}.values())


def _look_up(
    history: History, scope: Scope, node: str, fault: Finding, before: float
) -> RelatedIssue:
    earlier = search.began_before(before)
    passed = search.is_passed()
    same = search.contains(layout.FINGERPRINTS, f" {fault.fingerprint} ")
    seen = list(islice(history.step_runs(scope, node, earlier, same), _MOST_RUNS))
    last_passed = next(history.step_runs(scope, node, earlier, passed), None)
    fixed_by = None
    if seen and last_passed:
        later = search.began_after(seen[0].started_at)
        since = history.step_runs(scope, node, earlier, later, passed)
        others = [s for s in islice(since, _MOST_PASSED) if s.code_hash != seen[0].code_hash]
        fixed_by = others[-1] if others else None
    return RelatedIssue(
        fingerprint=fault.fingerprint,
        code=fault.code,
        node=node,
        seen_in=tuple(map(_reference, seen)),
        last_passed=_reference(last_passed) if last_passed else None,
        fixed_by=_reference(fixed_by) if fixed_by else None,
    )


def _reference(step: StepRecord) -> RunReference:
    return RunReference(run_id=step.run_id, commit=step.commit, is_dirty=step.is_dirty)
