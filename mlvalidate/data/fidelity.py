"""How near synthetic data comes to real data: column by column, and in what columns share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlvalidate.core.columns import Column, ColumnType
from mlvalidate.core.datasets import Dataset, FileFormat
from mlvalidate.core.model import Model
from mlvalidate.data.draws import Draws
from mlvalidate.data.drift_tests import compare_columns
from mlvalidate.data.expressions import truths
from mlvalidate.data.kinds import kind_of, null_mask, numbers_of, times_of

if TYPE_CHECKING:
    import pandas as pd

MOST_ROWS = 10_000
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
    real, made = _sampled(real), _sampled(made)
    columns: list[ColumnFidelity] = []
    ordered: dict[str, tuple[pd.Series, pd.Series]] = {}
    for name, column in dataset.columns.items():
        if name not in real.columns or name not in made.columns:
            columns.append(ColumnFidelity(column=name, type=column.type, reason="is not in both"))
            continue
        left = _comparable(real[name], column, formats[0])
        right = _comparable(made[name], column, formats[1])
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


def _sampled(frame: pd.DataFrame) -> pd.DataFrame:
    if len(frame) > MOST_ROWS:
        frame = frame.iloc[sorted(Draws(0, "fidelity").order(len(frame))[:MOST_ROWS])]
    return frame.reset_index(drop=True)


def _is_ordered(column: Column) -> bool:
    return column.type.is_number or column.type.is_temporal or column.type is ColumnType.BOOLEAN


def _is_numerical(column: Column) -> bool:
    classes = column.values is not None or column.rate is not None
    return (column.type.is_number and not classes) or column.type.is_temporal


def _comparable(series: pd.Series, column: Column, format: FileFormat) -> pd.Series:
    """Return numbers, times and booleans as float64, the rest as texts; nulls as such."""
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


def _compare(name: str, dataset: Dataset, real: pd.Series, made: pd.Series) -> ColumnFidelity:
    column = dataset.columns[name]
    shares = (float(real.isna().mean()), float(made.isna().mean())) if len(real) else (0.0, 0.0)
    found = ColumnFidelity(column=name, type=column.type, null_shares=shares)
    reason = _reason_not_to(name, dataset)
    if reason:
        return found.model_copy(update={"reason": reason})
    numerical = _is_numerical(column)
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


def _reason_not_to(name: str, dataset: Dataset) -> str:
    column = dataset.columns[name]
    if column.drift.ignore:
        return "is left out by its drift rule"
    if name in dataset.key_columns or column.unique or column.foreign_key:
        return "identifies rows"
    if column.type.is_textual or column.type.is_nested:
        return "has no distribution to compare"
    return ""


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
