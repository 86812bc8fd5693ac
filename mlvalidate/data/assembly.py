"""Makes columns of values and of the nulls between them."""

from __future__ import annotations

from typing import Any

from mlvalidate.core.columns import Column, ColumnType
from mlvalidate.data.draws import Values


def assemble(column: Column, values: Values, nulls: Values) -> Any:
    """Return the non-null ``values`` and the nulls between them as a pandas array or Series."""
    import numpy as np
    import pandas as pd

    nullable = column.null > 0
    if values.dtype.kind == "M":
        values = values.astype("M8[D]" if column.type is ColumnType.DATE else "M8[us]")
        if column.type is ColumnType.DATE:
            values = values.astype(object)
    full: Values = np.zeros(len(nulls), dtype=values.dtype)
    full[~nulls] = values
    match values.dtype.kind:
        case "i" if nullable:
            return pd.arrays.IntegerArray(full, nulls)
        case "b" if nullable:
            return pd.arrays.BooleanArray(full, nulls)
        case "f":
            full[nulls] = np.nan
        case "M":
            full[nulls] = np.datetime64("NaT", "us")
        case "O":
            full[nulls] = None
    return pd.Series(full, copy=False)


def put_values(series: Any, rows: Values, values: Values) -> Any:
    """Return a column with ``values`` of its type in the chosen ``rows``, in their order."""
    if values.dtype.kind == "M" and series.dtype == object:
        values = values.astype("M8[D]").astype(object)
    changed = series.copy()
    changed[rows] = values
    return changed
