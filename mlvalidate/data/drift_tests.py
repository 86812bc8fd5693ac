"""Evidently's statistical tests, one column at a time and on types that we know.

Those that it takes by default are computed here, as it computes them (the tests compare the two):
importing it costs more than a typical script does. The others are its own.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlvalidate.core.columns import DriftRule, DriftTest

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
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
        warnings.simplefilter("ignore")  # of few values, and of what Evidently imports
        score = _score(DriftTest(test), reference, current, threshold, numerical=numerical)
    return Drift(test, score, threshold)


def _score(
    test: DriftTest, reference: pd.Series, current: pd.Series, threshold: float, *, numerical: bool
) -> float:
    if test is DriftTest.JENSENSHANNON:
        return _jensenshannon(reference, current, numerical=numerical)
    own = _OF_NUMBERS if numerical else _OF_CATEGORIES
    if test in own:
        return own[test](reference, current)
    return _evidently(test, reference, current, threshold, numerical=numerical)


def _ks(reference: pd.Series, current: pd.Series) -> float:
    from scipy.stats import ks_2samp

    return float(ks_2samp(reference, current).pvalue)


def _wasserstein(reference: pd.Series, current: pd.Series) -> float:
    """Return the distance in standard deviations of the reference."""
    import numpy as np
    from scipy.stats import wasserstein_distance

    deviation = max(float(np.std(reference)), _LEAST_DEVIATION)
    return float(wasserstein_distance(reference, current)) / deviation


_LEAST_DEVIATION = 0.001


def _jensenshannon(reference: pd.Series, current: pd.Series, *, numerical: bool) -> float:
    from scipy.spatial.distance import jensenshannon

    if numerical and reference.nunique() > _MOST_VALUES_UNBINNED:
        counts = _binned(reference, current)
    else:
        counts = _counted(reference, current)
    return float(jensenshannon(*counts))  # which divides by the sums


_MOST_VALUES_UNBINNED = 20


def _chisquare(reference: pd.Series, current: pd.Series) -> float:
    """Return the p-value of a goodness of fit that takes the reference for the whole truth."""
    from scipy.stats import chisquare

    expected, observed = _counted(reference, current)
    return float(chisquare(observed, expected * (len(current) / len(reference))).pvalue)


def _z(reference: pd.Series, current: pd.Series) -> float:
    """Return the p-value of equal shares of the first value in order."""
    import numpy as np
    from scipy.stats import norm

    first = min({*reference.unique(), *current.unique()})
    shares = [float((side != first).mean()) for side in (reference, current)]
    sizes = len(reference), len(current)
    if max(shares) == 0:
        return 1.0  # both have this one value alone
    pooled = np.average(shares, weights=sizes)
    error = np.sqrt(pooled * (1 - pooled) * (1 / sizes[0] + 1 / sizes[1]))
    return float(2 * (1 - norm.cdf(abs(shares[0] - shares[1]) / error)))


_Test = Callable[["pd.Series", "pd.Series"], float]
_OF_NUMBERS: dict[DriftTest, _Test] = {DriftTest.KS: _ks, DriftTest.WASSERSTEIN: _wasserstein}
_OF_CATEGORIES: dict[DriftTest, _Test] = {DriftTest.CHISQUARE: _chisquare, DriftTest.Z: _z}


def _binned(
    reference: pd.Series, current: pd.Series
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    import numpy as np

    edges = np.histogram_bin_edges(np.concatenate([reference, current]), bins="sturges")
    return np.histogram(reference, edges)[0], np.histogram(current, edges)[0]


def _counted(
    reference: pd.Series, current: pd.Series
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return how often each value is there, on both sides in the same order."""
    import numpy as np
    import pandas as pd

    codes, values = pd.factorize(np.concatenate([reference, current]))
    sides = codes[: len(reference)], codes[len(reference) :]
    first, second = (np.bincount(side, minlength=len(values)) for side in sides)
    return first, second


def _evidently(
    test: DriftTest, reference: pd.Series, current: pd.Series, threshold: float, *, numerical: bool
) -> float:
    from evidently.legacy.calculations.stattests import get_stattest
    from evidently.legacy.core import ColumnType

    kind = ColumnType.Numerical if numerical else ColumnType.Categorical
    function = get_stattest(reference, current, kind, test.value)
    score, _ = function.func(reference, current, kind, threshold)
    return float(score)
