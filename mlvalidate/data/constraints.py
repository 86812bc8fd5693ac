"""Whether the values of a table are what its dataset allows: nulls, ranges, texts, rules."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from mlvalidate.core.columns import Column, as_comparable
from mlvalidate.core.datasets import Dataset, FileFormat
from mlvalidate.core.expressions import parse_expression
from mlvalidate.data.expressions import ExpressionFails, evaluate, holds
from mlvalidate.data.faults import Fault, FaultKind, examples_of
from mlvalidate.data.kinds import kind_of, null_mask, numbers_of, times_of
from mlvalidate.data.texts import malformed

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from mlvalidate.data.kinds import Mask

# Fewer rows than this say nothing about whether a column always holds the same value.
LEAST_ROWS_TO_VARY = 20
# What chance alone makes constant in a greater share of tables is no surprise.
CHANCE = 1e-4
# Standard deviations by which a null share may differ from the declared one.
NULL_TOLERANCE = 5.0
# Relative tolerance at bounds and between derived numbers: csv holds fewer digits than a float.
ROUNDING = 1e-9


def find_breaches(
    frame: pd.DataFrame, fitting: Mapping[str, Mask], dataset: Dataset, format: FileFormat
) -> Iterator[Fault]:
    """Yield what the values of ``frame`` have other than ``dataset`` allows.

    ``fitting`` has the columns to judge one by one, with a mask of the cells that are null or of
    the declared type; cells of another type are not looked at.
    """
    for name, mask in fitting.items():
        series = frame[name] if mask.all() else frame[name][mask]
        yield from _column_breaches(series, dataset.columns[name], format)
    for name, column in dataset.columns.items():
        if column.derived:
            yield from _derived_breaches(name, frame, dataset)
    for rule in dataset.rules:
        texts = [text for text in (rule.when, rule.then) if text]
        names = {name for text in texts for name in parse_expression(text).names}
        if names <= set(frame.columns) & dataset.columns.keys():
            when = parse_expression(rule.when) if rule.when else None
            try:
                fulfilled = holds(parse_expression(rule.then), when, frame, dataset.columns)
            except ExpressionFails as problem:
                yield _rule_fault(rule.text, str(problem), len(frame))
                continue
            rows = frame.loc[~fulfilled, sorted(names)]
            if len(rows):
                yield _rule_fault(rule.text, "", len(frame), rows)


def _column_breaches(series: pd.Series, column: Column, format: FileFormat) -> Iterator[Fault]:
    nulls = null_mask(series, column, format)
    yield from null_breaches(series, nulls, column)
    cells = series[~nulls]
    if not len(cells):
        return
    yield from value_breaches(cells, column, format)
    if column.unique and not column.type.is_nested:
        repeated = cells[cells.duplicated(keep=False)]
        yield from _breach(FaultKind.NOT_UNIQUE, repeated, cells, column)
    if should_vary(column, len(cells)) and cells.nunique() == 1:
        # One example says it all.
        yield Fault(
            kind=FaultKind.CONSTANT,
            column=str(cells.name),
            count=len(cells),
            rows=len(cells),
            examples=examples_of(cells.head(1)),
        )


def value_breaches(cells: pd.Series, column: Column, format: FileFormat) -> Iterator[Fault]:
    """Yield what is wrong with cells by themselves, and with their order; none of them is null."""
    if column.type.is_number:
        yield from _number_breaches(cells, column)
    elif column.type.is_temporal:
        times = times_of(cells, kind_of(cells), format).astype("M8[us]")
        seconds = times.astype("int64") / 1e6
        yield from _range_breaches(cells, seconds, column)
        yield from _order_breaches(cells, seconds, column)
    elif column.type.is_textual and (column.pattern or column.length or column.like):
        yield from _breach(FaultKind.MALFORMED, cells[malformed(cells, column)], cells, column)
    if column.values is not None:
        unknown = ~_is_declared_value(cells, column)
        yield from _breach(FaultKind.UNKNOWN_VALUE, cells[unknown], cells, column)


def null_breaches(series: pd.Series, nulls: Mask, column: Column) -> Iterator[Fault]:
    """Yield a fault when more cells are null than is declared."""
    count, rows = int(nulls.sum()), len(series)
    if not count:
        return
    if column.null == 0:
        yield from _breach(FaultKind.NULL, series[nulls], series, column)
        return
    all_missing = count == rows >= LEAST_ROWS_TO_VARY and column.null < 1
    if all_missing or count / rows > greatest_null_share(column, rows):
        yield from _breach(FaultKind.MANY_NULLS, series[nulls], series, column)


def greatest_null_share(column: Column, rows: int) -> float:
    """Return the share of nulls above which so many rows no longer are what `null` declares."""
    spread = math.sqrt(column.null * (1 - column.null) / rows)
    return max(column.null + NULL_TOLERANCE * spread, 2 * column.null)


def _number_breaches(cells: pd.Series, column: Column) -> Iterator[Fault]:
    import numpy as np

    numbers = numbers_of(cells)
    finite = np.isfinite(numbers)
    if not finite.all():
        yield from _breach(FaultKind.NOT_FINITE, cells[~finite], cells, column)
        cells, numbers = cells[finite], numbers[finite]
    yield from _range_breaches(cells, numbers, column)
    yield from _order_breaches(cells, numbers, column)


def _range_breaches(
    cells: pd.Series, numbers: np.ndarray[tuple[int], np.dtype[np.float64]], column: Column
) -> Iterator[Fault]:
    import numpy as np

    outside = np.zeros(len(cells), dtype=bool)
    if column.min is not None:
        low = as_comparable(column.min)
        outside |= numbers < low - ROUNDING * abs(low)
    if column.max is not None:
        high = as_comparable(column.max)
        outside |= numbers > high + ROUNDING * abs(high)
    yield from _breach(FaultKind.OUT_OF_RANGE, cells[outside], cells, column)


def _order_breaches(
    cells: pd.Series, numbers: np.ndarray[tuple[int], np.dtype[np.float64]], column: Column
) -> Iterator[Fault]:
    import numpy as np

    if column.monotone is None:
        return
    steps = np.diff(numbers, prepend=numbers[:1])
    wrong = steps < 0 if column.monotone == "increasing" else steps > 0
    yield from _breach(FaultKind.OUT_OF_ORDER, cells[wrong], cells, column)


def _is_declared_value(cells: pd.Series, column: Column) -> Mask:
    """Return which cells are among the declared values, whatever the file made of their type."""
    import numpy as np

    from mlvalidate.data.expressions import truths

    values = tuple(column.weights)
    known = np.zeros(len(cells), dtype=bool)
    texts = [value for value in values if isinstance(value, str)]
    if texts:
        known |= cells.isin(texts).to_numpy(dtype=bool)
    numbers = [float(v) for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
    if numbers:
        known |= np.isin(numbers_of(cells), numbers)
    booleans = [value for value in values if isinstance(value, bool)]
    if booleans:
        known |= truths(cells).isin(booleans).to_numpy(dtype=bool)
    return known


def should_vary(column: Column, rows: int) -> bool:
    """Tell whether the declaration has so many rows hold several values."""
    if rows < LEAST_ROWS_TO_VARY:
        return False
    shares = list(column.weights.values())
    if column.rate is not None:
        shares = [column.rate, 1 - column.rate]
    if shares:
        return sum(share**rows for share in shares) < CHANCE
    bounded = column.min is not None and column.max is not None
    if bounded and column.min == column.max:
        return False
    return bounded or column.label or column.unique


def _derived_breaches(name: str, frame: pd.DataFrame, dataset: Dataset) -> Iterator[Fault]:
    import numpy as np

    expression = parse_expression(dataset.columns[name].derived or "")
    if not {name, *expression.names} <= set(frame.columns) & dataset.columns.keys():
        return
    text = f"{name} = {expression.text}"
    try:
        wanted = evaluate(expression, frame, dataset.columns)
    except ExpressionFails as problem:
        yield _rule_fault(text, str(problem), len(frame))
        return
    found = evaluate(parse_expression(f"`{name}`"), frame, dataset.columns)
    if dataset.columns[name].type.is_number:
        left = found.astype("Float64").to_numpy(dtype="float64", na_value=np.nan)
        right = wanted.astype("Float64").to_numpy(dtype="float64", na_value=np.nan)
        same = np.isclose(left, right, rtol=1e-6, atol=1e-6)
    else:
        same = (found == wanted).fillna(True).to_numpy(dtype=bool)
    unknown = (found.isna() | wanted.isna()).to_numpy(dtype=bool)
    wrong = frame.loc[~(same | unknown), [name, *expression.names]]
    if len(wrong):
        yield _rule_fault(text, "", len(frame), wrong)


def _breach(kind: FaultKind, wrong: pd.Series, cells: pd.Series, column: Column) -> Iterator[Fault]:
    """Yield a fault where there are cells at fault."""
    if not len(wrong):
        return
    yield Fault(
        kind=kind,
        column=str(cells.name),
        expected=_expected(kind, column),
        count=len(wrong),
        rows=len(cells),
        examples=examples_of(wrong),
    )


def _expected(kind: FaultKind, column: Column) -> str:
    """Return in words what the declaration says of that kind."""
    low = "" if column.min is None else f"at least {column.min}"
    high = "" if column.max is None else f"at most {column.max}"
    words = {
        FaultKind.NULL: "no missing values",
        FaultKind.MANY_NULLS: f"about {column.null:.1%} missing values",
        FaultKind.OUT_OF_RANGE: " and ".join(filter(None, (low, high))),
        FaultKind.UNKNOWN_VALUE: "one of " + _some([str(value) for value in column.weights]),
        FaultKind.MALFORMED: _expected_text(column),
        FaultKind.OUT_OF_ORDER: f"{column.monotone} values",
    }
    return words.get(kind, "")


def _expected_text(column: Column) -> str:
    parts = []
    if column.pattern is not None:
        parts.append(f"a match of {column.pattern}")
    if column.like is not None:
        parts.append(f"the form of {column.like.value}")
    if column.length is not None:
        parts.append(f"{column.length[0]} to {column.length[1]} characters")
    return " and ".join(parts)


def _some(names: Sequence[str], most: int = 8) -> str:
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


def _rule_fault(text: str, problem: str, rows: int, wrong: pd.DataFrame | None = None) -> Fault:
    examples: tuple[str, ...] = ()
    if wrong is not None:
        pairs = wrong.head(5).astype(object).to_dict("records")
        examples = tuple(
            f"row {row + 1}: " + ", ".join(f"{name}={cell!s}" for name, cell in pair.items())
            for row, pair in zip(wrong.index, pairs, strict=False)
        )
    return Fault(
        kind=FaultKind.BROKEN_RULE,
        column="",
        expected=text,
        found=problem,
        count=0 if wrong is None else len(wrong),
        rows=rows,
        examples=examples,
    )
