"""How near synthetic data comes to real data: column by column, and in what columns share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlvalidate.core.columns import Column, ColumnType
from mlvalidate.core.datasets import Dataset, FileFormat
from mlvalidate.core.model import Model
from mlvalidate.data.comparable import comparable, is_numerical, reason_not_to_compare
from mlvalidate.data.drift_tests import compare_columns
from mlvalidate.data.table_samples import drawn

if TYPE_CHECKING:
    import pandas as pd

_FEWEST_PAIRS = 30


class ColumnFidelity(Model):
    """One column: the test that compared it, or why none did."""

    column: str
    type: ColumnType
    test: str = ""
    score: float | None = None
    threshold: float | None = None
    drifted: bool = False
    null_shares: tuple[float, float] = (0.0, 0.0)  # of the real and of the synthetic rows
    reason: str = ""


class Fidelity(Model):
    """How near two tables are.

    ``correlation_difference`` is the greatest between rank correlations (Spearman) of the same two
    columns, ``pair``; None where no two columns have an order.
    """

    real_rows: int
    synthetic_rows: int
    columns: tuple[ColumnFidelity, ...]
    correlation_difference: float | None = None
    pair: tuple[str, str] | None = None

    @property
    def compared(self) -> int:
        """How many columns were compared."""
        return sum(column.score is not None for column in self.columns)

    @property
    def drift_share(self) -> float | None:
        """Share of the compared columns in which a test sees a difference."""
        drifted = sum(column.drifted for column in self.columns)
        return drifted / self.compared if self.compared else None


def measure_fidelity(
    real: pd.DataFrame,
    made: pd.DataFrame,
    dataset: Dataset,
    formats: tuple[FileFormat, FileFormat],
) -> Fidelity:
    """Compare two tables, as `read_table` gives them in their ``formats``, by 10,000 rows each."""
    sizes = len(real), len(made)
    real, made = drawn([real], "fidelity"), drawn([made], "fidelity")
    columns: list[ColumnFidelity] = []
    ordered: dict[str, tuple[pd.Series, pd.Series]] = {}
    for name, column in dataset.columns.items():
        if name not in real.columns or name not in made.columns:
            columns.append(ColumnFidelity(column=name, type=column.type, reason="is not in both"))
            continue
        left = comparable(real[name], column, formats[0])
        right = comparable(made[name], column, formats[1])
        columns.append(_compare(name, dataset, left, right))
        if _is_ordered(column) and name not in dataset.key_columns and not column.unique:
            ordered[name] = (left, right)
    difference, pair = _correlation_difference(ordered)
    return Fidelity(
        real_rows=sizes[0],
        synthetic_rows=sizes[1],
        columns=tuple(columns),
        correlation_difference=difference,
        pair=pair,
    )


def _is_ordered(column: Column) -> bool:
    return column.type.is_number or column.type.is_temporal or column.type is ColumnType.BOOLEAN


def _compare(name: str, dataset: Dataset, real: pd.Series, made: pd.Series) -> ColumnFidelity:
    column = dataset.columns[name]
    shares = (float(real.isna().mean()), float(made.isna().mean())) if len(real) else (0.0, 0.0)
    found = ColumnFidelity(column=name, type=column.type, null_shares=shares)
    reason = reason_not_to_compare(name, dataset)
    if reason:
        return found.model_copy(update={"reason": reason})
    numerical = is_numerical(column)
    left, right = real.dropna(), made.dropna()
    if not numerical:
        left, right = left.astype(str), right.astype(str)
    drift = compare_columns(left, right, column.drift, numerical=numerical)
    if drift is None:
        return found.model_copy(update={"reason": "has too few values"})
    return found.model_copy(
        update={
            "test": drift.test,
            "score": drift.score,
            "threshold": drift.threshold,
            "drifted": drift.drifted,
        }
    )


def _correlation_difference(
    ordered: dict[str, tuple[pd.Series, pd.Series]],
) -> tuple[float | None, tuple[str, str] | None]:
    import numpy as np
    import pandas as pd

    if len(ordered) < 2:
        return None, None
    matrices = [
        pd.DataFrame({name: both[side] for name, both in ordered.items()})
        .corr(method="spearman", min_periods=_FEWEST_PAIRS)
        .to_numpy()
        for side in (0, 1)
    ]
    differences = np.triu(np.abs(matrices[0] - matrices[1]), 1)
    if np.isnan(differences).all():
        return None, None
    names = list(ordered)
    row, column = np.unravel_index(np.nanargmax(differences), differences.shape)
    return float(differences[row, column]), (names[row], names[column])
