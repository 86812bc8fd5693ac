"""The ends of what a column may hold, as declarations that allow nothing else."""

from __future__ import annotations

import datetime as dt
import math

from mlvalidate.core.columns import Bound, Column, ColumnType, as_comparable
from mlvalidate.data.errors import Impossible

# The longest text where none is declared: what databases usually allow.
LONGEST_TEXT = 255
# A declaration that allows more is not tried to its end.
LONGEST_TRIED = 10_000
EPOCH = dt.datetime(1970, 1, 1)


def end_of(column: Column, *, highest: bool) -> Column | None:
    """Return the column with nothing left but one end of its range; None where it has no end."""
    if column.values is not None or column.like is not None or column.rate is not None:
        return None
    if column.type.is_textual:
        return _text_of_length(column, highest=highest)
    if column.type is ColumnType.LIST and column.length is not None:
        size = column.length[1] if highest else column.length[0]
        return column.model_copy(update={"length": (size, size)})
    bound = column.max if highest else column.min
    return None if bound is None else _only(column, bound, highest=highest)


def zero_of(column: Column) -> Column | None:
    """Return the column with nothing left but 0, or the epoch; None where it excludes them."""
    if column.values is not None or column.rate is not None:
        return None
    if not column.type.is_number and not column.type.is_temporal:
        return None
    zero: Bound = 0 if column.type.is_number else EPOCH
    low, high = (
        None if bound is None else as_comparable(bound) for bound in (column.min, column.max)
    )
    if column.type.is_temporal and low is None and high is None:
        return _only(column, zero, highest=False)
    if (low is not None and low > 0) or (high is not None and high < 0):
        return None
    return _only(column, zero, highest=False)


def _only(column: Column, bound: Bound, *, highest: bool) -> Column:
    value = bound
    if column.type is ColumnType.INTEGER:
        assert isinstance(bound, int | float)
        value = math.floor(bound) if highest else math.ceil(bound)
    elif column.type is ColumnType.DATE and isinstance(bound, dt.datetime):
        midnight = dt.datetime(bound.year, bound.month, bound.day, tzinfo=bound.tzinfo)
        later = not highest and midnight < bound
        value = (midnight + dt.timedelta(days=1) if later else midnight).date()
    elif column.type is ColumnType.DATETIME and isinstance(bound, dt.datetime):
        whole = bound.replace(microsecond=0)
        value = whole + dt.timedelta(seconds=1) if not highest and whole < bound else whole
    return column.model_copy(update={"min": value, "max": value, "distribution": None})


def _text_of_length(column: Column, *, highest: bool) -> Column | None:
    from mlvalidate.data.strings import language_of

    least, greatest = column.length or (1, LONGEST_TEXT)
    size = min(greatest, LONGEST_TRIED) if highest else max(least, 1)
    if column.pattern is not None:
        try:
            language = language_of(column)
            lengths = [length for length in language.by_length(language.width) if length > 0]
        except Impossible:
            return None
        if not lengths:
            return None
        size = max(lengths) if highest else min(lengths)
    # Of declared length 0 only.
    if size > greatest and column.pattern is None:
        return None
    return column.model_copy(update={"type": ColumnType.STRING, "length": (size, size)})
