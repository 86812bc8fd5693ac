"""Two samples of timings, and what can be said about them."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu, wilcoxon

from mlvalidate.stats.comparison import (
    MOST_SAMPLES,
    Verdict,
    compare_pairs,
    compare_samples,
    interval_rank,
    pairs_rank,
)
from mlvalidate.stats.effects import ANY_EFFECT

times = st.lists(st.floats(0.001, 1000), min_size=1, max_size=12)
numbers = st.integers(1, 14)

TEN = [1.0, 1.02, 0.97, 1.01, 0.99, 1.03, 0.98, 1.0, 1.01, 0.99]


@given(numbers, numbers)
def test_the_interval_has_the_confidence_and_none_is_narrower(first: int, second: int) -> None:
    rank = interval_rank(first, second, 0.99)
    # Sorted so that all of the first come first: U counts the pairs in which the second is less.
    low, high = list(range(first)), list(range(first, first + second))

    def tail(statistic: int) -> float:
        """P(U <= statistic), by brute force of scipy: any sample with this U will do."""
        flips = low + high
        for _ in range(statistic):
            place = next(at for at in range(len(flips) - 1) if flips[at] < first <= flips[at + 1])
            flips[place], flips[place + 1] = flips[place + 1], flips[place]
        xs = [at for at, value in enumerate(flips) if value < first]
        ys = [at for at, value in enumerate(flips) if value >= first]
        return float(mannwhitneyu(ys, xs, alternative="greater", method="exact").pvalue)

    if rank:
        assert tail(rank - 1) <= 0.005 + 1e-9
    if rank < first * second:
        assert tail(rank) > 0.005 - 1e-9


@pytest.mark.parametrize(
    ("sizes", "suffice"), [((5, 5), True), ((5, 4), False), ((3, 10), True), ((1, 50), False)]
)
def test_how_many_measurements_suffice(sizes: tuple[int, int], suffice: bool) -> None:
    assert (interval_rank(*sizes, 0.99) > 0) is suffice


def test_a_clear_difference_is_told_in_both_directions() -> None:
    slow = [1.2 * value for value in TEN]
    found = compare_samples(TEN, slow)
    assert found.verdict is Verdict.SLOWER
    assert found.ratio == pytest.approx(1.2, abs=0.01)
    assert found.low is not None
    assert found.high is not None
    assert 1.1 < found.low < 1.2 < found.high < 1.3
    assert compare_samples(slow, TEN).verdict is Verdict.FASTER


def test_what_is_too_small_to_count() -> None:
    assert compare_samples(TEN, [1.04 * value for value in TEN]).verdict is Verdict.CANNOT_SAY
    fast = [value / 100 for value in TEN]
    small = compare_samples(fast, [3 * value for value in fast])
    assert (small.verdict, small.reason) == (
        Verdict.CANNOT_SAY,
        "the difference is too small to count",
    )
    assert compare_samples(fast, [9 * value for value in fast]).verdict is Verdict.SLOWER


def test_few_measurements_are_no_verdict_but_a_hint() -> None:
    found = compare_samples(TEN, [2.0])
    assert (found.verdict, found.low, found.high) == (Verdict.CANNOT_SAY, None, None)
    assert found.deviations is not None
    assert found.deviations > 20
    assert found.reason.startswith("10 and 1 measurements are too few, though the newer lie")
    alone = compare_samples([1.0], [2.0])
    assert (alone.deviations, alone.reason) == (None, "1 and 1 measurements are too few")


def test_outliers_do_not_move_the_verdict() -> None:
    assert compare_samples(TEN, [*TEN[:8], 9.0, 12.0]).verdict is Verdict.CANNOT_SAY
    slow = [1.3 * value for value in TEN]
    assert compare_samples([*TEN[:9], 50.0], slow).verdict is Verdict.SLOWER


@given(times, times)
def test_the_other_way_round_is_the_other_way_round(
    before: list[float], after: list[float]
) -> None:
    there, back = compare_samples(before, after), compare_samples(after, before)
    opposite = {
        Verdict.SLOWER: Verdict.FASTER,
        Verdict.FASTER: Verdict.SLOWER,
        Verdict.CANNOT_SAY: Verdict.CANNOT_SAY,
    }
    assert back.ratio == pytest.approx(1 / there.ratio)
    assert (there.low is None) is (back.low is None)
    if there.low is not None and back.high is not None:
        assert back.high == pytest.approx(1 / there.low)
    # The last digit may decide at the very edge of the interval.
    if there.low is None or not any(math.isclose(x, 1) for x in (there.low, there.high or 1)):
        there_small, back_small = (
            compare_samples(*pair, ANY_EFFECT) for pair in ((before, after), (after, before))
        )
        assert back_small.verdict is opposite[there_small.verdict]


@given(times, times)
def test_the_shift_lies_within_its_interval(before: list[float], after: list[float]) -> None:
    found = compare_samples(before, after)
    if found.low is not None and found.high is not None:
        assert found.low <= found.ratio * (1 + 1e-9)
        assert found.ratio <= found.high * (1 + 1e-9)
    assert (found.reason == "") is (found.verdict is not Verdict.CANNOT_SAY)


@given(times, times, st.floats(0.01, 100))
def test_the_unit_does_not_matter(before: list[float], after: list[float], unit: float) -> None:
    found = compare_samples(before, after, ANY_EFFECT)
    scaled = compare_samples([unit * x for x in before], [unit * x for x in after], ANY_EFFECT)
    assert scaled.ratio == pytest.approx(found.ratio)
    if found.low is not None:
        assert scaled.low == pytest.approx(found.low)


@given(times)
def test_a_sample_is_not_slower_than_itself(values: list[float]) -> None:
    found = compare_samples(values, values)
    assert found.verdict is Verdict.CANNOT_SAY
    assert found.ratio == pytest.approx(1)


def test_there_must_be_something_to_compare() -> None:
    with pytest.raises(ValueError, match="nothing to compare"):
        compare_samples([], [1.0])


def test_of_many_values_the_last_count() -> None:
    rng = np.random.default_rng(1)
    old = list(rng.normal(5, 0.1, 50))
    new = list(rng.normal(1, 0.1, MOST_SAMPLES))
    assert compare_samples(old + new, new).counts == (MOST_SAMPLES, MOST_SAMPLES)
    assert compare_samples(old + new, new).ratio == pytest.approx(1)


@given(st.integers(1, 20))
def test_the_interval_of_pairs_has_the_confidence_and_none_is_narrower(pairs: int) -> None:
    rank = pairs_rank(pairs, 0.99)

    def tail(statistic: int) -> float:
        """P(sum of signed ranks <= statistic), by scipy: any signs with this sum will do."""
        left, signs = statistic, [-1] * pairs
        for place in range(pairs, 0, -1):
            if place <= left:
                left, signs[place - 1] = left - place, 1
        values = [(place + 1) * sign for place, sign in enumerate(signs)]
        return float(wilcoxon(values, alternative="less", method="exact").pvalue)

    if rank:
        assert tail(rank - 1) <= 0.005 + 1e-9
    if rank < pairs * (pairs + 1) // 2:
        assert tail(rank) > 0.005 - 1e-9


def test_what_slows_both_halves_of_a_pair_does_not_count() -> None:
    load = np.linspace(1, 5, 10)
    slow = [1.2 * x for x in load * TEN]
    assert compare_samples(list(load), slow).verdict is Verdict.CANNOT_SAY
    found = compare_pairs(list(load), slow)
    assert found.verdict is Verdict.SLOWER
    assert found.ratio == pytest.approx(1.2, abs=0.02)
    assert compare_pairs(slow, list(load)).verdict is Verdict.FASTER
    assert compare_pairs(list(load), list(load * TEN)).verdict is Verdict.CANNOT_SAY


@given(st.lists(st.tuples(st.floats(0.001, 1000), st.floats(0.001, 1000)), min_size=1, max_size=12))
def test_pairs_the_other_way_round(pairs: list[tuple[float, float]]) -> None:
    before, after = ([pair[side] for pair in pairs] for side in (0, 1))
    there, back = compare_pairs(before, after), compare_pairs(after, before)
    assert back.ratio == pytest.approx(1 / there.ratio)
    if there.low is not None and there.high is not None:
        assert back.high == pytest.approx(1 / there.low)
        assert there.low <= there.ratio * (1 + 1e-9)
        assert there.ratio <= there.high * (1 + 1e-9)


def test_pairs_are_as_many_on_both_sides() -> None:
    with pytest.raises(ValueError, match="2 and 1 figures are no pairs"):
        compare_pairs([1.0, 2.0], [1.0])


def test_values_of_zero_are_compared_too() -> None:
    found = compare_samples([0.0] * 6, [1.0] * 6)
    assert found.verdict is Verdict.SLOWER
    assert replace(found, reason="").ratio > 1000
