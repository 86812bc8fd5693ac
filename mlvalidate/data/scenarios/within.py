"""Cases within the contract: rows that are rare, and that a step has to cope with."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from mlvalidate.core.columns import Column, ColumnType, as_comparable
from mlvalidate.core.datasets import Dataset
from mlvalidate.core.scenarios import Case
from mlvalidate.data.assembly import put_values
from mlvalidate.data.constraints import greatest_null_share
from mlvalidate.data.draws import Draws, Values, share_out
from mlvalidate.data.scenarios.applicability import free_columns, is_free_text, loose_columns
from mlvalidate.data.scenarios.awkward_texts import PUNCTUATION, UNICODE, fit_text
from mlvalidate.data.scenarios.bounds import end_of, zero_of
from mlvalidate.data.values import draw_values

if TYPE_CHECKING:
    import pandas as pd

# Makes random numbers for one column of one case.
MakeDraws = Callable[[str], Draws]
Shaper = Callable[["pd.DataFrame", Dataset, MakeDraws], None]

# Share of the rows that are at a bound in all columns, and of those that are in one of them.
_AT_BOUND = 0.25
_RARE = 0.01


def shape_within(frame: pd.DataFrame, dataset: Dataset, case: Case, draws: MakeDraws) -> None:
    """Change the values of a standard table, in place; rules and derived columns are not kept."""
    shaper = _SHAPERS.get(case.name)
    if shaper is not None:
        shaper(frame, dataset, draws)


def _put(frame: pd.DataFrame, name: str, rows: Values, values: Values) -> None:
    frame[name] = put_values(frame[name], rows, values)


def _filled(frame: pd.DataFrame, name: str) -> Values:
    filled: Values = frame[name].notna().to_numpy(dtype=bool)
    return filled


def _at_bound(narrow: Callable[[Column], Column | None]) -> Shaper:
    """Put values at a bound: in some rows of all columns at once, in others of one each."""

    def shape(frame: pd.DataFrame, dataset: Dataset, draws: MakeDraws) -> None:
        count = math.ceil(_AT_BOUND * len(frame))
        together = np.zeros(len(frame), dtype=bool)
        together[draws("rows").order(len(frame))[:count]] = True
        for name, column in loose_columns(dataset).items():
            narrowed = narrow(column)
            if narrowed is None:
                continue
            rows = together.copy()
            rows[draws(name).order(len(frame))[:count]] = True
            rows &= _filled(frame, name)
            _put(frame, name, rows, draw_values(narrowed, int(rows.sum()), draws(name)))

    return shape


def _all_same(frame: pd.DataFrame, dataset: Dataset, _draws: MakeDraws) -> None:
    names = list(free_columns(dataset))
    # The values of one row go together; where it has none, those of another.
    fullest = int(frame[names].notna().sum(axis=1).to_numpy().argmax()) if len(frame) else 0
    for name in names:
        rows = _filled(frame, name)
        if rows.any():
            chosen = fullest if rows[fullest] else int(rows.argmax())
            series = frame[name].copy()
            # A cell may be a list, which an assignment to many rows would take apart.
            series[rows] = series.iloc[[chosen] * int(rows.sum())].to_numpy()
            frame[name] = series


def _single_category(frame: pd.DataFrame, dataset: Dataset, _draws: MakeDraws) -> None:
    for name, column in free_columns(dataset).items():
        if len(column.weights) > 1 and not column.label:
            rows = _filled(frame, name)
            _put(frame, name, rows, _shares(column, [1.0], int(rows.sum())))


def _shares(column: Column, shares: list[float], size: int) -> Values:
    """Return declared values in such shares, the most usual one first."""
    by_weight = sorted(column.weights, key=lambda value: -column.weights[value])
    counts = share_out(shares, size)
    cells = [value for value, count in zip(by_weight, counts, strict=False) for _ in range(count)]
    types = {type(cell) for cell in by_weight}
    plain = len(types) == 1 and types <= {int, float, bool}
    if column.type is ColumnType.FLOAT:
        return np.array(cells, dtype=float)
    return np.array(cells, dtype=types.pop() if plain else object)


def _awkward(texts: tuple[str, ...], *, delimited: bool) -> Shaper:
    """Put awkward texts into every other row."""

    def shape(frame: pd.DataFrame, dataset: Dataset, draws: MakeDraws) -> None:
        pool = texts
        if delimited and dataset.dialect.delimiter:
            pool = (f"holds {dataset.dialect.delimiter} the delimiter", *texts)
        for name, column in free_columns(dataset).items():
            if not is_free_text(column):
                continue
            fitted = [text for text in (fit_text(each, column.length) for each in pool) if text]
            chosen = np.flatnonzero(_filled(frame, name))
            chosen = chosen[draws(name).order(len(chosen))[: math.ceil(len(chosen) / 2)]]
            if not fitted or not len(chosen):
                continue
            rows = np.zeros(len(frame), dtype=bool)
            rows[chosen] = True
            cells = [fitted[index % len(fitted)] for index in range(len(chosen))]
            _put(frame, name, rows, np.array(cells, dtype=object))

    return shape


def _skew(frame: pd.DataFrame, dataset: Dataset, draws: MakeDraws) -> None:
    for name, column in loose_columns(dataset).items():
        rows = _filled(frame, name)
        size = int(rows.sum())
        if not size:
            continue
        rare = min(max(round(_RARE * size), 2), size // 2)
        order = draws(name).order(size)
        if column.weights or column.type is ColumnType.BOOLEAN or column.rate is not None:
            values = _with_rare(column, size, rare)[order]
        elif column.type.is_number or column.type.is_temporal:
            values = _squeezed(frame[name][rows], column, 0.0, _RARE)
            greatest = _squeezed(frame[name][rows], column, 1.0, 0.0)
            values[order[:rare]] = greatest[order[:rare]]
        else:
            continue
        _put(frame, name, rows, values)


def _with_rare(column: Column, size: int, rare: int) -> Values:
    """Return ``size`` values of which all but ``rare`` are the same."""
    if column.weights:
        others = len(column.weights) - 1
        common = size if not others else size - rare
        spread = [(size - common) / size / others] * others if others else []
        return _shares(column, [common / size, *spread], size)
    numbers = np.arange(size) < rare
    return numbers if column.type is ColumnType.BOOLEAN else numbers.astype(np.int64)


def _squeezed(series: pd.Series, column: Column, towards: float, spread: float) -> Values:
    """Return values drawn together: within ``spread`` of the range, at its share ``towards``."""
    whole = column.type is ColumnType.INTEGER
    times = column.type.is_temporal
    values: Any = series.to_numpy(dtype="M8[us]" if times else None)
    numbers = values.astype("int64") / 1e6 if times else values.astype(np.float64)
    ends = numbers.min(initial=np.inf), numbers.max(initial=-np.inf)
    low = ends[0] if column.min is None else as_comparable(column.min)
    high = ends[1] if column.max is None else as_comparable(column.max)
    least = low * (1 - towards * (1 - spread)) + high * towards * (1 - spread)
    share = (numbers - low) / (high - low) if high > low else np.zeros(len(numbers))
    moved = np.clip(least + np.nan_to_num(share) * spread * (high - low), low, high)
    if times:
        unit = "D" if column.type is ColumnType.DATE else "s"
        found = (moved * 1e6).astype("int64").astype("M8[us]").astype(f"M8[{unit}]")
        # Rounding down to whole seconds or days must not lead below the least value.
        moments: Values = np.where(
            found.astype("M8[us]").astype("int64") / 1e6 < low, values, found
        )
        return moments
    if whole:
        inside = np.clip(np.floor(moved), math.ceil(low), math.floor(high))
        return inside.astype(np.int64)
    return np.asarray(moved)


def _more_nulls(frame: pd.DataFrame, dataset: Dataset, draws: MakeDraws) -> None:
    for name, column in dataset.columns.items():
        if column.null and not column.derived and len(frame):
            most = math.floor(greatest_null_share(column, len(frame)) * len(frame))
            nulls = ~_filled(frame, name)
            filled = np.flatnonzero(~nulls)
            more = min(most, len(frame) - 1) - int(nulls.sum())
            chosen = filled[draws(name).order(len(filled))[: max(more, 0)]]
            frame[name] = _without(frame[name], chosen)


def _null_column(frame: pd.DataFrame, dataset: Dataset, _draws: MakeDraws) -> None:
    for name, column in dataset.columns.items():
        if column.null and not column.derived:
            frame[name] = _without(frame[name], np.arange(len(frame)))


def _without(series: pd.Series, rows: Values) -> pd.Series:
    """Return a nullable column with nulls in these rows."""
    changed = series.copy()
    changed.iloc[rows] = None
    return changed


def _drift(frame: pd.DataFrame, dataset: Dataset, draws: MakeDraws) -> None:
    """Move numbers and times into the upper half of their range; make rare categories usual."""
    for name, column in loose_columns(dataset).items():
        rows = _filled(frame, name)
        if column.label or not rows.any():
            continue
        if len(column.weights) > 1:
            values = _reweighted(column, int(rows.sum()))[draws(name).order(int(rows.sum()))]
        elif column.rate is None and (column.type.is_number or column.type.is_temporal):
            values = _squeezed(frame[name][rows], column, 1.0, 0.5)
        else:
            continue
        _put(frame, name, rows, values)


def _reweighted(column: Column, size: int) -> Values:
    """Return declared values of which the least usual is the most frequent."""
    count = len(column.weights)
    steps = [(position + 1) ** 2 for position in range(count)]
    return _shares(column, [step / sum(steps) for step in steps], size)


_SHAPERS: Mapping[str, Shaper] = {
    "boundary.lowest": _at_bound(lambda column: end_of(column, highest=False)),
    "boundary.highest": _at_bound(lambda column: end_of(column, highest=True)),
    "boundary.zero": _at_bound(zero_of),
    "edge.all_same": _all_same,
    "edge.single_category": _single_category,
    "edge.unicode": _awkward(UNICODE, delimited=False),
    "edge.punctuation": _awkward(PUNCTUATION, delimited=True),
    "edge.skew": _skew,
    "missing.more_nulls": _more_nulls,
    "missing.null_column": _null_column,
    "drifted": _drift,
}
