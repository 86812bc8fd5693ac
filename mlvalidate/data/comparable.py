"""Cells as statistics take them: numbers as float64, everything else as texts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlvalidate.core.columns import Column, ColumnType
from mlvalidate.core.datasets import Dataset, FileFormat
from mlvalidate.data.expressions import truths
from mlvalidate.data.kinds import kind_of, null_mask, numbers_of, times_of

if TYPE_CHECKING:
    import pandas as pd


def is_numerical(column: Column) -> bool:
    """Return whether a column is compared by its order, and not by its classes."""
    classes = column.values is not None or column.rate is not None
    return (column.type.is_number and not classes) or column.type.is_temporal


def comparable(series: pd.Series, column: Column, format: FileFormat) -> pd.Series:
    """Return numbers, times (seconds) and booleans as float64, the rest as texts; nulls as such.

    A cell that is not of the declared type is null.
    """
    import numpy as np
    import pandas as pd

    nulls = null_mask(series, column, format)
    filled = series[~nulls]
    if column.type.is_number:
        values: Any = numbers_of(filled)
        values = np.where(np.isfinite(values), values, np.nan)
    elif column.type.is_temporal:
        times = times_of(filled, kind_of(filled), format).astype("M8[s]")
        values = np.where(np.isnat(times), np.nan, times.astype("int64").astype("float64"))
    elif column.type is ColumnType.BOOLEAN:
        values = truths(filled).astype("Float64").to_numpy(dtype="float64", na_value=np.nan)
    else:
        return filled.astype(str).reindex(series.index)
    return pd.Series(values, index=filled.index, dtype="float64").reindex(series.index)


def reason_not_to_compare(name: str, dataset: Dataset) -> str:
    """Return why a declared column has no distribution to be compared; empty when it has one."""
    column = dataset.columns[name]
    if column.drift.ignore:
        return "is left out by its drift rule"
    if name in dataset.key_columns or column.unique or column.foreign_key:
        return "identifies rows"
    if column.type.is_textual or column.type.is_nested:
        return "has no distribution to compare"
    return ""
