"""Whether one sample of timings is slower than another: slower, faster, or nobody can say.

Times are compared by their logarithms, so a shift is a ratio. The shift is Hodges and Lehmann's:
the median of all differences between the two samples, which outliers hardly move. Its interval
comes from the exact distribution of Mann and Whitney's statistic, so it holds for any shape of the
noise, as long as both samples have the same one.

Timings that were taken in turn are pairs, and what slows both halves of a pair does not count:
there it is the median of all means of two ratios, with the interval of Wilcoxon's signed ranks.

A verdict needs an interval without 1, and a shift that anybody would care for.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

import numpy as np
from numpy.typing import NDArray

from mlvalidate.stats.effects import LeastEffect

Array = NDArray[np.float64]

CONFIDENCE = 0.99
# Newer ones say all there is to say; the exact distribution of more takes long.
MOST_SAMPLES = 100
# What turns the median of absolute deviations into a standard deviation, for normal noise.
_MAD_TO_SIGMA = 1.4826
# Figures that are equal to the last digit are not that exact; and no figure is 0 or less.
_LEAST_SPREAD = 0.003
_LEAST_VALUE = 1e-9
# The spread of fewer values says next to nothing.
_LEAST_FOR_SPREAD = 5
_USUAL = LeastEffect(share=0.05, absolute=0.05)


class Verdict(StrEnum):
    """What can be said of the second sample."""

    SLOWER = "slower"
    FASTER = "faster"
    CANNOT_SAY = "cannot say"


@dataclass(frozen=True)
class Shift:
    """How the second sample lies to the first.

    ``ratio`` says how many times as long it takes; ``low`` and ``high`` are its bounds with 99 %
    confidence, None where there are too few values for any. ``medians`` and ``counts`` are those of
    the first sample and of the second, ``deviations`` how many robust standard deviations of the
    first the medians lie apart, None where that has none. ``reason`` says why there is no verdict.
    """

    verdict: Verdict
    ratio: float
    medians: tuple[float, float]
    counts: tuple[int, int]
    low: float | None = None
    high: float | None = None
    deviations: float | None = None
    reason: str = ""


def compare_samples(
    before: Sequence[float], after: Sequence[float], least: LeastEffect = _USUAL
) -> Shift:
    """Compare two samples of positive figures; ValueError when one is empty.

    Of more than 100 values the last 100 are taken.
    """
    if not before or not after:
        raise ValueError("there is nothing to compare")
    first, second = (_cleaned(values) for values in (before, after))
    differences = np.sort(np.subtract.outer(np.log(second), np.log(first)).ravel())
    rank = interval_rank(len(first), len(second), CONFIDENCE)
    return _shift(first, second, differences, rank, least)


def compare_pairs(
    before: Sequence[float], after: Sequence[float], least: LeastEffect = _USUAL
) -> Shift:
    """Compare figures that were taken in turn: equally many, each with the one at its place.

    ValueError when there are none, or not equally many. Of more than 100 the last 100 are taken.
    """
    if not before or len(before) != len(after):
        raise ValueError(f"{len(before)} and {len(after)} figures are no pairs")
    first, second = (_cleaned(values) for values in (before, after))
    ratios = np.log(second) - np.log(first)
    places = np.triu_indices(len(ratios))
    means = np.sort((ratios[places[0]] + ratios[places[1]]) / 2)
    return _shift(first, second, means, pairs_rank(len(ratios), CONFIDENCE), least)


def _shift(first: Array, second: Array, logs: Array, rank: int, least: LeastEffect) -> Shift:
    """Return the shift of which the estimates are given, sorted; ``rank`` bounds its interval."""
    medians = float(np.median(first)), float(np.median(second))
    shift = Shift(
        verdict=Verdict.CANNOT_SAY,
        ratio=math.exp(float(np.median(logs))),
        medians=medians,
        counts=(len(first), len(second)),
        deviations=_deviations(first, medians[1]),
    )
    if rank == 0:
        return _without_interval(shift)
    low, high = (math.exp(float(logs[at])) for at in (rank - 1, -rank))
    return _judged(shift, low, high, least)


def _cleaned(values: Sequence[float]) -> Array:
    return np.asarray(values[-MOST_SAMPLES:], np.float64).clip(_LEAST_VALUE)


def _deviations(first: Array, median: float) -> float | None:
    """Return how far a median lies from the first sample's, in its robust standard deviations."""
    if len(first) < _LEAST_FOR_SPREAD:
        return None
    logs = np.log(first)
    centre = float(np.median(logs))
    spread = _MAD_TO_SIGMA * float(np.median(np.abs(logs - centre)))
    return (math.log(median) - centre) / max(spread, _LEAST_SPREAD)


