"""Compares results of two states of the code that were run in turn, without the store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mlvalidate.core.comparison import ComparedRun, Comparison, Pool, StepComparison, TableChange
from mlvalidate.core.results import PipelineResult, Status, StepResult
from mlvalidate.core.run_folder import RunFolder
from mlvalidate.tracking.differences import compare_steps, new_findings
from mlvalidate.tracking.git_range import commits_between, range_of
from mlvalidate.tracking.pools import FIGURES, judge
from mlvalidate.tracking.sample_drift import FindSample, with_drift


@dataclass(frozen=True)
class State:
    """One state of the code: its runs in order, and the folder of the last."""

    results: Sequence[PipelineResult]
    folder: RunFolder
    commit: str = ""
    is_dirty: bool = False
    branch: str = ""


def compare_states(before: State, after: State, root: Path, notes: Sequence[str]) -> Comparison:
    """Compare two states that were run equally often, in turn; the last runs in detail.

    ``root`` is where git knows the project's commits.
    """
    last = before.results[-1], after.results[-1]
    steps = [_with_timings(step, before, after) for step in compare_steps(*last)]
    return Comparison(
        before=_compared(before),
        after=_compared(after),
        reference=before.commit,
        baselines=tuple(result.run_id for result in before.results),
        steps=with_drift(steps, _samples(before), _samples(after)),
        new_findings=new_findings(last[0].all_findings, last[1].findings),
        fixed_findings=new_findings(last[1].all_findings, last[0].findings),
        git_range=range_of(before.commit, after.commit),
        commits=commits_between(root, before.commit, after.commit),
        notes=tuple(notes),
    )


def _compared(state: State) -> ComparedRun:
    result = state.results[-1]
    return ComparedRun(
        run_id=result.run_id,
        name=result.name,
        kind=result.kind,
        status=result.status.value,
        started_at=result.started_at,
        commit=state.commit,
        branch=state.branch,
        is_dirty=state.is_dirty,
    )


def _with_timings(step: StepComparison, before: State, after: State) -> StepComparison:
    rounds = [
        (first, second)
        for first, second in zip(
            _runs_of(step.node, before), _runs_of(step.node, after), strict=True
        )
        if first is not None and second is not None
    ]
    if not rounds:
        return step.model_copy(update={"untimed": "has not passed on both sides in any round"})
    timings = tuple(
        judge(
            figure,
            [getattr(first.usage, figure) for first, _ in rounds],
            [getattr(second.usage, figure) for _, second in rounds],
            paired=True,
        )
        for figure in FIGURES
    )
    pool = Pool(
        runs_before=tuple(result.run_id for result in before.results),
        runs_after=tuple(result.run_id for result in after.results),
    )
    return step.model_copy(update={"timings": timings, "pool": pool})


def _runs_of(node: str, state: State) -> list[StepResult | None]:
    """Return a node in each run; None where it did not pass."""
    return [
        next(
            (step for step in result.steps if step.node == node and step.status is Status.PASSED),
            None,
        )
        for result in state.results
    ]


def _samples(state: State) -> FindSample:
    stems = {
        (step.node, port.port, file.name): file.sample
        for step in state.results[-1].steps
        for port in step.outputs
        for file in port.files
        if file.sample
    }

    def find(node: str, table: TableChange) -> Path | None:
        stem = stems.get((node, table.port, table.file))
        path = state.folder.root / f"{stem}.parquet" if stem else None
        return path if path is not None and path.is_file() else None

    return find
