"""The figures of a run that gates on history are about. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

from mlvalidate.core.comparison import StepComparison, Timing, has_faults
from mlvalidate.core.gates import PASS_RATE, REGRESSIONS, Gate
from mlvalidate.core.history import HistoryFigure, StepRecord
from mlvalidate.core.plan import Plan
from mlvalidate.core.results import PipelineResult, Status
from mlvalidate.tracking import layout
from mlvalidate.tracking.content import sandbox_tag, start_tag
from mlvalidate.tracking.context import machine_key
from mlvalidate.tracking.differences import compare_steps, new_findings
from mlvalidate.tracking.past import Past
from mlvalidate.tracking.search import STEP
from mlvalidate.tracking.timings import RecordedTimings, with_timings

# A share of fewer runs says nothing, unless the gate itself asks for fewer.
_LEAST_RUNS = 5
_MOST_NAMED = 5


def history_figures(
    past: Past, plan: Plan, result: PipelineResult, gates: Iterable[Gate]
) -> dict[str, HistoryFigure]:
    """Return what is known of each gate's figure, by its name; ``result`` has all but the gates."""
    steps: tuple[StepComparison, ...] = ()
    if past.result is not None:
        now = _records(plan, result)
        timings = _against_other_code(past, now)
        steps = with_timings(timings, now, compare_steps(past.result, result))
    return {gate.figure: _figure(past, result, steps, gate) for gate in gates}


def _against_other_code(past: Past, now: Mapping[str, StepRecord]) -> RecordedTimings:
    """Return the timings with the newest run of other code in the place of each node's last.

    The last passed run is soon of the code that is judged: then there would be one run against
    many. A baseline that a person has chosen stays.
    """
    timings = past.timings
    if past.baseline is None or past.baseline.tags.get(layout.CHOSEN_BASELINE) == layout.CHOSEN:
        return timings
    before = {
        node: _newest_of_other_code(timings.recorded.get(node, ()), now.get(node)) or last
        for node, last in timings.before.items()
    }
    return timings.model_copy(update={"before": before, "baselines": frozenset()})


def _newest_of_other_code(runs: Iterable[StepRecord], now: StepRecord | None) -> StepRecord | None:
    others = [
        run
        for run in runs
        if now is not None
        and run.is_passed
        and not run.reused_from
        and (run.code_hash, run.contract_hash) != (now.code_hash, now.contract_hash)
    ]
    return max(others, key=lambda run: run.started_at, default=None)


def _figure(
    past: Past, result: PipelineResult, steps: tuple[StepComparison, ...], gate: Gate
) -> HistoryFigure:
    if gate.metric == PASS_RATE:
        return _pass_rate(past, result, gate.last)
    if past.result is None or past.baseline is None:
        return HistoryFigure(reason=past.problem)
    against = f"baseline {past.baseline.run_id}"
    asked = steps if gate.is_about_run else [s for s in steps if s.node == gate.node]
    name = gate.metric if gate.is_about_run else gate.metric.partition(".")[2]
    if name in REGRESSIONS:
        return _regression(asked, REGRESSIONS[name])
    measure: Callable[[], tuple[int, list[str]]] = {
        "new_findings": partial(_new_findings, past.result, result, gate),
        "schema_changes": partial(_schema_changes, asked),
    }[name]
    number, named = measure()
    detail = ", ".join(named[:_MOST_NAMED]) + (", ..." if len(named) > _MOST_NAMED else "")
    return HistoryFigure(value=number, detail=f"{against}: {detail}" if detail else against)


def _pass_rate(past: Past, result: PipelineResult, last: int) -> HistoryFigure:
    if past.is_away:
        return HistoryFigure(reason=past.problem)
    verdicts = [result.status is Status.PASSED, *past.verdicts[: last - 1]]
    if len(verdicts) < min(last, _LEAST_RUNS):
        return HistoryFigure(reason=f"there are only {len(verdicts)} runs, this one included")
    passed = sum(verdicts)
    return HistoryFigure(
        value=passed / len(verdicts), detail=f"{passed} of {len(verdicts)} runs passed"
    )


def _regression(steps: Sequence[StepComparison], figure: str) -> HistoryFigure:
    """Return by which share more a figure is in the step where it is worst, for certain.

    0 where no step is worse; unknown where one could be, but nobody can say.
    """
    timed = [(step, timing) for step in steps if (timing := step.timing(figure))]
    worse = [(step, timing) for step, timing in timed if timing.verdict in ("slower", "more")]
    if worse:
        step, timing = max(worse, key=lambda each: each[1].ratio)
        return HistoryFigure(value=timing.ratio - 1, detail=_shift(step, timing))
    if open_ones := [(step, timing) for step, timing in timed if timing.low is None]:
        step, timing = open_ones[0]
        return HistoryFigure(reason=f"of {step.node} {timing.reason}")
    if not timed:
        untimed = [f"{step.node} {step.untimed}" for step in steps if step.untimed]
        return HistoryFigure(reason=untimed[0] if untimed else "no comparable run is recorded")
    return HistoryFigure(value=0.0, detail="no step takes more")


def _shift(step: StepComparison, timing: Timing) -> str:
    return (
        f"{step.node} takes {timing.ratio:.2f} times as much ({timing.low:.2f} to "
        f"{timing.high:.2f}), {len(step.pool.runs_after)} runs against "
        f"{len(step.pool.runs_before)} of the baseline"
    )


def _new_findings(
    before: PipelineResult, after: PipelineResult, gate: Gate
) -> tuple[int, list[str]]:
    fresh = [
        finding
        for finding in new_findings(before.all_findings, after.all_findings)
        if has_faults((finding,))
    ]
    if not gate.is_about_run:
        fresh = [finding for finding in fresh if finding.step == gate.node]
    return len(fresh), [f"{each.code} {each.step or 'run'}" for each in fresh]


def _schema_changes(steps: Iterable[StepComparison]) -> tuple[int, list[str]]:
    changed = [
        f"{step.node}.{table.port}/{table.file}"
        for step in steps
        for table in step.tables
        if table.is_schema_change
    ]
    return len(changed), changed


def _records(plan: Plan, result: PipelineResult) -> Mapping[str, StepRecord]:
    """Return the nodes as they will be recorded, as far as they are compared."""
    machine = machine_key()
    return {
        step.node: StepRecord(
            mlflow_run_id="",
            run_id=result.run_id,
            kind=STEP,
            name=step.node,
            project=result.project,
            status=step.status.value,
            scenario=result.scenario,
            data_source=result.data_source.value,
            started_at=step.started_at,
            finished_at=step.finished_at,
            rows=plan.rows,
            machine=machine,
            code_hash=step.code_hash,
            contract_hash=step.contract_hash,
            tags={layout.SANDBOX: sandbox_tag(plan)},
            metrics=step.usage.model_dump(),
            node=step.node,
            step=step.step,
            start=start_tag(step),
            reused_from=step.reused_from,
        )
        for step in result.steps
        if step.status is not Status.SKIPPED
    }
