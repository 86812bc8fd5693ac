"""Whether the columns of a table have drifted away from a reference.

A column has drifted when two things hold. Evidently's test says so, which tells that the difference
is large. And it is no chance: a two-sample test is significant, after a correction (Holm) over all
columns of a run. Evidently's tests alone see drift in half of all runs on equally distributed data:
distances have a floor that grows with fewer rows and more categories, and its chi-square takes the
reference for the whole truth. See benchmarks/drift.py.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from mlvalidate.core.columns import DriftRule
from mlvalidate.core.datasets import Dataset
from mlvalidate.core.quality import ColumnDrift
from mlvalidate.data.comparable import reason_not_to_compare
from mlvalidate.data.drift_tests import compare_columns
from mlvalidate.data.table_samples import Role, TableSample

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

# Chance may make one run in a hundred report any drift. Half of that is left to the tests, whose
# p-values are approximate far out in their tails.
LEVEL = 0.005
FEWEST_VALUES = 50
# A share of missing values that differs by less is no drift, however certain the difference.
LEAST_NULL_CHANGE = 0.05
# Categories are put together until so many values are expected of each: chi-square needs them.
_FEWEST_EXPECTED = 10


def measure_drift(
    reference: tuple[pd.DataFrame, TableSample],
    current: tuple[pd.DataFrame, TableSample],
    dataset: Dataset,
) -> list[ColumnDrift]:
    """Compare the declared columns of two prepared tables; nothing is judged yet."""
    found = []
    for name, column in dataset.columns.items():
        sides = [frame.get(name) for frame, _ in (reference, current)]
        roles = [sample.roles.get(name) for _, sample in (reference, current)]
        reason = reason_not_to_compare(name, dataset)
        if not reason and None in roles:
            reason = "is not in both"
        elif not reason and roles[0] is not roles[1]:
            reason = f"is a {roles[0]} in the reference and a {roles[1]} in the output"
        if reason:
            found.append(ColumnDrift(column=name, reason=reason))
            continue
        assert sides[0] is not None
        assert sides[1] is not None
        assert roles[0] is not None
        try:
            found.append(measure_column(name, sides[0], sides[1], roles[0], column.drift))
        except Exception as error:
            # Whatever a test makes of odd values: the other columns still have their verdict.
            reason = f"can't be compared: {type(error).__name__}: {error}"
            found.append(ColumnDrift(column=name, reason=reason))
    return found


def measure_column(
    name: str, reference: pd.Series, current: pd.Series, role: Role, rule: DriftRule
) -> ColumnDrift:
    """Compare one column of two prepared frames; with too few rows nothing is compared."""
    found = ColumnDrift(column=name)
    if min(len(reference), len(current)) < FEWEST_VALUES:
        return found.model_copy(update={"reason": _too_few(reference, current)})
    nulls = reference.isna(), current.isna()
    found = found.model_copy(
        update={
            "null_shares": (float(nulls[0].mean()), float(nulls[1].mean())),
            "null_p_value": _null_p_value(*nulls),
        }
    )
    values = _values(reference, role), _values(current, role)
    if min(map(len, values)) < FEWEST_VALUES:
        return found.model_copy(update={"reason": _too_few(*values)})
    numerical = role in (Role.NUMBER, Role.TIME)
    test = compare_columns(*values, rule, numerical=numerical)
    assert test is not None  # there are more rows than it needs
    p_value = _significance(*values, numerical=numerical) if rule.threshold is None else None
    return found.model_copy(
        update={
            "test": test.test,
            "score": _finite(test.score),
            "threshold": test.threshold,
            # Its own threshold alone has decided.
            "drifted": test.drifted,
            "p_value": p_value,
        }
    )


def _too_few(reference: pd.Series, current: pd.Series) -> str:
    counts = f"{len(reference)} and {len(current)}"
    return f"insufficient data: {counts} values, at least {FEWEST_VALUES} are needed"


def _finite(score: float) -> float:
    """Return a score that JSON can hold: a distance from a constant column is infinite."""
    return score if math.isfinite(score) else GREATEST_SCORE


GREATEST_SCORE = 1e9


def _values(series: pd.Series, role: Role) -> pd.Series:
    filled = series.dropna()
    if role is Role.TIME:
        return filled.astype("M8[s]").astype("int64").astype("float64")
    return filled


def _significance(reference: pd.Series, current: pd.Series, *, numerical: bool) -> float:
    """Return the p-value of a two-sample test: Kolmogorov-Smirnov, or chi-square."""
    from scipy.stats import chi2_contingency, ks_2samp

    if numerical:
        exact = len(reference) * len(current) <= 10**4
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it falls back to the other method by itself
            return float(ks_2samp(reference, current, method="exact" if exact else "asymp").pvalue)
    table = _contingency(reference, current)
    if table.shape[1] < 2:
        return 1.0
    return float(chi2_contingency(table, correction=table.shape[1] == 2).pvalue)


def _contingency(reference: pd.Series, current: pd.Series) -> npt.NDArray[np.float64]:
    """Count categories on both sides, rare ones together; which are rare both sides tell alike."""
    import numpy as np
    import pandas as pd

    codes, _ = pd.factorize(np.concatenate([reference.astype(str), current.astype(str)]))
    first = np.bincount(codes[: len(reference)], minlength=codes.max() + 1)
    second = np.bincount(codes[len(reference) :], minlength=codes.max() + 1)
    total = first + second
    least = _FEWEST_EXPECTED * len(codes) / min(len(reference), len(current))
    common = total >= least
    table = np.array([first[common], second[common]], dtype=float)
    rest = np.array([first[~common].sum(), second[~common].sum()], dtype=float)
    if rest.sum() >= least or not common.any():
        return np.column_stack([table, rest])
    smallest = table.sum(axis=0).argmin()
    table[:, smallest] += rest
    return table


def _null_p_value(reference: pd.Series, current: pd.Series) -> float | None:
    """Return the p-value of equal shares of missing values; None where none is missing."""
    from scipy.stats import fisher_exact

    missing = int(reference.sum()), int(current.sum())
    if not any(missing):
        return None
    counts = [[n, len(side) - n] for n, side in zip(missing, (reference, current), strict=True)]
    return float(fisher_exact(counts).pvalue)


def judge_drift(tables: Mapping[str, Sequence[ColumnDrift]]) -> dict[str, list[ColumnDrift]]:
    """Decide which of the measured columns of a run have drifted, by the names of their tables.

    All tables are judged together: the correction is for everything that was compared.
    """
    flat = [column for columns in tables.values() for column in columns]
    p_values = [
        p for column in flat for p in (column.p_value, column.null_p_value) if p is not None
    ]
    limit = holm_limit(p_values, LEVEL)
    return {
        name: [_judged(column, limit) for column in columns] for name, columns in tables.items()
    }


def holm_limit(p_values: Sequence[float], level: float) -> float:
    """Return the greatest p-value that Holm's procedure rejects; -1 when it rejects none."""
    limit = -1.0
    for rank, p_value in enumerate(sorted(p_values)):
        if p_value > level / (len(p_values) - rank):
            break
        limit = p_value
    return limit


def _judged(column: ColumnDrift, limit: float) -> ColumnDrift:
    drifted = column.drifted and (column.p_value is None or column.p_value <= limit)
    before, now = column.null_shares
    changed = abs(before - now) >= LEAST_NULL_CHANGE
    certain = column.null_p_value is not None and column.null_p_value <= limit
    return column.model_copy(update={"drifted": drifted, "nulls_drifted": changed and certain})