def _judged(shift: Shift, low: float, high: float, least: LeastEffect) -> Shift:
    if low <= 1 <= high:
        verdict, reason = Verdict.CANNOT_SAY, "no difference beyond chance"
    elif _is_small(shift, least):
        verdict, reason = Verdict.CANNOT_SAY, "the difference is too small to count"
    else:
        verdict, reason = (Verdict.SLOWER if low > 1 else Verdict.FASTER), ""
    return Shift(
        verdict, shift.ratio, shift.medians, shift.counts, low, high, shift.deviations, reason
    )


def _is_small(shift: Shift, least: LeastEffect) -> bool:
    """Tell whether the shift is below one of the least effects, the same in both directions."""
    factor = max(shift.ratio, 1 / shift.ratio)
    # In the unit of the figures, between the faster sample and what the shift makes of it.
    return factor < 1 + least.share or min(shift.medians) * (factor - 1) < least.absolute


def _without_interval(shift: Shift) -> Shift:
    before, after = shift.counts
    reason = f"{before} and {after} measurements are too few"
    if shift.deviations is not None and abs(shift.deviations) > 3:
        way = "above" if shift.deviations > 0 else "below"
        reason += f", though the newer lie {abs(shift.deviations):.0f} deviations {way} the older"
    return Shift(
        shift.verdict, shift.ratio, shift.medians, shift.counts, None, None,
        shift.deviations, reason,
    )  # fmt: skip


@cache
def interval_rank(first: int, second: int, confidence: float) -> int:
    """Return which of the sorted differences bounds the interval, from either end, counted from 1.

    0 when no interval of that confidence can be made of samples of these sizes.
    """
    return _rank(_ways(first, second), confidence)


@cache
def pairs_rank(pairs: int, confidence: float) -> int:
    """Return the same for pairs: which of their sorted mean ratios bounds the interval."""
    ways = [1]
    for place in range(1, pairs + 1):
        # Each pair adds its place to the sum of signed ranks, or nothing.
        ways = [
            (ways[at] if at < len(ways) else 0) + (ways[at - place] if at >= place else 0)
            for at in range(len(ways) + place)
        ]
    return _rank(ways, confidence)


def _rank(ways: Sequence[int], confidence: float) -> int:
    """Return how many of the least values of a statistic are left to chance, in one tail."""
    allowed = (1 - confidence) / 2 * sum(ways) * (1 + 1e-12)
    total = 0
    for statistic, number in enumerate(ways):
        total += number
        if total > allowed:
            return statistic
    raise AssertionError("all ways are more than one tail")


def _ways(first: int, second: int) -> list[int]:
    """Return how many orders of the two samples have each value of Mann and Whitney's statistic.

    These are the coefficients of the Gaussian binomial: the product over i of
    `(1 - x^(second + i)) / (1 - x^i)`.
    """
    ways = [1] + [0] * (first * second)
    for factor in range(1, first + 1):
        step = second + factor
        for at in range(len(ways) - 1, step - 1, -1):
            ways[at] -= ways[at - step]
        for at in range(factor, len(ways)):
            ways[at] += ways[at - factor]
    return ways
