"""Rounds what was seen, so that bounds and quantiles don't give single rows away."""

from __future__ import annotations

import math
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Context, Decimal

_UNITS = (86_400, 3600, 60)
# Digits enough for the whole range of floats.
_EXACT = Context(prec=1200)


def round_to(value: float, exponent: int, mode: str) -> float:
    """Return ``value`` on the grid of ``10**exponent``."""
    return float(Decimal(value).quantize(Decimal(1).scaleb(exponent), mode, _EXACT))


def outward(low: float, high: float, *, keep_low: bool, keep_high: bool) -> tuple[float, float]:
    """Return bounds around ``low`` and ``high``, rounded to about a fiftieth of what is between.

    Those to ``keep`` stay as they are: enough rows have them.
    """
    span = min(high / 2 - low / 2, 4e307) * 2
    exponent = _magnitude(span or abs(low) or 1.0) - 1
    if not keep_low:
        low = round_to(low, exponent, ROUND_FLOOR)
    if not keep_high:
        high = round_to(high, exponent, ROUND_CEILING)
    return low, high


def blurred(quantiles: list[float], *, seconds: bool = False) -> list[float]:
    """Return the quantiles with two digits of what is between neighbours; equal ones stay.

    Points in time, in ``seconds``, become whole minutes, hours or days.
    """
    rounded = list(quantiles)
    for i, value in enumerate(quantiles):
        gaps = [abs(value - quantiles[j]) for j in (i - 1, i + 1) if 0 <= j < len(quantiles)]
        if not all(gap > 0 for gap in gaps):
            continue
        if seconds:
            unit = next((unit for unit in _UNITS if unit <= min(gaps) / 20), 1)
            rounded[i] = round(value / unit) * unit
        else:
            rounded[i] = round_to(value, _magnitude(min(gaps)) - 1, ROUND_HALF_EVEN)
    return [max(rounded[: i + 1]) for i in range(len(rounded))]


def share_up(part: int, whole: int) -> float:
    """Return a share with three digits, never below what it is; 0 stays 0."""
    if not part:
        return 0.0
    share = part / whole
    return min(round_to(share, min(_magnitude(share), -1) - 2, ROUND_CEILING), 1.0)


def weights(counts: list[int]) -> list[float]:
    """Return shares of their sum with three decimals, or more for small ones."""
    total = sum(counts)
    return [
        round_to(count / total, min(_magnitude(count / total) - 1, -3), ROUND_HALF_EVEN)
        for count in counts
    ]


def shown(value: float, *, whole: bool) -> int | float:
    """Return a number as people write it."""
    return int(value) if whole or (value == int(value) and abs(value) < 1e15) else value


def _magnitude(value: float) -> int:
    return math.floor(math.log10(value))
