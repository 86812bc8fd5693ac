"""Where a series of values moves to another level: change points by ranks.

The series is cut such that the mean ranks of its pieces differ as much as they can (the statistic
of Kruskal and Wallis), less a penalty for each cut. Ranks make an outlier one value among others,
and the penalty is such that a series without any step is cut in fewer than one case in a hundred.
What is significant may still be too little to matter: steps of the median below a least effect are
taken back, the smallest first.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlvalidate.stats.effects import ANY_EFFECT, LeastEffect

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

# Fewer values in a row, as those of an hour in which the machine was busy, are no level.
LEAST_RUN = 5

# Of `_penalty`, fitted to simulations of noise of 10 to 1,000 values.
_PENALTY = 9.0
_FEWER = 45.0


@dataclass(frozen=True)
class LevelStep:
    """A step to another level. ``index`` is that of the first value after it; levels are medians.

    Each level is that of the values up to the next step, or to the end of the series.
    """

    index: int
    before: float
    after: float


def find_steps(values: Sequence[float], least: LeastEffect = ANY_EFFECT) -> tuple[LevelStep, ...]:
    """Return the steps of a series of finite values, in their order.

    Both sides of a step have `LEAST_RUN` values or more: a shorter series has none.
    """
    import numpy as np

    series = np.asarray(values, dtype=np.float64)
    if len(series) < 2 * LEAST_RUN:
        return ()
    cuts = _settle(series, _cut(_centred_ranks(series)))
    while True:
        steps = _steps(series, cuts)
        small = [step for step in steps if not _matters(step, least)]
        if not small:
            return tuple(steps)
        cuts.remove(min(small, key=lambda step: abs(step.after - step.before)).index)


def _matters(step: LevelStep, least: LeastEffect) -> bool:
    difference = abs(step.after - step.before)
    return difference > 0 and difference >= max(least.absolute, least.share * abs(step.before))


def _steps(series: Array, cuts: Sequence[int]) -> list[LevelStep]:
    import numpy as np

    levels = [float(np.median(piece)) for piece in np.split(series, cuts)]
    return [
        LevelStep(index, before, after)
        for index, before, after in zip(cuts, levels[:-1], levels[1:], strict=True)
    ]


def _settle(series: Array, cuts: Sequence[int]) -> list[int]:
    """Return the cuts moved to where the values change sides: ranks may miss that by a few."""
    import numpy as np

    settled = [0]
    for step, end in zip(_steps(series, cuts), [*cuts, len(series)][1:], strict=True):
        begin = settled[-1]
        piece = series[begin:end]
        costs = np.abs(piece - step.before) - np.abs(piece - step.after)
        until = np.cumsum(costs)[LEAST_RUN - 1 : len(piece) - LEAST_RUN]
        settled.append(begin + LEAST_RUN + int(np.argmin(until)))
    return settled[1:]


def _centred_ranks(series: Array) -> Array:
    """Return ranks with mean 0 and variance 1; equal values share the mean of their ranks."""
    import numpy as np

    _, places, counts = np.unique(series, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks: Array = (last - (counts - 1) / 2)[places] - (len(series) + 1) / 2
    spread = float(np.std(ranks, ddof=1))
    return ranks / spread if spread else ranks


def _penalty(n: int) -> float:
    """Return what a cut must be worth: noise comes to that in fewer than 1 % of series."""
    return _PENALTY + math.log(n) - _FEWER / n


def _cut(ranks: Array) -> list[int]:
    """Return the best cuts: an optimal partition, found by dynamic programming in O(n^2)."""
    import numpy as np

    n = len(ranks)
    sums = np.concatenate(([0.0], np.cumsum(ranks)))
    penalty = _penalty(n)
    # Of the first `end` values: what the best partition is worth, and where its last piece begins.
    worth = np.full(n + 1, -np.inf)
    worth[0] = penalty
    begins = np.zeros(n + 1, dtype=int)
    for end in range(LEAST_RUN, n + 1):
        starts = np.arange(end - LEAST_RUN + 1)
        gains = worth[starts] + (sums[end] - sums[starts]) ** 2 / (end - starts) - penalty
        begins[end] = int(np.argmax(gains))
        worth[end] = gains[begins[end]]
    cuts: list[int] = []
    end = n
    while begins[end] > 0:
        end = int(begins[end])
        cuts.insert(0, end)
    return cuts
