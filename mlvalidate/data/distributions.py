"""Numbers, datetimes and dates in the shape that a column declares.

Everything is drawn by its quantile function, cut off at the bounds. Logarithms and powers differ
in the last bit between machines: what comes of them is rounded.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from mlvalidate.core.columns import (
    Column,
    ColumnType,
    Distribution,
    DistributionKind,
    as_comparable,
)
from mlvalidate.data.draws import Draws, Values
from mlvalidate.data.errors import Impossible

Floats = npt.NDArray[np.float64]
Quantile = Callable[[Floats], Floats]

# Ranks of `zipf` beyond this are never drawn.
MOST_RANKS = 1_000_000
# Digits that are the same on every machine.
_DIGITS = 12
_DAY = 86_400.0
# From this mean on `poisson` is drawn as a normal distribution: they can't be told apart.
_LARGE_MEAN = 500.0


def draw_shaped(
    column: Column, low: float | None, high: float | None, size: int, draws: Draws
) -> Values:
    """Return ``size`` values of a column with a `distribution`; they may repeat.

    ``low`` and ``high`` are the declared bounds, in seconds since the epoch for datetimes and
    dates. Raises Impossible where the bounds leave nothing of the distribution.
    """
    assert column.distribution is not None
    quantile = _quantile_function(column.distribution, low, high, _usual_span(column))
    numbers = _rounded(quantile(draws.uniform(size)))
    if column.type is ColumnType.FLOAT:
        return _as_floats(numbers, quantile, low, high)
    unit = _DAY if column.type is ColumnType.DATE else 1.0
    whole = np.rint(numbers / unit)
    whole = np.clip(
        whole,
        -np.inf if low is None else math.ceil(low / unit),
        np.inf if high is None else math.floor(high / unit),
    )
    if size and (np.abs(whole) >= 2.0**63).any():
        raise Impossible("the distribution gives numbers of more than 64 bits")
    integers = whole.astype(np.int64)
    if column.type is ColumnType.INTEGER:
        return integers
    return integers.astype("M8[D]" if column.type is ColumnType.DATE else "M8[s]")


def _usual_span(column: Column) -> tuple[float, float]:
    """Return bounds for shapes that need some, where none are declared."""
    if column.type.is_temporal:
        days = (dt.date(2020, 1, 1), dt.date(2024, 12, 31))
        return as_comparable(days[0]), as_comparable(days[1])
    return 0.0, 1000.0 if column.type is ColumnType.INTEGER else 100.0


def _rounded(numbers: Floats) -> Floats:
    """Round to `_DIGITS` significant digits."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        magnitude = np.floor(np.log10(np.abs(numbers)))
    magnitude = np.where(np.isfinite(magnitude), magnitude, 0.0)
    places = np.clip(_DIGITS - 1 - magnitude, -280, 280).astype(np.int64)
    result: Floats = numbers.copy()
    for place in np.unique(places):
        chosen = places == place
        result[chosen] = np.round(numbers[chosen], int(place))
    return result


def _as_floats(
    numbers: Floats, quantile: Quantile, low: float | None, high: float | None
) -> Floats:
    """Round floats to as many decimals as leave a hundred thousand steps in their usual range."""
    ends = quantile(np.array([0.01, 0.99]))
    span = float(ends[1] - ends[0])
    if 0 < span < 1e12:
        numbers = np.round(numbers, max(5 - math.floor(math.log10(span)), 0))
    lowest = -np.inf if low is None else low
    return np.clip(numbers, lowest, np.inf if high is None else high)


def _quantile_function(
    shape: Distribution, low: float | None, high: float | None, usual: tuple[float, float]
) -> Quantile:
    makers: dict[DistributionKind, Callable[[], Quantile]] = {
        DistributionKind.QUANTILES: lambda: _of_quantiles(shape, low, high),
        DistributionKind.POISSON: lambda: _of_poisson(shape.mean or 1.0, low, high),
        DistributionKind.ZIPF: lambda: _of_zipf(shape.exponent or 2.0, low, high),
        DistributionKind.EXPONENTIAL: lambda: _of_exponential(shape.mean, low, high),
        DistributionKind.LOGNORMAL: lambda: _of_lognormal(shape, low, high),
        DistributionKind.NORMAL: lambda: _of_usual_normal(shape, low, high, usual),
        DistributionKind.UNIFORM: lambda: _of_uniform(low, high, usual),
    }
    return makers[shape.kind]()


