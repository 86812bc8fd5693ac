"""Small tables within a contract, as hypothesis draws and shrinks them.

A table is drawn as rows of plain values, so that hypothesis can take rows and values away, and is
made a frame of the types that `generate` gives. What its columns have to do with each other is
repaired, or the table is refused.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from mlvalidate.core.columns import Bound, Column, ColumnType
from mlvalidate.core.datasets import Dataset
from mlvalidate.data.draws import Draws
from mlvalidate.data.errors import Impossible, UnsatisfiableSchema
from mlvalidate.data.family import Family
from mlvalidate.data.values import as_datetime, draw_values

if TYPE_CHECKING:
    import pandas as pd
    from hypothesis.strategies import SearchStrategy

MOST_ROWS = 20
# Where a number has no bound. The contract allows more, but nobody computes with more.
FARTHEST = 10**9
EARLIEST, LATEST = dt.datetime(1900, 1, 1), dt.datetime(2100, 12, 31)
# Texts of scripts and signs, without control characters and half characters.
_CATEGORIES: tuple[Literal["L", "M", "N", "P", "S", "Zs"], ...] = ("L", "M", "N", "P", "S", "Zs")
_SEEDS = 2**16
MOST_REFERRED = 1000

Row = dict[str, Any]


def rows_of(dataset: Dataset, seed: int, family: Family) -> SearchStrategy[list[Row]]:
    """Return a strategy for 1 to 20 rows of a dataset; derived columns are left out.

    Raises UnsatisfiableSchema when a column has no value.
    """
    from hypothesis import strategies as st

    cells = {}
    for name, column in dataset.columns.items():
        try:
            if not column.derived:
                cells[name] = _cells_of(column, seed, family)
        except Impossible as problem:
            raise UnsatisfiableSchema(f"column {name!r}: {problem}") from None
    return st.lists(
        st.fixed_dictionaries(cells), min_size=1, max_size=MOST_ROWS, unique_by=_identities(dataset)
    )


def table_of(
    dataset: Dataset, name: str, rows: Sequence[Row], seed: int, behind: pd.DataFrame | None = None
) -> pd.DataFrame | None:
    """Return the rows as a table that keeps to the dataset; None when they can't.

    The rows of ``behind`` follow them. Monotone columns are sorted, derived ones computed, values
    that break a rule replaced.
    """
    import pandas as pd

    from mlvalidate.data.assembly import put_values
    from mlvalidate.data.conformity import find_faults
    from mlvalidate.data.synthesis import mend

    frame = _frame_of(dataset, rows)
    if behind is not None:
        frame = pd.concat([frame, behind], ignore_index=True)
    for each, column in dataset.columns.items():
        if column.monotone:
            filled = frame[each].notna().to_numpy(dtype=bool)
            ascending = column.monotone == "increasing"
            values = frame[each][filled].sort_values(ascending=ascending).to_numpy()
            frame[each] = put_values(frame[each], filled, values)
    try:
        frame = mend(frame, dataset, seed, name)
    except UnsatisfiableSchema:
        return None
    return None if find_faults(frame, dataset) else frame


def _frame_of(dataset: Dataset, rows: Sequence[Row]) -> pd.DataFrame:
    import pandas as pd

    from mlvalidate.data.assembly import assemble

    columns: dict[str, Any] = {}
    for name, column in dataset.columns.items():
        cells = [row.get(name) for row in rows]
        nulls = np.array([cell is None for cell in cells])
        values = _as_values(column, [cell for cell in cells if cell is not None])
        columns[name] = None if column.derived else assemble(column, values, nulls)
    return pd.DataFrame(columns, index=pd.RangeIndex(len(rows)), columns=list(columns), copy=False)


def _identities(dataset: Dataset) -> tuple[Callable[[Row], object], ...]:
    """Return what has to differ between rows: unique columns, and the key as a whole."""
    unique = [(name,) for name, column in dataset.columns.items() if column.unique]
    keys = [dataset.key_columns] if dataset.key_columns else []
    found = dict.fromkeys((*unique, *keys))
    return tuple(partial(_identity, names) for names in found) or (id,)


def _identity(names: tuple[str, ...], row: Row) -> object:
    return tuple(row.get(name) for name in names)


def _cells_of(column: Column, seed: int, family: Family) -> SearchStrategy[Any]:
    from hypothesis import strategies as st

    cells = _values_of(column, seed, family)
    return st.one_of(st.none(), cells) if column.null else cells


def _values_of(column: Column, seed: int, family: Family) -> SearchStrategy[Any]:  # noqa: PLR0911
    from hypothesis import strategies as st

    if column.foreign_key:
        pool = family.values_of(column.foreign_key, seed)
        return st.sampled_from(pool[np.arange(min(len(pool), MOST_REFERRED))].tolist())
    if column.values is not None:
        return st.sampled_from([value for value, weight in column.weights.items() if weight])
    if column.rate is not None and column.type is ColumnType.INTEGER:
        return st.integers(0, 1)
    if column.like is not None or column.type.is_nested:
        return st.integers(0, _SEEDS).map(partial(_drawn, column))
    match column.type:
        case ColumnType.BOOLEAN:
            return st.booleans()
        case ColumnType.INTEGER:
            low, high = _number(column.min, -FARTHEST), _number(column.max, FARTHEST)
            return st.integers(math.ceil(low), math.floor(high))
        case ColumnType.FLOAT:
            low, high = _number(column.min, -FARTHEST), _number(column.max, FARTHEST)
            return st.floats(low, high, allow_nan=False, allow_infinity=False, width=64)
        case ColumnType.DATE:
            first, last = as_datetime(column.min or EARLIEST), as_datetime(column.max or LATEST)
            return st.dates(first.date(), last.date())
        case ColumnType.DATETIME:
            first, last = as_datetime(column.min or EARLIEST), as_datetime(column.max or LATEST)
            return st.datetimes(first, last).map(_to_the_second)
    return _texts_of(column)


def _to_the_second(moment: dt.datetime) -> dt.datetime:
    return moment.replace(microsecond=0)


def _texts_of(column: Column) -> SearchStrategy[str]:
    from hypothesis import strategies as st

    least, most = column.length or (1, 60)
    if column.pattern is None:
        signs = st.characters(categories=_CATEGORIES)
        return st.text(signs, min_size=max(least, 1), max_size=most)
    texts = st.from_regex(column.pattern, fullmatch=True)
    return texts.filter(lambda text: least <= len(text) <= most) if column.length else texts


def _drawn(column: Column, seed: int) -> Any:
    return draw_values(column, 1, Draws(seed, "explore")).tolist()[0]


def _number(bound: Bound | None, otherwise: float) -> float:
    assert isinstance(bound, int | float | None)
    return float(otherwise if bound is None else bound)


_DTYPES: Mapping[ColumnType, str] = {
    ColumnType.INTEGER: "int64",
    ColumnType.FLOAT: "float64",
    ColumnType.BOOLEAN: "bool",
    ColumnType.DATE: "M8[D]",
    ColumnType.DATETIME: "M8[us]",
}


def _as_values(column: Column, cells: Sequence[Any]) -> Any:
    """Return the cells, of which none is null, as `draw_values` would."""
    kind = _DTYPES.get(column.type)
    if kind is not None:
        return np.array(cells, dtype=kind)
    values = np.empty(len(cells), dtype=object)
    values[:] = cells
    return values
