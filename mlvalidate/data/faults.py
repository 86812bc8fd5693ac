"""What can be wrong with a table: plain data that checks make findings of."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from mlvalidate.core.findings import MOST_EVIDENCE
from mlvalidate.core.model import Model

if TYPE_CHECKING:
    import pandas as pd

LONGEST_EXAMPLE = 60


class FaultKind(StrEnum):
    """In which way a table is not what was declared."""

    MISSING_COLUMN = "missing_column"
    UNDECLARED_COLUMN = "undeclared_column"
    DUPLICATE_COLUMN = "duplicate_column"
    WRONG_TYPE = "wrong_type"
    NULL = "null"
    MANY_NULLS = "many_nulls"
    NOT_FINITE = "not_finite"
    OUT_OF_RANGE = "out_of_range"
    UNKNOWN_VALUE = "unknown_value"
    MALFORMED = "malformed"
    NOT_UNIQUE = "not_unique"
    OUT_OF_ORDER = "out_of_order"
    CONSTANT = "constant"
    BROKEN_RULE = "broken_rule"


class Fault(Model):
    """One column, or one rule between columns, that is not as the dataset declares.

    ``count`` cells of ``rows`` are at fault; ``examples`` are the first of them, with their row,
    counted from 1 without the header. ``counterpart`` is the missing column that an
    undeclared one seems to stand for, or the other way round. ``suggestion`` may be empty.
    """

    kind: FaultKind
    column: str
    expected: str = ""
    found: str = ""
    count: int = 0
    rows: int = 0
    examples: tuple[str, ...] = ()
    counterpart: str = ""
    suggestion: str = ""


def examples_of(cells: pd.Series) -> tuple[str, ...]:
    """Return the first cells with their row; the index counts rows from 0."""
    return tuple(
        f"row {row + 1}: {shorten(cell)}" for row, cell in cells.head(MOST_EVIDENCE).items()
    )


def shorten(cell: Any) -> str:
    """Return a cell as Python writes it, cut to LONGEST_EXAMPLE characters."""
    text = repr(cell.item() if hasattr(cell, "item") and getattr(cell, "ndim", 1) == 0 else cell)
    return text if len(text) <= LONGEST_EXAMPLE else f"{text[: LONGEST_EXAMPLE - 1]}…"
