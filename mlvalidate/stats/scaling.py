"""How a figure grows with the number of rows: fits `a + b * n^k`, with honest intervals.

`a` is what a start costs on any volume. Measurements are weighted by the inverse of their size, as
their spread grows with it, and outliers are drawn in before the fit. Intervals come from the
profile of the squared error, with Student's t for the few degrees of freedom that there are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Array = NDArray[np.float64]

CONFIDENCE = 0.95
# `a`, `b` and `k` can't be told apart with fewer.
LEAST_VOLUMES = 3
LEAST_MEASUREMENTS = 4

_STEP = 0.02
_EXPONENTS = np.round(np.arange(_STEP, 4.0001, _STEP), 2)
# Measurements that agree to the last digit are not that exact.
_LEAST_SPREAD = 0.003
# Robust standard deviations beyond which a measurement is drawn in.
_OUTLIER = 3.0
_MEDIAN_LOSS = math.sqrt(math.pi / 2)

CLASSES: Mapping[str, Callable[[Array], Array]] = {
    "constant": np.ones_like,
    "n": lambda n: n,
    "n log n": lambda n: n * np.log(np.maximum(n, 2.0)),
    "n^2": lambda n: n**2,
    "n^3": lambda n: n**3,
}


@dataclass(frozen=True)
class Interval:
    """A value and where it lies with 95 % confidence; without bounds where too little is known."""

    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Scaling:
    """How a figure grows: `start + factor * n^exponent`.

    ``growth`` is the simple class that explains the measurements best and ``confidence`` its weight
    among the classes, from 0 to 1 (Akaike's). ``prediction`` is about the volume asked for.
    """

    exponent: Interval
    start: float
    factor: float
    growth: str
    confidence: float
    prediction: Interval | None = None


def medians(values: Mapping[int, Sequence[float]]) -> dict[int, Interval]:
    """Return the median of each volume's measurements with its interval.

    The interval is Student's, with the relative spread pooled over all volumes: each has too few
    measurements for a spread of its own. It has no bounds where nothing was measured twice.
    """
    groups = {rows: np.asarray(each, float) for rows, each in sorted(values.items())}
    degrees = sum(len(each) - 1 for each in groups.values())
    centres = {rows: float(np.median(each)) for rows, each in groups.items()}
    if degrees == 0:
        return {rows: Interval(centre) for rows, centre in centres.items()}
    spread = _spread([each / centres[rows] for rows, each in groups.items()], degrees)
    quantile = float(stats.t.ppf((1 + CONFIDENCE) / 2, degrees))
    found = {}
    for rows, centre in centres.items():
        number = len(groups[rows])
        loss = _MEDIAN_LOSS if number > 2 else 1.0
        half = quantile * loss * spread * centre / math.sqrt(number)
        found[rows] = Interval(centre, max(centre - half, 0.0), centre + half)
    return found


def fit_scaling(values: Mapping[int, Sequence[float]], volume: int | None = None) -> Scaling | None:
    """Fit how the measurements grow with the rows that they are by; predict the ``volume``.

    All values have to be positive. None with fewer than three volumes or four measurements.
    """
    number = sum(map(len, values.values()))
    if len(values) < LEAST_VOLUMES or number < LEAST_MEASUREMENTS:
        return None
    fit = _Fit.of(_draw_in(values))
    growth, confidence = fit.classify()
    constant = growth == "constant"
    best = fit.best
    low, high = fit.exponents()
    exponent = Interval(0.0 if constant else best.exponent, 0.0 if constant else low, high)
    start, factor = (fit.level, 0.0) if constant else (best.start, best.factor)
    prediction = None
    if volume is not None:
        low, high = fit.predictions(volume / fit.unit)
        value = start + factor * (volume / fit.unit) ** exponent.value
        prediction = Interval(value, min(low, value), max(high, value))
    factor = factor / fit.unit**exponent.value
    return Scaling(exponent, start, factor, growth, confidence, prediction)


def _spread(ratios: Sequence[Array], degrees: int) -> float:
    squares = sum(float(((each - each.mean()) ** 2).sum()) for each in ratios)
    return max(math.sqrt(squares / degrees), _LEAST_SPREAD)


def _draw_in(values: Mapping[int, Sequence[float]]) -> dict[int, Array]:
    """Return the measurements with outliers moved to the edge of what is usual."""
    groups = {rows: np.asarray(each, float) for rows, each in sorted(values.items())}
    centres = {rows: float(np.median(each)) for rows, each in groups.items()}
    repeated = [abs(each / centres[n] - 1) for n, each in groups.items() if len(each) > 2]
    if not repeated:
        return groups
    # Of three values one is the median itself: its distance of 0 says nothing.
    distances = np.concatenate([np.sort(each)[1:] for each in repeated])
    reach = _OUTLIER * max(1.4826 * float(np.median(distances)), _LEAST_SPREAD)
    return {
        rows: np.clip(each, centres[rows] * (1 - reach), centres[rows] * (1 + reach))
        for rows, each in groups.items()
    }


@dataclass(frozen=True)
class _Curve:
    """The best `start + factor * x` for one exponent, and its weighted squared error."""

    exponent: float
    start: float
    factor: float
    error: float
    # Inverse of the normal equations; the start has no row where it is held at 0.
    covariance: Array

    def room(self, x: float) -> float:
        """Return by how much a prediction's variance exceeds that of a measurement."""
        at = np.array([1.0, x])[-len(self.covariance) :]
        return float(at @ self.covariance @ at)


@dataclass(frozen=True)
class _Fit:
    """The fits of all exponents to measurements. Rows are counted in ``unit``: no overflow."""

    rows: Array
    values: Array
    weights: Array
    unit: float
    level: float
    level_error: float
    curves: tuple[_Curve, ...]
    variance: float
    degrees: int

    @classmethod
    def of(cls, groups: Mapping[int, Array]) -> _Fit:
        unit = float(max(groups))
        rows = np.concatenate([np.full(len(each), n / unit) for n, each in groups.items()])
        values = np.concatenate(list(groups.values()))
        centre = [np.full(len(each), np.median(each)) for each in groups.values()]
        weights = 1.0 / np.concatenate(centre) ** 2
        curves = tuple(_fit_curve(float(k), rows**k, values, weights) for k in _EXPONENTS)
        error = min(curve.error for curve in curves)
        variance, degrees = _variance(groups, error)
        level = float(np.average(values, weights=weights))
        level_error = float((weights * (values - level) ** 2).sum())
        return cls(rows, values, weights, unit, level, level_error, curves, variance, degrees)

    @property
    def best(self) -> _Curve:
        return min(self.curves, key=lambda curve: curve.error)

    @property
    def _slack(self) -> float:
        """How much more error than the least is within the confidence."""
        quantile = float(stats.t.ppf((1 + CONFIDENCE) / 2, self.degrees))
        return self.variance * quantile**2

    def _accepted(self) -> list[tuple[_Curve, float]]:
        least = self.best.error
        rest = ((curve, self._slack - (curve.error - least)) for curve in self.curves)
        return [(curve, slack) for curve, slack in rest if slack >= 0]

    def exponents(self) -> tuple[float, float]:
        """Return the bounds of the exponent: the first ones tried that do not fit any more."""
        accepted = [curve.exponent for curve, _ in self._accepted()]
        flat = self.level_error - self.best.error <= self._slack
        low = 0.0 if flat else round(accepted[0] - _STEP, 2)
        return low, round(accepted[-1] + _STEP, 2)

    def predictions(self, x: float) -> tuple[float, float]:
        """Return the bounds of the curve at ``x`` over all fits within the confidence."""
        lows, highs = [], []
        for curve, slack in self._accepted():
            value = curve.start + curve.factor * x**curve.exponent
            half = math.sqrt(slack * curve.room(x**curve.exponent))
            lows.append(value - half)
            highs.append(value + half)
        return max(min(lows), 0.0), max(highs)

    def classify(self) -> tuple[str, float]:
        """Return the class that explains the measurements best, and its weight among all."""
        criteria: dict[str, float] = {}
        for name, shape in CLASSES.items():
            if name == "constant":
                error, parameters = self.level_error, 1
            else:
                x = shape(self.rows * self.unit)
                error = _fit_curve(1.0, x / x.max(), self.values, self.weights).error
                parameters = 2
            criteria[name] = error / self.variance + 2 * parameters
        least = min(criteria.values())
        weights = {name: math.exp((least - each) / 2) for name, each in criteria.items()}
        chosen = max(weights, key=lambda name: weights[name])
        confidence = weights[chosen] / sum(weights.values())
        class_error = (criteria[chosen] - 2 * (1 if chosen == "constant" else 2)) * self.variance
        if class_error - self.best.error > self._slack:
            # None of the classes is it: say the power itself, of which the interval is known.
            return f"n^{self.best.exponent:.1f}", CONFIDENCE
        return chosen, confidence


def _fit_curve(exponent: float, x: Array, values: Array, weights: Array) -> _Curve:
    """Return the least squares with neither a negative start nor a negative factor."""
    design = np.column_stack([np.ones_like(x), x])
    normal = design.T @ (weights[:, None] * design)
    right = design.T @ (weights * values)
    covariance: Array = np.linalg.pinv(normal, hermitian=True).astype(np.float64)
    start, factor = (float(each) for each in covariance @ right)
    if start < 0:
        covariance = np.array([[1.0 / normal[1, 1]]])
        start, factor = 0.0, float(right[1] / normal[1, 1])
    elif factor < 0:
        start, factor = float(right[0] / normal[0, 0]), 0.0
    error = float((weights * (values - start - factor * x) ** 2).sum())
    return _Curve(exponent, start, factor, error, covariance)


def _variance(groups: Mapping[int, Array], error: float) -> tuple[float, int]:
    """Return the variance of one measurement around the curve, and its degrees of freedom.

    Where the curve misses the volumes by more than repeats differ, the volumes are what counts:
    many repeats must not make a curve that does not fit look certain.
    """
    number = sum(map(len, groups.values()))
    floor = _LEAST_SPREAD**2
    whole = error / (number - 3)
    misfit_degrees, pure_degrees = len(groups) - 3, number - len(groups)
    if misfit_degrees == 0 or pure_degrees == 0:
        return max(whole, floor), number - 3
    pure = sum(
        float((((each - each.mean()) / np.median(each)) ** 2).sum()) for each in groups.values()
    )
    misfit = max(error - pure, 0.0) / misfit_degrees
    noise = max(pure / pure_degrees, floor)
    if misfit > noise * float(stats.f.ppf(CONFIDENCE, misfit_degrees, pure_degrees)):
        return misfit, misfit_degrees
    return max(whole, floor), number - 3
