"""Random values of one column: any number of them, or all different.

Without bounds integers run from 0 to 1000, floats from 0 to 100, datetimes and dates from
2020-01-01 to 2024-12-31. With one bound the other is as far away, or further for large numbers.
"""

from __future__ import annotations

import datetime as dt
import math
import sys
from collections.abc import Sequence
from functools import partial

import numpy as np

from mlvalidate.core.columns import Bound, Column, ColumnType, Scalar, as_comparable
from mlvalidate.data.distributions import draw_shaped
from mlvalidate.data.draws import Domain, Draws, Values, share_out
from mlvalidate.data.errors import Impossible
from mlvalidate.data.languages import MOST_NUMBERED
from mlvalidate.data.likeness import distinct_likeness, draw_likeness, numbered_likeness
from mlvalidate.data.nested import draw_nested
from mlvalidate.data.strings import (
    PATIENCE,
    distinct_strings,
    draw_language,
    draw_strings,
    is_prose,
    language_of,
    spell,
)
from mlvalidate.data.words import draw_texts

DEFAULT_INTEGERS = 1000
DEFAULT_FLOATS = 100.0
FIRST_DAY, LAST_DAY = dt.datetime(2020, 1, 1), dt.datetime(2024, 12, 31, 23, 59, 59)
FIVE_YEARS = dt.timedelta(days=5 * 365)
SMALLEST_INTEGER, GREATEST_INTEGER = -(2**63), 2**63 - 1


def draw_values(  # noqa: PLR0911
    column: Column, size: int, draws: Draws, counts: Sequence[int] | None = None
) -> Values:
    """Return ``size`` values of the column, which may repeat; nulls are not among them.

    Shares are exact to the row: of the `values` of a category, and of the true values of `rate`.
    ``counts`` are others than those that `value_counts` says. Raises Impossible.
    """
    if column.type.is_nested:
        return draw_nested(column, size, draws, draw_values)
    if column.like is not None:
        return draw_likeness(column.like, size, draws)
    if column.values is None and column.type.is_textual:
        return draw_strings(column, size, draws)
    if column.values is None and column.distribution is not None:
        low, high = (
            None if end is None else as_comparable(end) for end in (column.min, column.max)
        )
        return draw_shaped(column, low, high, size, draws)
    if column.values is None and column.type is ColumnType.FLOAT:
        return _draw_floats(column, size, draws)
    domain = domain_of(column)
    counts = counts or value_counts(column, size)
    if column.rate is not None:
        _check_rate(column)
        ones = np.arange(size) < counts[1]
        return ones[draws.order(size)].astype(domain.at(np.zeros(0, dtype=np.uint64)).dtype)
    if column.values is not None:
        ranks = np.repeat(np.arange(len(counts), dtype=np.uint64), counts)
        return domain.at(ranks[draws.order(size)])
    return domain.at(draws.below(domain.count, size))


def value_counts(column: Column, size: int) -> list[int]:
    """Return how often each of the `values` occurs, with a `rate` false and true; else nothing."""
    if column.rate is not None:
        ones = round(size * column.rate)
        return [size - ones, ones]
    return share_out(list(column.weights.values()), size) if column.values is not None else []


def numbered(column: Column) -> Domain | None:
    """Return the values of a column with numbers; None when there are too many, or no numbers.

    Raises Impossible.
    """
    if column.type.is_nested:
        raise Impossible(f"a {column.type.value} column can't be unique")
    if column.like is not None:
        return numbered_likeness(column.like)
    if column.values is None and column.type.is_textual:
        if is_prose(column):
            return None
        language = language_of(column)
        if language.count > MOST_NUMBERED:
            return None
        return Domain(language.count, partial(spell, language), language.is_exact)
    if column.values is None and column.type is ColumnType.FLOAT:
        return None
    return domain_of(column)


def draw_evenly(column: Column, size: int, draws: Draws) -> Values:
    """Return ``size`` values of a column that `numbered` has no numbers for; few repeat."""
    if column.like is not None:
        return draw_likeness(column.like, size, draws)
    if column.type is ColumnType.FLOAT:
        low, high = _numeric_bounds(column, DEFAULT_FLOATS)
        return _spread(low, high, size, draws)
    if is_prose(column):
        return draw_texts(size, draws, column.length)
    return draw_language(language_of(column), size, draws)


def distinct_values(column: Column, most: int, draws: Draws) -> Values:
    """Return ``most`` different values of the column, fewer where it has fewer.

    Weights and rates don't count. Raises Impossible.
    """
    if column.type.is_nested:
        raise Impossible(f"a {column.type.value} column can't be unique")
    if column.like is not None:
        return distinct_likeness(column.like, most, draws)
    if column.values is None and column.type.is_textual:
        return distinct_strings(column, most, draws)
    if column.values is None and column.type is ColumnType.FLOAT:
        return _distinct_floats(column, most, draws)
    domain = domain_of(column)
    return domain.at(draws.distinct(domain.count, min(domain.count, most)))


def domain_of(column: Column) -> Domain:
    """Return the numbered values of a column that is neither free text nor a float."""
    if column.values is not None:
        return _domain_of_values(column)
    if column.type is ColumnType.BOOLEAN:
        return Domain(2, lambda ranks: ranks.astype(bool))
    if column.type is ColumnType.INTEGER:
        return _domain_of_integers(column)
    return _domain_of_times(column)