def _of_uniform(low: float | None, high: float | None, usual: tuple[float, float]) -> Quantile:
    first, last = _both_bounds(low, high, usual)
    return lambda share: np.clip(first * (1 - share) + last * share, first, last)


def _of_usual_normal(
    shape: Distribution, low: float | None, high: float | None, usual: tuple[float, float]
) -> Quantile:
    first, last = _both_bounds(low, high, usual)
    mean = shape.mean if shape.mean is not None else first / 2 + last / 2
    sd = shape.sd or (last / 6 - first / 6) or 1.0
    return _of_normal(mean, sd, low, high)


def _both_bounds(
    low: float | None, high: float | None, usual: tuple[float, float]
) -> tuple[float, float]:
    span = usual[1] - usual[0]
    if low is None:
        low = usual[0] if high is None or high > usual[0] else high - span
    if high is None:
        high = max(usual[1], low + span)
    return low, high


def _of_quantiles(shape: Distribution, low: float | None, high: float | None) -> Quantile:
    assert shape.quantiles is not None
    values = np.array([as_comparable(value) for value in shape.quantiles])
    values = np.clip(values, -np.inf if low is None else low, np.inf if high is None else high)
    steps = np.linspace(0.0, 1.0, len(values))
    return lambda share: np.interp(share, steps, values)


def _of_normal(mean: float, sd: float, low: float | None, high: float | None) -> Quantile:
    normal = NormalDist(mean, sd)
    first = 0.0 if low is None else normal.cdf(low)
    last = 1.0 if high is None else normal.cdf(high)
    if last - first < 1e-12:
        raise Impossible("`min` and `max` leave nothing of the distribution")
    least = -np.inf if low is None else low
    greatest = np.inf if high is None else high

    def quantile(share: Floats) -> Floats:
        return np.clip(mean + sd * normal_scores(first + (last - first) * share), least, greatest)

    return quantile


def _of_lognormal(shape: Distribution, low: float | None, high: float | None) -> Quantile:
    if high is not None and high <= 0:
        raise Impossible("lognormal numbers are greater than 0, and `max` is not")
    least = math.log(low) if low is not None and low > 0 else None
    most = math.log(high) if high is not None else None
    if least is not None and most is not None:
        mean, sd = (least + most) / 2, (most - least) / 6
    else:
        # The open end is at three standard deviations of 1.
        mean, sd = (most - 3 if most is not None else (least or -3.0) + 3), 1.0
    normal = _of_normal(
        mean if shape.mean is None else shape.mean, shape.sd or sd or 1.0, least, most
    )
    return lambda share: np.exp(np.minimum(normal(share), 700.0))


def _of_exponential(mean: float | None, low: float | None, high: float | None) -> Quantile:
    start = low or 0.0
    if high is not None and high < start:
        raise Impossible("an exponential distribution begins at 0, which `max` excludes")
    scale = mean or ((high - start) / 5 if high is not None and high > start else 1.0)
    most = 1.0 if high is None else -math.expm1(-(high - start) / scale)

    def quantile(share: Floats) -> Floats:
        return start - scale * np.log1p(-np.minimum(share * most, 1 - 2.0**-53))

    return quantile


def _of_poisson(mean: float, low: float | None, high: float | None) -> Quantile:
    if mean > _LARGE_MEAN:
        return _of_normal(mean, math.sqrt(mean), max(low or 0.0, 0.0), high)
    most = math.ceil(mean + 12 * math.sqrt(mean) + 20)
    weights = np.empty(most + 1)
    weights[0] = math.exp(-mean)
    for count in range(1, most + 1):
        weights[count] = weights[count - 1] * mean / count
    first = max(math.ceil(low or 0), 0)
    last = most if high is None else min(math.floor(high), most)
    return _of_weights(weights[first : last + 1], first)


