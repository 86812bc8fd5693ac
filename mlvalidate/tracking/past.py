"""What gates on history need of the recorded runs, read by a process beside the run.

As a program: reads a `Question` as one line of JSON, and writes a `Past`.
"""

from __future__ import annotations

import math
import sys
from itertools import islice

from mlvalidate.core.errors import InfrastructureError
from mlvalidate.core.history import NoHistoryError, RunRecord, Scope
from mlvalidate.core.model import Model
from mlvalidate.core.results import PipelineResult
from mlvalidate.tracking.history import DEFAULT_BASELINE, History, open_history
from mlvalidate.tracking.store import Store
from mlvalidate.tracking.timings import TIMED_KINDS, RecordedTimings, find_timings


class Question(Model):
    """Which runs to look at: those of a scope, and the verdicts of the ``last`` of them.

    ``nodes`` is how many nodes the run has, 0 when no timings are wanted.
    """

    store: Store
    scope: Scope
    nodes: int
    last: int


class Past(Model):
    """The runs of a scope before one. ``result`` is the baseline's; without one both are None.

    ``verdicts`` tell of the last runs, the newest first, whether they passed. ``problem`` says why
    there is no baseline; where the store ``is_away``, nothing at all is known.
    """

    baseline: RunRecord | None = None
    result: PipelineResult | None = None
    timings: RecordedTimings = RecordedTimings()
    verdicts: tuple[bool, ...] = ()
    problem: str = ""
    is_away: bool = False


def look_up(question: Question) -> Past:
    """Return what is recorded. Never raises for what a store does."""
    try:
        with open_history(question.store, question.scope.project) as history:
            return _read(history, question)
    except NoHistoryError as error:
        return Past(problem=error.message)
    except InfrastructureError as error:
        return Past(problem=error.message, is_away=True)


def _read(history: History, question: Question) -> Past:
    scope = question.scope
    verdicts = tuple(run.is_passed for run in islice(history.runs(scope), question.last))
    try:
        baselines = history.baselines(scope, DEFAULT_BASELINE, math.inf)
    except NoHistoryError:
        return Past(verdicts=verdicts, problem=f"no run of {scope.description} has passed yet")
    timings = RecordedTimings()
    if question.nodes and scope.kind in TIMED_KINDS:
        timings = find_timings(history, scope, baselines, question.nodes)
    return Past(
        baseline=baselines[0],
        result=history.result(baselines[0]),
        timings=timings,
        verdicts=verdicts,
    )


if __name__ == "__main__":
    sys.stdout.write(look_up(Question.model_validate_json(sys.stdin.read())).model_dump_json())
