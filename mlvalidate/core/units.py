"""Durations, sizes and counts as people write them: ``1h30m``, ``2GB``, ``512MiB``, ``5M``."""

from __future__ import annotations

import math
import re

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)")
_BYTES = {
    "": 1, "b": 1,
    "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12,
    "kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40,
}  # fmt: skip
# More digits than any machine has bytes would overflow.
_SIZE = re.compile(r"(\d{1,30}(?:\.\d{1,30})?)\s*([kmgt]?i?b?)", re.IGNORECASE)

_COUNT = re.compile(r"(\d{1,15}(?:\.\d{1,6})?)\s*([km]?)", re.IGNORECASE)
_TIMES = {"": 1, "k": 10**3, "m": 10**6}
# Beyond this a number of rows is a slip.
_MOST_ROWS = 10**12


def parse_count(value: str | int) -> int:
    """Return a number of rows for ``5000``, ``"5k"``, ``"2.5M"`` or ``"5_000"``.

    Raises ValueError when the text is no such number, or it is not within 1 and 10^12.
    """
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError("expected a number of rows such as 5000, 5k or 2.5M")
    text = str(value).strip().replace("_", "")
    match = _COUNT.fullmatch(text)
    number = float(match.group(1)) * _TIMES[match.group(2).lower()] if match else 0.5
    if number != int(number):
        raise ValueError(f"expected a number of rows such as 5000, 5k or 2.5M, got {value!r}")
    if not 1 <= number <= _MOST_ROWS:
        raise ValueError("a number of rows must be more than zero, and at most 10^12")
    return int(number)


def format_count(number: int) -> str:
    """Return a number as `parse_count` reads it, the shortest way: ``5M``, ``10k``, ``1234``."""
    for suffix, times in (("M", 10**6), ("k", 10**3)):
        if number and number % times == 0:
            return f"{number // times}{suffix}"
    return str(number)


def parse_duration(value: str | int | float) -> float:
    """Return seconds for ``90``, ``"90s"``, ``"10m"``, ``"1h30m"`` or ``"30d"``.

    Raises ValueError when the text is no duration or the duration is not positive.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("expected a duration such as 30s, 10m or 1h30m")
    if isinstance(value, int | float):
        seconds = float(value)
    else:
        text = value.strip().lower()
        parts = _DURATION.findall(text)
        if "".join(f"{number}{unit}" for number, unit in parts) != text.replace(" ", ""):
            parts = []
        if not parts and not re.fullmatch(r"\d+(\.\d+)?", text):
            raise ValueError(f"expected a duration such as 30s, 10m or 1h30m, got {value!r}")
        seconds = sum(float(n) * _SECONDS[unit] for n, unit in parts) if parts else float(text)
    if not 0 < seconds < math.inf:
        raise ValueError("a duration must be more than zero, and finite")
    return seconds


def parse_size(value: str | int) -> int:
    """Return bytes for ``1048576``, ``"2GB"`` (10^9) or ``"512MiB"`` (2^20).

    Raises ValueError when the text is no size or the size is not positive.
    """
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError("expected a size such as 512MB or 2GB")
    if isinstance(value, int):
        size = value
    else:
        match = _SIZE.fullmatch(value.strip())
        unit = match.group(2).lower() if match else None
        if match is None or unit not in _BYTES:
            raise ValueError(f"expected a size such as 512MB or 2GB, got {value!r}")
        size = int(float(match.group(1)) * _BYTES[unit])
    if size <= 0:
        raise ValueError("a size must be more than zero")
    return size


def format_duration(seconds: float) -> str:
    """Return a short text for people: ``85ms``, ``1.24s``, ``3m 05s``."""
    if seconds < 1:
        return f"{seconds * 1000:.0f}ms"
    if seconds < 60:
        return f"{seconds:.2f}s" if seconds < 10 else f"{seconds:.1f}s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h {minutes:02d}m" if hours else f"{minutes}m {rest:02d}s"


def format_size(size: float) -> str:
    """Return a short text for people, in powers of ten: ``812B``, ``3.4MB``."""
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f}{unit}" if unit == "B" or size >= 100 else f"{size:.1f}{unit}"
        size /= 1000
    return f"{size:.1f}TB"
