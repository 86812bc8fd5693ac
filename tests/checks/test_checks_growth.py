"""What a benchmark says against a step."""

from __future__ import annotations

from typing import Any

import pytest

from mlvalidate.checks.growth import judge_growth
from mlvalidate.core.benchmarks import Benchmark, Estimate, Growth
from mlvalidate.core.findings import Severity


def growth(exponent: tuple[float, float, float], predicted: Any = None) -> Growth:
    return Growth(
        kind="n",
        confidence=0.9,
        exponent=Estimate(value=exponent[0], low=exponent[1], high=exponent[2]),
        start=1,
        factor=1,
        predicted=predicted,
    )


def judge(**figures: Growth) -> list[tuple[str, Severity, str]]:
    benchmark = Benchmark(step="s", volume=10**6, timeout_s=60, memory_mb=2000, **figures)
    return [(f.code, f.severity, f.message) for f in judge_growth(benchmark, "mlvalidate ...")]


@pytest.mark.parametrize(
    ("exponent", "is_steep"),
    [((2.0, 1.9, 2.1), True), ((2.0, 1.3, 2.6), False), ((1.6, 1.5, 1.7), False)],
)
def test_growth_is_steep_where_that_is_sure(
    exponent: tuple[float, float, float], is_steep: bool
) -> None:
    assert [code for code, _, _ in judge(duration_s=growth(exponent))] == ["P502"] * is_steep


@pytest.mark.parametrize(
    ("predicted", "severity"),
    [
        (Estimate(value=70, low=61, high=80), Severity.ERROR),
        (Estimate(value=70, low=50, high=80), Severity.WARNING),
        (Estimate(value=70), Severity.WARNING),
        (Estimate(value=50, low=40, high=80), None),
    ],
)
def test_a_prediction_beyond_the_limit_is_found(
    predicted: Estimate, severity: Severity | None
) -> None:
    found = judge(duration_s=growth((1.0, 0.9, 1.1), predicted))
    assert [(code, how) for code, how, _ in found] == ([("P501", severity)] if severity else [])


def test_memory_has_its_own_limit() -> None:
    predicted = Estimate(value=3000, low=2500, high=3500)
    ((code, severity, message),) = judge(peak_rss_mb=growth((1.0, 0.9, 1.1), predicted))
    assert (code, severity) == ("P501", Severity.ERROR)
    assert message == ("1M rows would take 3.0GB (2.5GB to 3.5GB) and exceed the memory of 2.0GB")
