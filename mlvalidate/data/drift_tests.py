"""Evidently's statistical tests, one column at a time and on types that we know."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlvalidate.core.columns import DriftRule, DriftTest

if TYPE_CHECKING:
    import pandas as pd

# Up to so many rows in the reference Evidently takes tests with a p-value, above distances.
MOST_ROWS_FOR_P_VALUES = 1000
FEWEST_ROWS = 20
_THRESHOLDS = {"p": 0.05, "distance": 0.1}


@dataclass(frozen=True)
class Drift:
    """What a test says: ``score`` is a p-value or a distance, as ``is_p_value`` tells."""

    test: str
    score: float
    threshold: float

    @property
    def is_p_value(self) -> bool:
        return DriftTest(self.test).is_p_value

    @property
    def drifted(self) -> bool:
        return self.score < self.threshold if self.is_p_value else self.score >= self.threshold


def usual_test(reference: pd.Series, current: pd.Series, *, numerical: bool) -> str:
    """Return the test that Evidently takes for a column by default.

    It looks at the reference alone to choose `z`, which then overlooks a third value.
    """
    if len(reference) > MOST_ROWS_FOR_P_VALUES:
        return "wasserstein" if numerical else "jensenshannon"
    if numerical:
        return "ks"
    values = {*reference.unique(), *current.unique()}
    return "z" if len(values) <= 2 else "chisquare"


def compare_columns(
    reference: pd.Series, current: pd.Series, rule: DriftRule, *, numerical: bool
) -> Drift | None:
    """Compare two columns without nulls; None when one has too few values to tell.

    Numbers are float64, categories texts.
    """
    if min(len(reference), len(current)) < FEWEST_ROWS:
        return None
    test = rule.test.value if rule.test else usual_test(reference, current, numerical=numerical)
    threshold = rule.threshold or _THRESHOLDS["p" if DriftTest(test).is_p_value else "distance"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what Evidently imports, and of few values
        from evidently.legacy.calculations.stattests import get_stattest
        from evidently.legacy.core import ColumnType

        kind = ColumnType.Numerical if numerical else ColumnType.Categorical
        function = get_stattest(reference, current, kind, test)
        score, _ = function.func(reference, current, kind, threshold)
    return Drift(test, float(score), threshold)
