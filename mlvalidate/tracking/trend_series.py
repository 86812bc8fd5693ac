"""Series and reliability out of recorded runs. Pure."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from mlvalidate.core.findings import Finding, Severity
from mlvalidate.core.history import RunRecord, StepRecord
from mlvalidate.core.results import Status
from mlvalidate.core.trend import MEASURED, Change, Flip, Point, Recurrence, Reliability, Series
from mlvalidate.stats.effects import ANY_EFFECT
from mlvalidate.stats.trend import find_steps
from mlvalidate.tracking.comparability import (
    LEAST_EFFECTS,
    MACHINE,
    ROWS,
    SANDBOX,
    START,
    Condition,
)

_JUDGED = (Status.PASSED.value, Status.FAILED.value)


def _place(run: RunRecord) -> str:
    if isinstance(run, StepRecord):
        return f"pipeline {run.pipeline}" if run.pipeline else "alone"
    return f"pipeline {run.name}"


_CONDITIONS = (
    Condition("in", "in another pipeline, or alone", _place),
    Condition("data", "on other data", lambda run: run.data_source),
    Condition("scenario", "of another scenario", lambda run: run.scenario),
    ROWS,
    MACHINE,
    SANDBOX,
    START,
)
_Nodes = Mapping[str, Sequence[StepRecord]]


def make_series(
    node: str, metric: str, runs: Sequence[RunRecord], nodes: _Nodes | None = None
) -> Series:
    """Return the series of a metric, over the largest group of runs that are comparable.

    ``runs`` are in the order of their time; only those that passed, ran and have the metric count.
    Of groups of one size that of the newest run is taken. ``nodes``, the nodes of each run by its
    id, tell for whole runs which steps were reused or started cold.
    """
    left_out: Counter[str] = Counter()
    candidates: list[RunRecord] = []
    for run in runs:
        reason = _unfit(run, metric)
        if reason:
            left_out[reason] += 1
        else:
            candidates.append(run)
    conditions = [c for c in _CONDITIONS if metric in MEASURED or not c.is_measured]
    if nodes is not None and metric in MEASURED:
        conditions.append(_same_work(nodes))
    keys = [tuple(condition.of(run) for condition in conditions) for run in candidates]
    counts = Counter(reversed(keys))
    common = max(counts, key=lambda key: counts[key], default=())
    fits = []
    for run, key in zip(candidates, keys, strict=True):
        if key == common:
            fits.append(run)
        else:
            place = next(n for n, pair in enumerate(zip(key, common, strict=True)) if _differ(pair))
            left_out[conditions[place].otherwise] += 1
    shown = zip(conditions, common, strict=False)
    return Series(
        node=node,
        metric=metric,
        conditions={condition.name: value for condition, value in shown if value},
        points=tuple(_point(run, metric) for run in fits),
        changes=_changes(fits, metric),
        left_out=dict(left_out.most_common()),
    )


def _differ(pair: tuple[str, str]) -> bool:
    return pair[0] != pair[1]


def _same_work(nodes: _Nodes) -> Condition:
    """Return the condition that the same nodes ran, were reused, and started cold."""

    def work(run: RunRecord) -> str:
        own = {
            step.node: "reused" if step.reused_from else step.start for step in nodes[run.run_id]
        }
        return ", ".join(f"{node} {how}".strip() for node, how in sorted(own.items()))

    return Condition("steps", "with other steps reused, cold or not run", work, is_measured=True)


def _unfit(run: RunRecord, metric: str) -> str:
    if run.status != Status.PASSED.value:
        return "not passed"
    if isinstance(run, StepRecord) and run.reused_from:
        return "reused"
    value = run.metrics.get(metric)
    return f"without {metric}" if value is None or not math.isfinite(value) else ""


def _point(run: RunRecord, metric: str) -> Point:
    return Point(
        run_id=run.run_id,
        mlflow_run_id=run.mlflow_run_id,
        started_at=run.started_at,
        value=run.metrics[metric],
        commit=run.commit,
        branch=run.branch,
        is_dirty=run.is_dirty,
    )


def _changes(runs: Sequence[RunRecord], metric: str) -> tuple[Change, ...]:
    steps = find_steps([run.metrics[metric] for run in runs], LEAST_EFFECTS.get(metric, ANY_EFFECT))
    return tuple(
        Change(
            run_id=runs[step.index].run_id,
            started_at=runs[step.index].started_at,
            before=step.before,
            after=step.after,
            commit=runs[step.index].commit,
            run_before=runs[step.index - 1].run_id,
            commit_before=runs[step.index - 1].commit,
        )
        for step in steps
    )


def recurrences(findings_of: Mapping[str, Sequence[Finding]]) -> tuple[Recurrence, ...]:
    """Return errors and warnings by how many runs have them, the most frequent first.

    ``findings_of`` has the findings of each run by its id, in the order of the runs' time.
    """
    found: dict[str, dict[str, Finding]] = defaultdict(dict)
    for run_id, findings in findings_of.items():
        for finding in findings:
            if finding.severity is not Severity.INFO:
                found[finding.fingerprint][run_id] = finding
    recurring = [
        Recurrence(
            fingerprint=fingerprint,
            code=newest.code,
            severity=newest.severity.value,
            node=newest.step or "",
            message=newest.message,
            runs=len(by_run),
            first_run=next(iter(by_run)),
            last_run=next(reversed(by_run)),
        )
        for fingerprint, by_run in found.items()
        for newest in [by_run[next(reversed(by_run))]]
    ]
    places = list(findings_of)
    return tuple(
        sorted(recurring, key=lambda each: (-each.runs, -places.index(each.last_run), each.code))
    )


def reliability(node: str, runs: Iterable[RunRecord]) -> Reliability:
    """Return how often it failed, and where its verdict flipped though nothing had changed.

    ``runs`` are in the order of their time. Those that were reused, interrupted or broken by
    mlvalidate itself say nothing about the scripts.
    """
    judged = [
        run
        for run in runs
        if run.status in _JUDGED and not (isinstance(run, StepRecord) and run.reused_from)
    ]
    same: dict[tuple[str, ...], list[RunRecord]] = defaultdict(list)
    for run in judged:
        hashes = (run.code_hash, run.contract_hash, run.data_hash)
        if all(hashes):
            same[hashes].append(run)
    flips = [
        Flip(
            run_before=before.run_id,
            status_before=before.status,
            run_id=after.run_id,
            status=after.status,
            started_at=after.started_at,
        )
        for group in same.values()
        for before, after in pairwise(group)
        if before.status != after.status
    ]
    return Reliability(
        node=node,
        runs=len(judged),
        failed=sum(run.status == Status.FAILED.value for run in judged),
        flips=tuple(sorted(flips, key=lambda flip: flip.started_at)),
    )
