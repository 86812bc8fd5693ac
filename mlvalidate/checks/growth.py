"""P5xx: how a step grows with its data, as a benchmark has measured it."""

from __future__ import annotations

from collections.abc import Iterator

from mlvalidate.checks.base import Rule
from mlvalidate.core.benchmarks import Benchmark, Estimate, Growth
from mlvalidate.core.findings import Finding, Severity
from mlvalidate.core.units import format_count, format_duration, format_size

# Between n log n, which looks like a power of little more than 1, and n^2.
_STEEP = 1.75
_SURELY_STEEP = 1.4


class LimitExceeded(Rule):
    """A benchmark predicts that the step exceeds its `timeout` or `memory` on the `volume` of rows
    that its contract names.

    It is an error where even the low end of the prediction's 95 % interval is beyond the limit, and
    a warning where only the prediction itself is. The prediction is about this machine.

    What to do: make the step leaner (`mlvalidate benchmark STEP --profile` shows where its time
    goes), split its input, or raise the limit to what the job gets in production.
    """

    code = "P501"


class GrowthSteep(Rule):
    """The time or the memory of the step grows with the square of its rows, or faster: ten times
    the data costs a hundred times as much.

    It is found where the exponent is at least 1.75, and the low end of its interval above 1.4.

    What to do: look for a loop in a loop over rows, a search in a list, a table that is put
    together row by row, a join that multiplies rows, or a matrix of all pairs.
    """

    code = "P502"
    severity = Severity.WARNING


def judge_growth(benchmark: Benchmark, command: str) -> Iterator[Finding]:
    """Yield what the measurements say against the step; ``command`` reproduces them."""
    for what, growth, limit, show in (
        ("time", benchmark.duration_s, benchmark.timeout_s, format_duration),
        ("memory", benchmark.peak_rss_mb, benchmark.memory_mb, format_megabytes),
    ):
        if growth is None:
            continue
        if _is_steep(growth):
            yield Finding(
                code=GrowthSteep.code,
                severity=GrowthSteep.severity,
                message=f"{what} grows with n^{growth.exponent.value:.2f} "
                f"({bounds(growth.exponent)})",
                step=benchmark.step,
                hint=f"twice the rows cost {2**growth.exponent.value:.1f} times the {what} "
                "above that of the start",
                reproduce=command,
            )
        predicted = growth.predicted
        if predicted is None or benchmark.volume is None or predicted.value <= limit:
            continue
        is_sure = predicted.low is not None and predicted.low > limit
        name = "timeout" if what == "time" else "memory"
        yield Finding(
            code=LimitExceeded.code,
            severity=Severity.ERROR if is_sure else Severity.WARNING,
            message=f"{format_count(benchmark.volume)} rows would take {show(predicted.value)}"
            f"{f' ({bounds(predicted, show)})'} and exceed the {name} of {show(limit)}",
            step=benchmark.step,
            hint=f"the step's `volume` in production is predicted from {what} that grows "
            f"with n^{growth.exponent.value:.2f}",
            reproduce=command,
        )


def _is_steep(growth: Growth) -> bool:
    low = growth.exponent.low
    return growth.exponent.value >= _STEEP and low is not None and low > _SURELY_STEEP


def format_megabytes(megabytes: float) -> str:
    """Return a size for people."""
    return format_size(megabytes * 1e6)


def bounds(estimate: Estimate, show: object = None) -> str:
    """Return ``1.91 to 2.08``; '' where the interval is not known."""
    if estimate.low is None or estimate.high is None:
        return ""
    text = show if callable(show) else "{:.2f}".format
    return f"{text(estimate.low)} to {text(estimate.high)}"
