"""The growth of a figure is found again in noisy measurements, with intervals that hold."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlvalidate.stats.scaling import fit_scaling, medians

VOLUMES = (1_000, 3_000, 10_000, 30_000)


def measure(
    exponent: float, start: float, noise: float, seed: int, repeats: int = 5
) -> dict[int, list[float]]:
    """Return synthetic timings; the largest volume takes ten seconds above the start."""
    random = np.random.default_rng(seed)
    return {
        rows: list(
            (start + 10 * (rows / VOLUMES[-1]) ** exponent) * random.lognormal(0, noise, repeats)
        )
        for rows in VOLUMES
    }


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    exponent=st.sampled_from([1.0, 1.5, 2.0, 3.0]),
    start=st.floats(0.05, 1.0),
    seed=st.integers(0, 10**6),
)
def test_the_exponent_is_found_above_the_cost_of_a_start(
    exponent: float, start: float, seed: int
) -> None:
    found = fit_scaling(measure(exponent, start, 0.02, seed))
    assert found is not None
    assert found.exponent.value == pytest.approx(exponent, abs=0.3)
    assert found.exponent.low <= found.exponent.value <= found.exponent.high  # type: ignore[operator]


@settings(max_examples=20, deadline=None, derandomize=True)
@given(scale=st.floats(1e-3, 1e6), seed=st.integers(0, 1000))
def test_the_unit_does_not_matter(scale: float, seed: int) -> None:
    values = measure(1.5, 0.3, 0.03, seed)
    scaled = {rows: [x * scale for x in each] for rows, each in values.items()}
    one, other = fit_scaling(values, 10**6), fit_scaling(scaled, 10**6)
    assert one is not None and other is not None and one.prediction and other.prediction
    assert one.exponent == other.exponent
    assert other.prediction.value == pytest.approx(one.prediction.value * scale, rel=1e-6)


@pytest.mark.parametrize(
    ("exponent", "growth"), [(1.0, "n"), (2.0, "n^2"), (3.0, "n^3"), (1.5, "n^1.5")]
)
def test_the_class_is_named(exponent: float, growth: str) -> None:
    found = fit_scaling(measure(exponent, 0.2, 0.003, 1))
    assert found is not None and found.growth == growth
    assert found.confidence > 0.9


def test_n_log_n_is_told_from_n() -> None:
    random = np.random.default_rng(3)
    values = {
        n: list(0.01 * n * np.log(n) * random.lognormal(0, 0.003, 5))
        for n in (100, 1_000, 10_000, 100_000)
    }
    found = fit_scaling(values)
    assert found is not None and found.growth == "n log n"


def test_what_does_not_grow_is_constant() -> None:
    random = np.random.default_rng(5)
    found = fit_scaling({n: list(2 * random.lognormal(0, 0.02, 5)) for n in VOLUMES}, 10**6)
    assert found is not None and found.prediction is not None
    assert found.growth == "constant"
    assert (found.exponent.value, found.exponent.low) == (0.0, 0.0)
    assert found.prediction.value == pytest.approx(2, rel=0.05)


@pytest.mark.slow
@pytest.mark.parametrize("exponent", [1.0, 2.0])
def test_the_intervals_hold_as_often_as_they_say(exponent: float) -> None:
    volume, start = 100_000, 0.3
    truth = start + 10 * (volume / VOLUMES[-1]) ** exponent
    inside = predicted = 0
    for seed in range(150):
        found = fit_scaling(measure(exponent, start, 0.05, seed, repeats=3), volume)
        assert found is not None and found.prediction is not None
        inside += found.exponent.low <= exponent <= found.exponent.high  # type: ignore[operator]
        predicted += found.prediction.low <= truth <= found.prediction.high  # type: ignore[operator]
    assert 0.91 <= inside / 150 <= 1.0
    assert 0.91 <= predicted / 150 <= 1.0


def test_the_median_lies_in_its_interval_as_often_as_it_says() -> None:
    hits = total = 0
    for seed in range(150):
        for rows, found in medians(measure(1.0, 0.5, 0.05, seed, repeats=3)).items():
            assert found.low is not None and found.high is not None
            hits += found.low <= 0.5 + 10 * rows / VOLUMES[-1] <= found.high
            total += 1
    assert 0.92 <= hits / total <= 1.0


def test_an_outlier_does_not_decide() -> None:
    values = measure(2.0, 0.3, 0.01, 7)
    values[1_000][2] *= 20
    found = fit_scaling(values)
    assert found is not None
    assert found.exponent.value == pytest.approx(2.0, abs=0.2)


def test_equal_measurements_are_not_taken_for_exact() -> None:
    found = fit_scaling({n: [float(n)] * 3 for n in VOLUMES}, 10**6)
    assert found is not None and found.exponent.high is not None
    assert found.exponent.high > found.exponent.value
    assert found.growth == "n"


@pytest.mark.parametrize("values", [{1: [1.0] * 9, 2: [2.0] * 9}, {1: [1.0], 2: [2.0], 3: [3.0]}])
def test_too_little_says_nothing(values: dict[int, list[float]]) -> None:
    assert fit_scaling(values) is None


def test_one_measurement_has_no_interval() -> None:
    assert medians({5: [2.0]})[5].low is None
