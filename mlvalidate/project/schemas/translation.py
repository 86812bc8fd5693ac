"""What a foreign schema comes to: keys of a dataset, and what could not be taken over."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

Keys = dict[str, Any]

# A schema says whether values may be missing, not how many are.
NULL_SHARE = 0.05


class SchemaError(Exception):
    """A schema can't be used; ``hint`` says what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message, self.hint = message, hint


@dataclass
class Translation:
    """Keys of a dataset: ``columns`` and perhaps others. ``notes`` name what is left out."""

    columns: dict[str, Keys] = field(default_factory=dict)
    dataset: Keys = field(default_factory=dict)
    rules: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def leave_out(self, what: str, column: str = "") -> None:
        """Note what no key of ours can say."""
        where = f"column {column!r}: " if column else ""
        self.notes.append(f"{where}not taken over: {what}")


def quoted(column: str) -> str:
    """Return a column as expressions name it."""
    return column if column.isidentifier() else f"`{column}`"


def narrow(keys: Keys, name: str, bound: Any) -> None:
    """Set `min` or `max`, unless the column has a narrower one."""
    known = keys.get(name)
    if known is None or (bound > known if name == "min" else bound < known):
        keys[name] = bound


def widest_length(least: int | None, most: int | None) -> list[int]:
    """Return `length` where one end may be open."""
    low = least or 0
    return [low, most if most is not None else max(2 * low, low + 100)]


def is_finite(value: object) -> bool:
    """Tell whether a value is a number that a bound may be."""
    return isinstance(value, int | float) and math.isfinite(value)
