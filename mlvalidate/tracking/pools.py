"""Which recorded timings of a step may be compared, and what they come to.

Timings are only comparable on the same machine, on as much data, in the same sandbox, and started
the same way, of scripts that ran and passed.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from mlvalidate.core.comparison import FigureVerdict, Pool, Timing
from mlvalidate.core.history import StepRecord
from mlvalidate.core.results import Status
from mlvalidate.stats.comparison import Shift, Verdict, compare_pairs, compare_samples
from mlvalidate.tracking.comparability import LEAST_EFFECTS, MACHINE, ROWS, SANDBOX, START

FIGURES = ("duration_s", "peak_rss_mb")
_WORDS: Mapping[str, Mapping[Verdict, FigureVerdict]] = {
    "duration_s": {Verdict.SLOWER: "slower", Verdict.FASTER: "faster"},
    "peak_rss_mb": {Verdict.SLOWER: "more", Verdict.FASTER: "less"},
}
_CONDITIONS = (MACHINE, ROWS, SANDBOX, START)


def judge(
    figure: str, before: Sequence[float], after: Sequence[float], *, paired: bool = False
) -> Timing:
    """Return the verdict on one figure; neither sample is empty."""
    compare = compare_pairs if paired else compare_samples
    shift: Shift = compare(before, after, LEAST_EFFECTS[figure])
    return Timing(
        figure=figure,
        verdict=_WORDS[figure].get(shift.verdict, "cannot say"),
        before=shift.medians[0],
        after=shift.medians[1],
        ratio=shift.ratio,
        low=shift.low,
        high=shift.high,
        values_before=tuple(before),
        values_after=tuple(after),
        reason=shift.reason,
    )


@dataclass
class _Samples:
    before: list[StepRecord] = field(default_factory=list)
    after: list[StepRecord] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Sides:
    """One node in the baseline and in the run. ``baselines`` are all runs of the baseline."""

    before: StepRecord
    after: StepRecord
    baselines: frozenset[str]


def pool(sides: Sides, runs: Iterable[StepRecord]) -> tuple[Pool, tuple[Timing, ...]]:
    """Sort the recorded runs of a node into two samples, and compare them.

    The baseline's sample are its runs or, where it is a single run, the earlier ones of the same
    code; the run's sample are the later ones of the code that it has.
    """
    samples = _Samples()
    for run in sorted(runs, key=lambda run: run.started_at):
        _assign(run, sides, samples)
    found = Pool(
        runs_before=tuple(run.run_id for run in samples.before),
        runs_after=tuple(run.run_id for run in samples.after),
        left_out=dict(samples.left_out),
    )
    if not samples.before or not samples.after:
        return found, ()
    return found, tuple(
        judge(figure, _values(samples.before, figure), _values(samples.after, figure))
        for figure in FIGURES
        if all(figure in run.metrics for run in (*samples.before, *samples.after))
    )


def _values(runs: Sequence[StepRecord], figure: str) -> list[float]:
    return [run.metrics[figure] for run in runs]


def _assign(run: StepRecord, sides: Sides, samples: _Samples) -> None:
    reason = _reason_to_leave_out(run, sides.after)
    if reason:
        samples.left_out[reason] += 1
    elif _is_before(run, sides):
        samples.before.append(run)
    elif run.started_at > sides.before.started_at and _has_code_of(run, sides.after):
        samples.after.append(run)
    else:
        samples.left_out["of other code"] += 1


def _is_before(run: StepRecord, sides: Sides) -> bool:
    if run.run_id == sides.after.run_id:
        return False
    if len(sides.baselines) > 1:
        return run.run_id in sides.baselines
    earlier = run.started_at <= sides.before.started_at
    return run.run_id in sides.baselines or (earlier and _has_code_of(run, sides.before))


def _has_code_of(run: StepRecord, other: StepRecord) -> bool:
    if run.run_id == other.run_id:
        return True
    same = (run.code_hash, run.contract_hash) == (other.code_hash, other.contract_hash)
    return bool(run.code_hash) and same


def _reason_to_leave_out(run: StepRecord, current: StepRecord) -> str:
    if run.reused_from:
        return "reused"
    if run.status != Status.PASSED.value:
        return "not passed"
    return next(
        (each.otherwise for each in _CONDITIONS if each.of(run) != each.of(current)),
        "",
    )


def by_node(runs: Iterable[StepRecord]) -> dict[str, list[StepRecord]]:
    """Return runs by their node, each run once."""
    groups: dict[str, dict[str, StepRecord]] = defaultdict(dict)
    for run in runs:
        groups[run.node][run.mlflow_run_id] = run
    return {node: list(found.values()) for node, found in groups.items()}
