"""Measures a step on several volumes: which nodes that takes, and what they come to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from mlvalidate.core.benchmarks import (
    Benchmark,
    Estimate,
    Growth,
    Profile,
    ProfileKind,
    VolumeFigures,
)
from mlvalidate.core.errors import UsageError
from mlvalidate.core.plan import ColdReason, Origin, Plan, PlannedStep
from mlvalidate.core.results import Status, StepResult
from mlvalidate.core.units import format_count

if TYPE_CHECKING:
    from mlvalidate.stats.scaling import Interval, Scaling

_MEGABYTE = 10**6
_FIGURES = ("duration_s", "cpu_s", "peak_rss_mb")


def plan_measurements(
    step: PlannedStep,
    volumes: Sequence[int],
    repeat: int,
    profiles: Sequence[ProfileKind] = (),
) -> tuple[PlannedStep, ...]:
    """Return a node for each measurement, the volumes in rounds and the smallest first.

    What makes the machine slower for a while then hits all volumes alike. Nothing is measured
    twice for a declared check. ``profiles`` are runs of their own, behind all measurements.
    UsageError when no input grows.
    """
    if not any(item.origin is Origin.SYNTHETIC for item in step.inputs):
        raise UsageError(
            f"nothing that {step.node} reads can grow: no input holds synthetic tables",
            "give an input files with a `dataset`",
        )
    bare = step.model_copy(update={"step": step.step.model_copy(update={"checks": ()})})
    measurements = [
        _on(bare, rows, str(number))
        for number in range(1, repeat + 1)
        for rows in sorted(set(volumes))
    ]
    profiled = [
        _on(bare, max(volumes), kind).model_copy(update={"profile": kind}) for kind in profiles
    ]
    return (*measurements, *profiled)


def _on(step: PlannedStep, rows: int, name: str) -> PlannedStep:
    node = f"{step.node}@{format_count(rows)}.{name}"
    return step.model_copy(update={"node": node, "rows": rows})


def smaller_failed(planned: PlannedStep, results: Mapping[str, StepResult]) -> str:
    """Return the measurement on at most as many rows that failed, or ''."""
    for node, result in results.items():
        if result.cold is not None and result.cold.reason is ColdReason.PROFILE:
            # It may be the profiler's doing, and the next profiler is another one.
            continue
        is_smaller = (result.volume or 0) <= (planned.rows or 0)
        if result.status is Status.FAILED and is_smaller:
            return node
    return ""


def conclude_benchmark(
    plan: Plan, steps: Sequence[StepResult], profiles: Sequence[Profile]
) -> Benchmark:
    """Return what the measurements that passed come to."""
    from mlvalidate.stats.scaling import fit_scaling, medians

    planned = plan.steps[0]
    measured = {step.node for step in plan.steps if step.profile is None}
    passed = [step for step in steps if step.status is Status.PASSED and step.node in measured]
    values: dict[str, dict[int, list[float]]] = {figure: {} for figure in _FIGURES}
    for step in passed:
        for figure, by_rows in values.items():
            by_rows.setdefault(step.volume or 0, []).append(getattr(step.usage, figure))
    middles = {figure: medians(by_rows) for figure, by_rows in values.items()}
    volume = planned.step.volume
    return Benchmark(
        step=planned.step_name,
        volumes=tuple(
            VolumeFigures(
                rows=rows,
                measurements=len(values["duration_s"][rows]),
                **{figure: _estimate(middles[figure][rows]) for figure in _FIGURES},
            )
            for rows in sorted(values["duration_s"])
        ),
        duration_s=_growth(fit_scaling(values["duration_s"], volume)),
        peak_rss_mb=_growth(fit_scaling(values["peak_rss_mb"], volume)),
        volume=volume,
        timeout_s=planned.timeout,
        memory_mb=planned.memory / _MEGABYTE,
        profiles=tuple(profiles),
    )


def _growth(scaling: Scaling | None) -> Growth | None:
    if scaling is None:
        return None
    return Growth(
        kind=scaling.growth,
        confidence=scaling.confidence,
        exponent=_estimate(scaling.exponent),
        start=scaling.start,
        factor=scaling.factor,
        predicted=_estimate(scaling.prediction) if scaling.prediction else None,
    )


def _estimate(interval: Interval) -> Estimate:
    return Estimate(value=interval.value, low=interval.low, high=interval.high)
