"""How long the steps of a run took, compared with recorded runs around its baseline.

Finding those asks the store; comparing is pure, and the run itself need not be recorded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from pydantic import Field

from mlvalidate.core.comparison import StepComparison
from mlvalidate.core.history import RunRecord, Scope, StepRecord
from mlvalidate.core.model import Model
from mlvalidate.core.results import Status
from mlvalidate.tracking import search
from mlvalidate.tracking.history import History
from mlvalidate.tracking.pools import Sides, by_node, pool

# In other kinds of runs nodes are cases or measurements of one step.
TIMED_KINDS = ("pipeline", "script")
# As many runs of each step are looked at, before the baseline has ended and after.
MOST_RUNS = 30


class RecordedTimings(Model):
    """The nodes of a baseline, the ids of all its runs, and the runs of each node around it."""

    before: dict[str, StepRecord] = Field(default_factory=dict)
    baselines: frozenset[str] = frozenset()
    recorded: dict[str, tuple[StepRecord, ...]] = Field(default_factory=dict)


def find_timings(
    history: History, scope: Scope, baselines: Sequence[RunRecord], nodes: int
) -> RecordedTimings:
    """Look up what a run of ``nodes`` nodes is compared with; the first baseline in detail."""
    found = by_node(_recorded(history, scope, baselines[0], nodes))
    return RecordedTimings(
        before={step.node: step for step in history.steps(baselines[0])},
        baselines=frozenset(each.run_id for each in baselines),
        recorded={node: tuple(runs) for node, runs in found.items()},
    )


def _recorded(
    history: History, scope: Scope, baseline: RunRecord, nodes: int
) -> Iterator[StepRecord]:
    """Yield the runs of all nodes of a scope around the baseline, at most 30 of each on a side."""
    end = baseline.finished_at or baseline.started_at
    for condition in (search.began_before(end), search.began_after(end)):
        found = history.step_runs(scope, "", condition)
        yield from islice(found, MOST_RUNS * max(nodes, 1))


def with_timings(
    timings: RecordedTimings, now: Mapping[str, StepRecord], steps: Sequence[StepComparison]
) -> tuple[StepComparison, ...]:
    """Return the steps with verdicts on their time and memory; ``now`` are the run's nodes."""
    found = []
    for step in steps:
        before, after = timings.before.get(step.node), now.get(step.node)
        untimed = _untimed(before, after)
        if untimed or before is None or after is None:
            found.append(step.model_copy(update={"untimed": untimed}))
            continue
        # Both are samples whatever else has been recorded since.
        runs = by_node([*timings.recorded.get(step.node, ()), before, after])[step.node]
        used, verdicts = pool(Sides(before, after, timings.baselines), runs)
        found.append(step.model_copy(update={"pool": used, "timings": verdicts}))
    return tuple(found)


def _untimed(before: StepRecord | None, after: StepRecord | None) -> str:
    for side, what in ((before, "in the baseline"), (after, "now")):
        if side is None:
            return f"did not run {what}"
        if side.status != Status.PASSED.value:
            return f"has not passed {what}"
        if side is after and side.reused_from:
            return "was reused now"
    return ""
