"""Steps in series: found where they are, and not where there are none."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlvalidate.stats.effects import LeastEffect
from mlvalidate.stats.trend import LEAST_RUN, LevelStep, find_steps

SERIES = st.lists(st.floats(-1e6, 1e6), max_size=40)


def noise(seed: int, n: int, spread: float = 0.1) -> list[float]:
    return list(np.random.default_rng(seed).lognormal(0, spread, n))


@pytest.mark.parametrize(("n", "series"), [(10, 500), (30, 400), (100, 100)])
def test_noise_has_a_step_in_at_most_one_of_a_hundred_series(n: int, series: int) -> None:
    found = sum(bool(find_steps(noise(seed, n))) for seed in range(series))
    # Within what chance adds to the share that `benchmarks/trend.py` measures.
    assert found <= 0.01 * series + 2 * np.sqrt(0.01 * series)


def test_a_step_of_30_percent_in_15_and_15_values_is_found() -> None:
    exact = 0
    for seed in range(60):
        values = noise(seed, 30, spread=0.08)
        series = [value * (1.3 if place >= 15 else 1.0) for place, value in enumerate(values)]
        steps = find_steps(series, LeastEffect(share=0.05))
        exact += len(steps) == 1 and abs(steps[0].index - 15) <= 1
    assert exact >= 57


@given(st.integers(0, 99), st.integers(0, 39), st.floats(-1e9, 1e9))
def test_one_outlier_is_no_step(seed: int, place: int, outlier: float) -> None:
    values = noise(seed % 5, 40)
    assert not find_steps(values)
    values[place] = outlier
    assert not find_steps(values)


@given(st.integers(1, LEAST_RUN - 1), st.integers(0, 30))
def test_a_few_outliers_in_a_row_are_no_step_of_an_exact_series(number: int, place: int) -> None:
    values = [3.0] * 40
    values[place : place + number] = [9.0] * number
    steps = find_steps(values)
    assert all(min(step.index, 40 - step.index) >= LEAST_RUN for step in steps)
    # An outlier's neighbours may not be lifted to its level by it.
    if number <= LEAST_RUN // 2:
        assert not steps


def test_there_and_back_are_two_steps() -> None:
    values = [*noise(1, 20), *(2 * value for value in noise(2, 20)), *noise(3, 20)]
    assert [step.index for step in find_steps(values)] == [20, 40]


def test_a_step_has_the_medians_of_both_sides() -> None:
    assert find_steps([1.0] * 6 + [2.0] * 8) == (LevelStep(6, 1.0, 2.0),)
    assert find_steps([2.0] * 12 + [0.0] * 12 + [2.0] * 11 + [5.0]) == (
        LevelStep(12, 2.0, 0.0),
        LevelStep(24, 0.0, 2.0),
    )


def test_what_is_too_little_to_matter_is_no_step() -> None:
    values = [1.0] * 20 + [1.04] * 20
    assert find_steps(values)
    assert not find_steps(values, LeastEffect(share=0.05))
    assert not find_steps(values, LeastEffect(absolute=0.05))
    # A slow climb in steps that are each too small: what is left is measured anew.
    assert len(find_steps([*values, *[1.08] * 20], LeastEffect(share=0.05))) == 1


@pytest.mark.parametrize("n", [0, 1, 2 * LEAST_RUN - 1])
def test_a_short_series_has_no_step(n: int) -> None:
    assert find_steps([float(number > n / 2) for number in range(n)]) == ()


@given(SERIES, st.floats(0, 1), st.floats(0, 100))
def test_steps_part_the_series(values: list[float], ratio: float, difference: float) -> None:
    least = LeastEffect(ratio, difference)
    steps = find_steps(values, least)
    places = [0, *(step.index for step in steps), len(values)]
    if steps:
        assert all(b - a >= LEAST_RUN for a, b in pairwise(places))
    for number, step in enumerate(steps):
        first, last = places[number], places[number + 2]
        assert step.before == np.median(values[first : step.index])
        assert step.after == np.median(values[step.index : last])
        assert abs(step.after - step.before) >= max(difference, ratio * abs(step.before))


@given(SERIES, st.integers(1, 1000), st.integers(-1000, 1000))
def test_unit_and_origin_do_not_matter(values: list[float], unit: int, origin: int) -> None:
    whole = [float(round(value)) for value in values]
    moved = [unit * value + origin for value in whole]
    assert [s.index for s in find_steps(moved)] == [s.index for s in find_steps(whole)]
