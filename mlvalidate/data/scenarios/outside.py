"""Cases of columns and cells: tables that break their dataset in one way, or only look as if."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from mlvalidate.core.columns import Bound, Column, ColumnType
from mlvalidate.core.datasets import Dataset
from mlvalidate.core.scenarios import Case
from mlvalidate.data.draws import Draws
from mlvalidate.data.scenarios.within import MakeDraws

if TYPE_CHECKING:
    import pandas as pd

Change = Callable[["pd.DataFrame", Dataset, str, MakeDraws], "pd.DataFrame"]

# What stands where a number should, and in a column that nobody declared.
WORD = "unknown"
EXTRA = "extra_column"
_AFFECTED = 0.1


def break_table(
    frame: pd.DataFrame, dataset: Dataset, case: Case, draws: MakeDraws
) -> pd.DataFrame:
    """Return the table with what makes the case. It has at least one row, or two for keys."""
    change = _CHANGES.get(case.name) or _CHANGES.get(case.scenario.value)
    return frame if change is None else change(frame, dataset, case.variant, draws)


def _some(size: int, draws: Draws) -> Any:
    """Return the numbers of a tenth of the rows, of one at least."""
    return np.sort(draws.order(size)[: max(1, math.ceil(_AFFECTED * size))])


def _with_cells(frame: pd.DataFrame, name: str, rows: Any, cells: Any) -> pd.DataFrame:
    """Return the table with other cells, of whatever type, in some rows of a column."""
    series = frame[name].astype(object)
    for row, cell in zip(rows, cells, strict=True):
        series.iat[int(row)] = cell
    return frame.assign(**{name: series})


def _require(frame: pd.DataFrame, dataset: Dataset, _column: str, draws: MakeDraws) -> pd.DataFrame:
    for name, column in dataset.columns.items():
        if column.null == 0:
            rows = _some(len(frame), draws(name))
            series = frame[name]
            if column.type in (ColumnType.INTEGER, ColumnType.BOOLEAN):
                # As they are read: integers with gaps stay integers.
                whole = column.type is ColumnType.INTEGER
                series = series.astype("Int64" if whole else "boolean")
            changed = series.copy()
            changed.iloc[rows] = None
            frame = frame.assign(**{name: changed})
    return frame


def _mistype(frame: pd.DataFrame, _dataset: Dataset, name: str, draws: MakeDraws) -> pd.DataFrame:
    filled = np.flatnonzero(frame[name].notna().to_numpy(dtype=bool))
    rows = filled[_some(len(filled), draws(name))] if len(filled) else np.array([0])
    return _with_cells(frame, name, rows, [WORD] * len(rows))


def _drop(frame: pd.DataFrame, _dataset: Dataset, name: str, _draws: MakeDraws) -> pd.DataFrame:
    return frame.drop(columns=[name])


def _add(frame: pd.DataFrame, dataset: Dataset, _name: str, draws: MakeDraws) -> pd.DataFrame:
    name = EXTRA
    while name in dataset.columns:
        name += "_"
    changed = frame.copy()
    # In the middle, where whoever counts columns stumbles.
    values = draws(name).uniform(len(frame)).round(6)
    changed.insert(len(frame.columns) // 2, name, values)
    return changed


def _reorder(frame: pd.DataFrame, _dataset: Dataset, _name: str, _draws: MakeDraws) -> pd.DataFrame:
    return frame[list(frame.columns)[::-1]]


def _repeat_keys(
    frame: pd.DataFrame, dataset: Dataset, _name: str, draws: MakeDraws
) -> pd.DataFrame:
    unique = [name for name, column in dataset.columns.items() if column.unique]
    names = list(dict.fromkeys([*dataset.key_columns, *unique]))
    order = draws("keys").order(len(frame))
    count = min(max(1, math.ceil(_AFFECTED * len(frame))), len(frame) // 2)
    changed = frame.copy()
    for name in names:
        series = changed[name].copy()
        # A unique column may have nulls, which repeat nothing.
        filled = order[series.notna().to_numpy(dtype=bool)[order]]
        times = min(count, len(filled) // 2)
        series.iloc[filled[:times]] = series.iloc[filled[-times:][::-1]].to_numpy()
        changed[name] = series if times else changed[name]
    return changed


def _unsee(frame: pd.DataFrame, dataset: Dataset, name: str, draws: MakeDraws) -> pd.DataFrame:
    rows = _some(len(frame), draws(name))
    return _with_cells(frame, name, rows, [_unseen(dataset.columns[name])] * len(rows))


def _unseen(column: Column) -> Any:
    texts = [value for value in column.weights if isinstance(value, str)]
    if texts:
        return f"un{max(texts, key=len)}"
    numbers = [value for value in column.weights if isinstance(value, int | float)]
    return type(numbers[-1])(math.floor(max(numbers)) + 1)


def _exceed(frame: pd.DataFrame, dataset: Dataset, name: str, draws: MakeDraws) -> pd.DataFrame:
    column = dataset.columns[name]
    beyond = [
        _beyond(bound, column, sign)
        for bound, sign in ((column.max, 1), (column.min, -1))
        if bound is not None
    ]
    rows = _some(len(frame), draws(name))
    cells = [beyond[index % len(beyond)] for index in range(len(rows))]
    return _with_cells(frame, name, rows, cells)


def _beyond(bound: Bound, column: Column, sign: int) -> Any:
    """Return a value well beyond a bound, on its far side."""
    if isinstance(bound, dt.date):
        moment = bound if isinstance(bound, dt.datetime) else None
        years = bound.year + 10 * sign
        day = bound.replace(year=min(max(years, 1700), 2200), month=1, day=2)
        if moment is not None and moment.tzinfo is not None:
            return moment.astimezone(dt.UTC).replace(tzinfo=None, year=day.year, month=1, day=2)
        return day
    step = max(1.0, abs(bound))
    value = bound + sign * step
    return round(value) if column.type is ColumnType.INTEGER else float(value)


_CHANGES: Mapping[str, Change] = {
    "missing.required": _require,
    "type_mismatch": _mistype,
    "missing_column": _drop,
    "extra_column": _add,
    "reordered_columns": _reorder,
    "duplicate_keys": _repeat_keys,
    "unseen_category": _unsee,
    "out_of_range": _exceed,
}
