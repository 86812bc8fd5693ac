"""How often a regression is reported where there is none, and where there is one.

Samples of 10 + 10 timings are compared as `mlvalidate compare` does it, and with the rule that
comes to mind first: the means differ by more than 10 %. Noise is simulated, and real: a small piece
of work and one of 1.2 times its size are timed in turn, and alone one after the other.

    python benchmarks/regression.py [--pairs 4000] [--timings 300]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlvalidate.stats.comparison import Shift, Verdict, compare_pairs, compare_samples
from mlvalidate.stats.effects import LeastEffect

Array = NDArray[np.float64]
Compare = Callable[[Sequence[float], Sequence[float], LeastEffect], Shift]
Pairs = Iterator[tuple[Sequence[float], Sequence[float]]]

SAMPLES = 10
SLOWDOWN = 1.2
BARE = 0.10
# The timings are of a few milliseconds: what they are in seconds is not the question here.
LEAST = LeastEffect(share=0.05)
NOISES: dict[str, Callable[[np.random.Generator, int], Array]] = {
    "normal, 8 %": lambda rng, n: np.maximum(rng.normal(1, 0.08, n), 0.01),
    "lognormal, 8 %": lambda rng, n: rng.lognormal(0, 0.08, n),
    "lognormal, 30 %": lambda rng, n: rng.lognormal(0, 0.3, n),
    "normal, 5 %, one in ten up to twice": lambda rng, n: (
        rng.normal(1, 0.05, n) * np.where(rng.random(n) < 0.1, rng.uniform(1, 2, n), 1)
    ),
}


@dataclass
class Rate:
    """How often a change was reported, of how many comparisons, and by the bare rule."""

    compare: Compare = compare_samples
    times: int = 0
    reported: int = 0
    bare: int = 0

    def add(self, before: Sequence[float], after: Sequence[float], wrong: bool) -> None:
        """Compare two samples; where none is slower, `faster` is wrong as well."""
        verdict = self.compare(before, after, LEAST).verdict
        change = float(np.mean(after)) / float(np.mean(before)) - 1
        self.times += 1
        self.reported += verdict is Verdict.SLOWER or (wrong and verdict is Verdict.FASTER)
        self.bare += change > BARE or (wrong and change < -BARE)


def _rate(pairs: Pairs, compare: Compare = compare_samples, *, wrong: bool) -> Rate:
    rate = Rate(compare)
    for before, after in pairs:
        rate.add(before, after, wrong)
    return rate


def _simulated(name: str, number: int, factor: float) -> Pairs:
    rng = np.random.default_rng(len(name))
    for _ in range(number):
        before = NOISES[name](rng, SAMPLES)
        after = factor * NOISES[name](rng, SAMPLES)
        yield before.tolist(), after.tolist()


def _windows(before: Sequence[float], after: Sequence[float]) -> Pairs:
    """Yield all stretches of two series of timings that were taken in turn."""
    for first in range(min(len(before), len(after)) - SAMPLES + 1):
        span = slice(first, first + SAMPLES)
        yield before[span], after[span]


def _followed(series: Sequence[float]) -> Pairs:
    """Yield stretches of one series, each with the one after it: what two runs would measure."""
    for first in range(len(series) - 2 * SAMPLES + 1):
        middle = first + SAMPLES
        yield series[first:middle], series[middle : middle + SAMPLES]


def _work(size: int) -> float:
    begun = time.perf_counter()
    total = 0
    for number in range(size):
        total += number * number % 7
    return time.perf_counter() - begun


def _timed(number: int, size: int) -> tuple[list[float], list[float], list[float]]:
    """Time the work, the work again, and the greater work, in turn."""
    series: tuple[list[float], list[float], list[float]] = ([], [], [])
    for _ in range(number):
        for timings, factor in zip(series, (1.0, 1.0, SLOWDOWN), strict=True):
            timings.append(_work(round(factor * size)))
    return series


def _print(name: str, false: Rate, true: Rate) -> None:
    shares = [
        f"{100 * count / rate.times:.1f}"
        for rate in (false, true)
        for count in (rate.reported, rate.bare)
    ]
    print(f"| {name} | {shares[0]} | {shares[2]} | {shares[1]} | {shares[3]} |")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=int, default=4000)
    parser.add_argument("--timings", type=int, default=300)
    parser.add_argument("--size", type=int, default=300_000)
    options = parser.parse_args()
    print(f"{SAMPLES} + {SAMPLES} timings; in % of the comparisons\n")
    print("| noise | false | 20 % found | bare 10 %: false | bare 10 %: found |")
    print("| --- | --- | --- | --- | --- |")
    for name in NOISES:
        false = _rate(_simulated(name, options.pairs, 1.0), wrong=True)
        _print(name, false, _rate(_simulated(name, options.pairs, SLOWDOWN), wrong=False))
    same, again, more = _timed(options.timings, options.size)
    spread = float(np.std(same) / np.mean(same))
    for name, compare in (("samples", compare_samples), ("pairs", compare_pairs)):
        _print(
            f"real ({100 * spread:.0f} %), in turn, as {name}",
            _rate(_windows(same, again), compare, wrong=True),
            _rate(_windows(same, more), compare, wrong=False),
        )
    later = more[SAMPLES:]
    _print(
        "real, one after the other",
        _rate(_followed(same), wrong=True),
        _rate(_windows(same[: len(later)], later), wrong=False),
    )


if __name__ == "__main__":
    main()
