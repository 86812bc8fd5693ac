"""How much of a file is read: what is larger is known by its columns and rows only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mlvalidate.core.units import format_size
from mlvalidate.data.errors import UnreadableFile

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Limits:
    """Bytes of a table in memory, of an unpacked JSON file and of a line; columns of a table.

    Of a csv file that is too large so many unpacked bytes are looked through to count its rows.
    """

    table: int = 512 * 10**6
    json: int = 64 * 10**6
    line: int = 64 * 2**20
    columns: int = 20_000
    counted: int = 8 * 10**9


LIMITS = Limits()


@dataclass(frozen=True)
class Outline:
    """What is known of a table that was not read: columns, and rows unless too many."""

    names: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    rows: int | None = None

    def summary(self) -> dict[str, str]:
        """Return column -> type; the second column `a` appears as `a.1`."""
        from mlvalidate.data.arrow_tables import unique_names

        return dict(zip(unique_names(self.names), self.types, strict=True))

    def as_frame(self) -> pd.DataFrame:
        """Return a table of the same columns without rows."""
        import pandas as pd

        return pd.DataFrame(columns=pd.Index(self.names, dtype=object))


class TooLarge(UnreadableFile):
    """A file that is not read because of a limit; the text says which."""

    def __init__(self, reason: str, outline: Outline | None = None) -> None:
        super().__init__(reason)
        self.outline = outline


@dataclass
class Budget:
    """Adds up what a table takes in memory."""

    most: int
    spent: int = field(default=0, init=False)

    def fits(self, size: int) -> bool:
        """Add a size; return whether all of it is within the limit."""
        self.spent += size
        return self.spent <= self.most


def too_large(limits: Limits, outline: Outline | None = None) -> TooLarge:
    """Return the error for a table that takes too much memory."""
    return TooLarge(f"its table takes more than {format_size(limits.table)} of memory", outline)


def check_width(columns: int, limits: Limits) -> None:
    """Raise TooLarge for a table of too many columns."""
    if columns > limits.columns:
        raise TooLarge(f"it has {columns:,} columns, more than {limits.columns:,}")