def _of_zipf(exponent: float, low: float | None, high: float | None) -> Quantile:
    first = 1 if low is None else math.ceil(low)
    ranks = MOST_RANKS if high is None else min(math.floor(high) - first + 1, MOST_RANKS)
    return _of_weights(np.arange(1.0, max(ranks, 0) + 1) ** -exponent, first)


def _of_weights(weights: Floats, first: int) -> Quantile:
    """Return the quantile function of the whole numbers from ``first`` on."""
    total = np.cumsum(weights)
    if not len(total) or total[-1] <= 0:
        raise Impossible("`min` and `max` leave nothing of the distribution")
    shares = np.round(total / total[-1], _DIGITS)

    def quantile(share: Floats) -> Floats:
        places = np.searchsorted(shares, share, side="right")
        return first + np.minimum(places, len(shares) - 1).astype(np.float64)

    return quantile


# Coefficients of Wichura's AS 241, exact to about 1e-16, as in `statistics.NormalDist`.
_CENTRE = (
    (2.50908_09287_30122_6727e3, 3.34305_75583_58812_8105e4, 6.72657_70927_00870_0853e4,
     4.59219_53931_54987_1457e4, 1.37316_93765_50946_1125e4, 1.97159_09503_06551_4427e3,
     1.33141_66789_17843_7745e2, 3.38713_28727_96366_6080e0),
    (5.22649_52788_52854_5610e3, 2.87290_85735_72194_2674e4, 3.93078_95800_09271_0610e4,
     2.12137_94301_58659_5867e4, 5.39419_60214_24751_1077e3, 6.87187_00749_20579_0830e2,
     4.23133_30701_60091_1252e1, 1.0),
)  # fmt: skip
_MIDDLE = (
    (7.74545_01427_83414_07640e-4, 2.27238_44989_26918_45833e-2, 2.41780_72517_74506_11770e-1,
     1.27045_82524_52368_38258e0, 3.64784_83247_63204_60504e0, 5.76949_72214_60691_40550e0,
     4.63033_78461_56545_29590e0, 1.42343_71107_49683_57734e0),
    (1.05075_00716_44416_84324e-9, 5.47593_80849_95344_94600e-4, 1.51986_66563_61645_71966e-2,
     1.48103_97642_74800_74590e-1, 6.89767_33498_51000_04550e-1, 1.67638_48301_83803_84940e0,
     2.05319_16266_37758_82187e0, 1.0),
)  # fmt: skip
_TAIL = (
    (2.01033_43992_92288_13265e-7, 2.71155_55687_43487_57815e-5, 1.24266_09473_88078_43860e-3,
     2.65321_89526_57612_30930e-2, 2.96560_57182_85048_91230e-1, 1.78482_65399_17291_33580e0,
     5.46378_49111_64114_36990e0, 6.65790_46435_01103_77720e0),
    (2.04426_31033_89939_78564e-15, 1.42151_17583_16445_88870e-7, 1.84631_83175_10054_68180e-5,
     7.86869_13114_56132_59100e-4, 1.48753_61290_85061_48525e-2, 1.36929_88092_27358_05310e-1,
     5.99832_20655_58879_37690e-1, 1.0),
)  # fmt: skip


def normal_scores(share: Floats) -> Floats:
    """Return the quantiles of the standard normal distribution; 0 and 1 count as all but that."""
    share = np.clip(share, 2.0**-60, 1 - 2.0**-53)
    offset = share - 0.5
    scores: Floats = offset * _ratio(_CENTRE, 0.180625 - offset * offset)
    # Only the centre lies where its polynomial is meant for.
    outer = np.flatnonzero(np.abs(offset) > 0.425)
    depth = np.sqrt(-np.log(np.minimum(share, 1 - share)[outer]))
    tails = np.where(depth <= 5.0, _ratio(_MIDDLE, depth - 1.6), _ratio(_TAIL, depth - 5.0))
    scores[outer] = np.copysign(tails, offset[outer])
    return scores


def _ratio(coefficients: tuple[tuple[float, ...], tuple[float, ...]], at: Floats) -> Floats:
    above, below = np.zeros_like(at), np.zeros_like(at)
    for upper, lower in zip(*coefficients, strict=True):
        above *= at  # in place: new arrays cost more than the arithmetic
        above += upper
        below *= at
        below += lower
    return np.divide(above, below, out=above)
