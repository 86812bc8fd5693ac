"""Tells quickly, for most columns, that nothing is wrong with them.

Outputs are mostly as declared. A look at the nulls, the extremes or the distinct values of a column
shows that at a fraction of the cost of judging every cell, which is left for the other columns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlvalidate.core.columns import Column, ColumnType
from mlvalidate.core.datasets import FileFormat
from mlvalidate.data.constraints import null_breaches, should_vary, value_breaches
from mlvalidate.data.kinds import Kind, fits, holds_text, kind_of, null_mask
from mlvalidate.data.texts import surely_well_formed

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

# The kinds of cells that can be cleared, by what is declared.
_CLEARED = {
    ColumnType.INTEGER: {Kind.INTEGER},
    ColumnType.FLOAT: {Kind.INTEGER, Kind.FLOAT},
    ColumnType.BOOLEAN: {Kind.BOOLEAN},
    ColumnType.CATEGORY: {Kind.BOOLEAN, Kind.INTEGER, Kind.STRING},
    ColumnType.STRING: {Kind.STRING},
    ColumnType.TEXT: {Kind.STRING},
    ColumnType.DATETIME: {Kind.DATETIME},
    ColumnType.DATE: {Kind.DATETIME},
}
# A column with more distinct values is hardly a category.
_MOST_DISTINCT = 1000


def is_clear(series: pd.Series, column: Column, format: FileFormat) -> bool:
    """Return whether every cell of a column surely is as declared; False says nothing."""
    if not _can_be_cleared(series, column):
        return False
    cells = _as_arrow(series)
    if cells.null_count:
        if any(null_breaches(series, null_mask(series, column, format), column)):
            return False
        cells = cells.drop_null()
    if not len(cells):
        return True
    if column.type.is_textual:
        allowed = surely_well_formed(cells, column)
    else:
        told = _telling_cells(cells, column)
        allowed = told is not None and _are_allowed(told, column, format)
    return (
        allowed
        and (column.type is not ColumnType.DATE or _are_midnights(series))
        and not (column.unique and _may_repeat(cells))
        and not (should_vary(column, len(cells)) and _is_constant(cells))
    )


def _can_be_cleared(series: pd.Series, column: Column) -> bool:
    import pandas as pd

    dtype = series.dtype
    takes_a_closer_look = (pd.CategoricalDtype, pd.DatetimeTZDtype)
    if isinstance(dtype, takes_a_closer_look) or pd.api.types.is_object_dtype(dtype):
        return False
    kind = kind_of(series)
    return (
        kind in _CLEARED.get(column.type, ())
        and column.monotone is None
        # Among texts that should be numbers, `NaN` may be spelt out.
        and (kind is not Kind.STRING or holds_text(column))
    )


def _as_arrow(series: pd.Series) -> pa.ChunkedArray:
    import pyarrow as pa

    cells = pa.array(series, from_pandas=True)
    return cells if isinstance(cells, pa.ChunkedArray) else pa.chunked_array([cells])


def _telling_cells(cells: pa.ChunkedArray, column: Column) -> pd.Series | None:
    """Return cells that are allowed when all are: extremes, or a few distinct values."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if column.type.is_number or column.type.is_temporal:
        extremes = pc.min_max(cells)
        return pa.array([extremes["min"], extremes["max"]]).to_pandas()
    distinct = pc.unique(cells)
    return distinct.to_pandas() if len(distinct) <= _MOST_DISTINCT else None


def _are_allowed(cells: pd.Series, column: Column, format: FileFormat) -> bool:
    return bool(fits(cells, column, format).all()) and not any(
        value_breaches(cells, column, format)
    )


def _are_midnights(series: pd.Series) -> bool:
    times = series.dropna().to_numpy()
    return bool((times == times.astype("M8[D]")).all())


def _may_repeat(cells: pa.ChunkedArray) -> bool:
    """Return whether values may occur more than once. 0.0 and -0.0 are one value to pandas only."""
    import pyarrow as pa
    import pyarrow.compute as pc

    return bool(pa.types.is_floating(cells.type)) or len(pc.unique(cells)) < len(cells)


def _is_constant(cells: pa.ChunkedArray) -> bool:
    import pyarrow.compute as pc

    return bool(pc.all(pc.equal(cells, cells[0])).as_py())