def _domain_of_values(column: Column) -> Domain:
    values = tuple(column.weights)
    table: Values = np.array(values, dtype=_array_type(column, values))
    return Domain(len(values), lambda ranks: table[ranks.astype(np.intp)])


def _array_type(column: Column, values: tuple[Scalar, ...]) -> type:
    if column.type is ColumnType.FLOAT:
        return float
    types = {type(value) for value in values}
    return types.pop() if len(types) == 1 and types <= {bool, int, float} else object


def _domain_of_integers(column: Column) -> Domain:
    low, high = _numeric_bounds(column, DEFAULT_INTEGERS)
    least, greatest = math.ceil(low), math.floor(high)
    if least > greatest:
        raise Impossible(f"there is no whole number from {low} to {high}")
    if least < SMALLEST_INTEGER or greatest > GREATEST_INTEGER:
        raise Impossible(f"{least} to {greatest} needs more than 64 bits")
    offset = np.uint64(least % 2**64)
    # Unsigned addition wraps round, which is what makes negative numbers come out right.
    return Domain(greatest - least + 1, lambda ranks: (ranks + offset).view(np.int64))


def _domain_of_times(column: Column) -> Domain:
    low, high = _time_bounds(column)
    if column.type is ColumnType.DATE:
        first = dt.date(low.year, low.month, low.day)
        if low > dt.datetime(low.year, low.month, low.day):
            first += dt.timedelta(days=1)
        count = (high.date() - first).days + 1
        start, unit = np.datetime64(first, "D"), "m8[D]"
    else:
        whole = low.replace(microsecond=0)
        whole += dt.timedelta(seconds=1 if low.microsecond else 0)
        count = math.floor((high - whole).total_seconds()) + 1
        start, unit = np.datetime64(whole, "s"), "m8[s]"
    if count < 1:
        kind = "day" if column.type is ColumnType.DATE else "second"
        raise Impossible(f"there is no whole {kind} from {low} to {high}")
    return Domain(count, lambda ranks: start + ranks.astype(unit))


def _time_bounds(column: Column) -> tuple[dt.datetime, dt.datetime]:
    """Return the bounds without time zone, in UTC."""
    low = None if column.min is None else as_datetime(column.min)
    high = None if column.max is None else as_datetime(column.max)
    if low is None and high is None:
        return FIRST_DAY, LAST_DAY
    if low is None:
        assert high is not None
        room = high - dt.datetime.min
        return min(FIRST_DAY, high - min(FIVE_YEARS, room)), high
    if high is None:
        return low, max(LAST_DAY, low + min(FIVE_YEARS, dt.datetime.max - low))
    return low, high


def as_datetime(bound: Bound) -> dt.datetime:
    if isinstance(bound, dt.datetime):
        return bound.astimezone(dt.UTC).replace(tzinfo=None) if bound.tzinfo else bound
    assert isinstance(bound, dt.date)
    return dt.datetime(bound.year, bound.month, bound.day)


def _numeric_bounds(column: Column, span: float) -> tuple[float, float]:
    """Return the bounds of a number; a missing one is set by ``span``."""
    low, high = column.min, column.max
    assert isinstance(low, int | float | None) and isinstance(high, int | float | None)
    limit = GREATEST_INTEGER if column.type is ColumnType.INTEGER else sys.float_info.max
    if low is None and high is None:
        return 0, span
    if low is None:
        assert high is not None
        return (0 if high > 0 else max(high - max(span, -high), -limit)), high
    if high is None:
        return low, max(low, min(low + max(span, abs(low)), limit))
    return low, high


def _check_rate(column: Column) -> None:
    if column.type is ColumnType.INTEGER:
        low, high = _numeric_bounds(column, DEFAULT_INTEGERS)
        if low > 0 or high < 1:
            raise Impossible("`rate` gives 0 and 1, which `min` and `max` exclude")


def _draw_floats(column: Column, size: int, draws: Draws) -> Values:
    low, high = _numeric_bounds(column, DEFAULT_FLOATS)
    values = _spread(low, high, size, draws)
    decimals = _decimals(high - low)
    return values if decimals is None else np.clip(np.round(values, decimals), low, high)


def _distinct_floats(column: Column, most: int, draws: Draws) -> Values:
    low, high = _numeric_bounds(column, DEFAULT_FLOATS)
    found = np.zeros(0)
    patience = PATIENCE
    while len(found) < most and patience > 0:
        made = np.concatenate([found, _spread(low, high, most - len(found), draws)])
        made = made[np.sort(np.unique(made, return_index=True)[1])]
        patience = PATIENCE if len(made) > len(found) else patience - 1
        found = made
    return found


def _spread(low: float, high: float, size: int, draws: Draws) -> Values:
    share = draws.uniform(size)
    # Not low + share * (high - low): the difference of two large numbers may be infinite.
    return np.clip(low * (1 - share) + high * share, low, high)


def _decimals(span: float) -> int | None:
    """Return the decimals that leave at least a million steps, as measurements have them."""
    for decimals in range(2, 10):
        if span >= 10.0 ** (6 - decimals):
            return decimals if span < 1e9 else None
    return None
