"""How often drift is reported where there is none, and where there is some.

Pairs of tables of 20 columns (heavy tails, skew, ties, gaps, many categories) are drawn from the
same distribution, and the columns that drift by design are added one by one for the power. False
alarms of Evidently's tests at their defaults stand beside ours, on the same pairs.

    python benchmarks/drift.py [--pairs 1000] [--power-pairs 200]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
import pandas as pd

from mlvalidate.core.columns import DriftRule
from mlvalidate.core.quality import ColumnDrift
from mlvalidate.data.drift import judge_drift, measure_column
from mlvalidate.data.table_samples import Role

SIZES = ((100, 100), (1000, 1000), (10_000, 10_000), (1000, 10_000))
Draw = Callable[[np.random.Generator, int], pd.Series]


def _numbers(draw: Callable[[np.random.Generator, int], object]) -> tuple[Role, Draw]:
    return Role.NUMBER, lambda rng, n: pd.Series(np.asarray(draw(rng, n), dtype="float64"))


def _categories(shares: object) -> tuple[Role, Draw]:
    weights = np.asarray(shares, dtype="float64")
    weights /= weights.sum()
    names = np.array([f"v{number}" for number in range(len(weights))], dtype=object)
    return Role.CATEGORY, lambda rng, n: pd.Series(rng.choice(names, n, p=weights))


def _with_gaps(share: float) -> tuple[Role, Draw]:
    def draw(rng: np.random.Generator, n: int) -> pd.Series:
        values = pd.Series(rng.normal(size=n))
        return values.where(rng.random(n) >= share)

    return Role.NUMBER, draw


COLUMNS: dict[str, tuple[Role, Draw]] = {
    "normal": _numbers(lambda rng, n: rng.normal(size=n)),
    "uniform": _numbers(lambda rng, n: rng.random(n)),
    "lognormal": _numbers(lambda rng, n: rng.lognormal(0, 2, n)),
    "cauchy": _numbers(lambda rng, n: rng.standard_cauchy(n)),
    "pareto": _numbers(lambda rng, n: rng.pareto(1.1, n)),
    "t2": _numbers(lambda rng, n: rng.standard_t(2, n)),
    "exponential": _numbers(lambda rng, n: rng.exponential(size=n)),
    "poisson": _numbers(lambda rng, n: rng.poisson(2, n)),
    "zero_inflated": _numbers(lambda rng, n: rng.exponential(size=n) * (rng.random(n) < 0.1)),
    "counts": _numbers(lambda rng, n: rng.geometric(0.01, n)),
    "gaps_5": _with_gaps(0.05),
    "gaps_50": _with_gaps(0.5),
    "boolean": _categories([0.5, 0.5]),
    "rare_boolean": _categories([0.99, 0.01]),
    "weekday": _categories(np.ones(7)),
    "skewed": _categories([0.9, 0.05, 0.03, 0.01, 0.01]),
    "fifty": _categories(np.ones(50)),
    "zipf": _categories(1 / np.arange(1, 200)),
    "thousand": _categories(np.ones(1000)),
    "geometric": _categories(0.5 ** np.arange(12)),
}


def shifted_mean(rng: np.random.Generator, n: int, *, shifted: bool) -> pd.Series:
    """Return normal values, with a mean half a standard deviation higher when shifted."""
    return pd.Series(rng.normal(0.5 if shifted else 0.0, 1, n))


def shifted_share(rng: np.random.Generator, n: int, *, shifted: bool) -> pd.Series:
    """Return categories; shifted, the first has 15 points more."""
    shares = [0.55, 0.25, 0.2] if shifted else [0.4, 0.35, 0.25]
    return pd.Series(rng.choice(np.array(["a", "b", "c"], dtype=object), n, p=shares))


def shifted_nulls(rng: np.random.Generator, n: int, *, shifted: bool) -> pd.Series:
    """Return normal values of which 2 %, or shifted 12 %, are missing."""
    return pd.Series(rng.normal(size=n)).where(rng.random(n) >= (0.12 if shifted else 0.02))


SHIFTS = {
    "mean +0.5 sd": (Role.NUMBER, shifted_mean),
    "category share +15 points": (Role.CATEGORY, shifted_share),
    "missing values 2% -> 12%": (Role.NUMBER, shifted_nulls),
}


def measure_pair(rng: np.random.Generator, sizes: tuple[int, int]) -> list[ColumnDrift]:
    """Return what is measured of two tables that come from the same distribution."""
    return [
        measure_column(name, draw(rng, sizes[0]), draw(rng, sizes[1]), role, DriftRule())
        for name, (role, draw) in COLUMNS.items()
    ]


def false_alarms(pairs: int, sizes: tuple[int, int]) -> tuple[float, float]:
    """Return the shares of pairs with any drift: as Evidently's tests say, and as we do."""
    rng = np.random.default_rng(sizes[0] * 7 + sizes[1])
    theirs = ours = 0
    for _ in range(pairs):
        measured = measure_pair(rng, sizes)
        theirs += any(column.drifted for column in measured)
        judged = judge_drift({"": measured})[""]
        ours += any(column.has_drifted for column in judged)
    return theirs / pairs, ours / pairs


def power(pairs: int, sizes: tuple[int, int], shift: str) -> float:
    """Return the share of pairs in which the one column that drifts, among 20, is found."""
    rng = np.random.default_rng(sizes[0] * 7 + sizes[1] + 1)
    role, draw = SHIFTS[shift]
    found = 0
    for _ in range(pairs):
        sides = draw(rng, sizes[0], shifted=False), draw(rng, sizes[1], shifted=True)
        column = measure_column("shifted", *sides, role, DriftRule())
        judged = judge_drift({"": [column, *measure_pair(rng, sizes)[1:]]})[""]
        found += judged[0].has_drifted
    return found / pairs


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=1000)
    parser.add_argument("--power-pairs", type=int, default=200)
    options = parser.parse_args()
    started = time.perf_counter()
    print(f"any drift reported on equally distributed tables of 20 columns, {options.pairs} pairs")
    print(f"{'rows':>16}  {'Evidently':>10}  {'mlvalidate':>10}")
    for sizes in SIZES:
        theirs, ours = false_alarms(options.pairs, sizes)
        print(f"{sizes[0]:>7} : {sizes[1]:>6}  {theirs:>10.1%}  {ours:>10.1%}", flush=True)
    print(f"\nwhat is found of one column among 20, {options.power_pairs} pairs")
    for shift in SHIFTS:
        for sizes in SIZES:
            share = power(options.power_pairs, sizes, shift)
            print(f"{sizes[0]:>7} : {sizes[1]:>6}  {share:>10.1%}  {shift}", flush=True)
    print(f"\n{time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
