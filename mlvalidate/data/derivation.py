"""Computes the columns that are derived from others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlvalidate.core.columns import Column, ColumnType
from mlvalidate.core.datasets import Dataset
from mlvalidate.core.expressions import parse_expression
from mlvalidate.data.assembly import assemble
from mlvalidate.data.errors import UnsatisfiableSchema
from mlvalidate.data.expressions import ExpressionFails, evaluate, truths

if TYPE_CHECKING:
    import pandas as pd

# Decimals that are the same on every machine, whatever functions an expression calls.
_DECIMALS = 9


def derive(frame: pd.DataFrame, dataset: Dataset, name: str) -> pd.DataFrame:
    """Return the table with its derived columns computed, which may name each other.

    Raises UnsatisfiableSchema for an expression that fails, and for a circle of them.
    """
    waiting = {
        column: parse_expression(keys.derived)
        for column, keys in dataset.columns.items()
        if keys.derived
    }
    while waiting:
        ready = [c for c, expression in waiting.items() if not {*expression.names} & {*waiting}]
        if not ready:
            raise _failure(name, next(iter(waiting)), "`derived` leads back to the column itself")
        for column in ready:
            try:
                values = evaluate(waiting.pop(column), frame, dataset.columns)
                frame[column] = _as_declared(values, dataset.columns[column])
            except (ExpressionFails, ValueError, TypeError, OverflowError) as error:
                raise _failure(name, column, str(error)) from None
    return frame


def _failure(name: str, column: str, problem: str) -> UnsatisfiableSchema:
    dataset = f"dataset {name!r}, " if name else ""
    return UnsatisfiableSchema(f"{dataset}column {column!r}: {problem}")


def _as_declared(values: pd.Series, column: Column) -> Any:
    """Return computed values as a column of the declared type; null stays null."""
    import numpy as np
    import pandas as pd

    nulls = np.asarray(values.isna(), dtype=bool)
    filled = values[~nulls]
    if column.type.is_number:
        numbers = np.round(filled.to_numpy(dtype="float64"), _DECIMALS)
        whole = column.type is ColumnType.INTEGER
        found: Any = np.rint(numbers).astype("int64") if whole else numbers
    elif column.type is ColumnType.BOOLEAN:
        found = truths(filled).to_numpy(dtype=bool)
    elif column.type.is_temporal:
        found = np.asarray(pd.to_datetime(filled).to_numpy(), dtype="M8[us]")
    else:
        found = np.array([_text(cell) for cell in filled.tolist()], dtype=object)
    nullable = column.model_copy(update={"null": float(nulls.any())})
    return assemble(nullable, found, nulls)


def _text(cell: Any) -> Any:
    """Return a cell as it may stand among values: whole floats of text columns as numbers."""
    return cell if isinstance(cell, str | bool | int) else str(cell)
