"""A series of values as a line of characters."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

_BARS = "▁▂▃▄▅▆▇█"
_ASCII_BARS = "_.-~=+*#"


def sparkline(
    values: Sequence[float], *, changes: Sequence[int] = (), width: int = 50, encoding: str = "utf8"
) -> str:
    """Return a bar for each value, from the lowest to the highest, and `|` before each change.

    ``changes`` are indices of values. Beyond ``width`` bars each stands for the median of several.
    Bars are of ASCII where the encoding has no others.
    """
    if not values:
        return ""
    bars = _BARS if _can_encode(encoding) else _ASCII_BARS
    per_bar = -(-len(values) // width)
    low, high = min(values), max(values)
    places = {change // per_bar for change in changes}
    drawn = []
    for place, begin in enumerate(range(0, len(values), per_bar)):
        value = statistics.median(values[begin : begin + per_bar])
        # Divided first: the range of large values is beyond the largest float.
        share = (value / 2 - low / 2) / (high / 2 - low / 2) if high > low else 0.0
        drawn.append("|" if place in places else "")
        drawn.append(bars[min(int(share * len(bars)), len(bars) - 1)])
    return "".join(drawn)


def _can_encode(encoding: str) -> bool:
    try:
        _BARS.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True
