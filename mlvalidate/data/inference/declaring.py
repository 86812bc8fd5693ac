"""Declares single columns from what their cells are."""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter
from typing import TYPE_CHECKING, Any

from mlvalidate.core.columns import ColumnType
from mlvalidate.data.inference.recognition import Recognised, recognise_cells
from mlvalidate.data.inference.rounding import blurred, outward, share_up, shown, weights
from mlvalidate.data.inference.texts import text_declaration

if TYPE_CHECKING:
    import pandas as pd

Declaration = dict[str, Any]

# How many different values a category, and an integer that is one in disguise, may have.
MOST_CATEGORIES, MOST_LEVELS = 50, 12
_LONGEST_CATEGORY = 100
_STEPS = 20  # of probability between quantiles
_EPOCH = dt.datetime(1970, 1, 1)  # times have no zone
_DAY = 86_400


def declare(name: str, cells: Recognised, rarest: int) -> tuple[Declaration, str]:
    """Return the keys of a column, and a note on what they leave out (or nothing).

    No value that fewer than ``rarest`` rows have appears in them.
    """
    keys, note = _declare_values(name, cells, rarest)
    null = share_up(cells.nulls, len(cells.values))
    return (keys | {"null": null} if null else keys), cells.note or note


def _declare_values(name: str, cells: Recognised, rarest: int) -> tuple[Declaration, str]:
    filled = cells.values.dropna()
    if filled.empty:
        return {"type": cells.type.value}, "has no value in the sample" if len(cells.values) else ""
    if cells.type is ColumnType.STRING:
        return _text(name, filled, rarest)
    if cells.type.is_number:
        keys = _number(filled, cells.type, rarest)
        if not math.isfinite(float(filled.abs().max())):
            return keys, "holds infinite numbers, which are never valid in a dataset"
    elif cells.type.is_temporal:
        keys = _time(filled, cells.type, rarest)
    elif cells.type is ColumnType.BOOLEAN:
        keys = {"type": "boolean"} | _rate(filled)
    else:
        nested = _list if cells.type is ColumnType.LIST else _json
        keys = nested(filled, rarest)
    return keys, ""


def _rate(filled: pd.Series) -> Declaration:
    share = float(filled.mean())
    return {"rate": min(max(round(share, 3), 0.001), 0.999)} if 0 < share < 1 else {}


def _text(name: str, filled: pd.Series, rarest: int) -> tuple[Declaration, str]:
    counts = Counter(filled.tolist())
    few = len(counts) <= MOST_CATEGORIES and len(counts) < len(filled) / 2
    if few and max(map(len, counts)) <= _LONGEST_CATEGORY and "" not in counts:
        rare = sum(times < rarest for times in counts.values())
        if not rare:
            return _category(counts), ""
        note = f"no category: of its {len(counts)} values {rare} {'is' if rare == 1 else 'are'} "
        note += f"in fewer than {rarest} rows"
        return text_declaration(name, counts, rarest), note
    return text_declaration(name, counts, rarest), ""


def _category(counts: Counter[Any]) -> Declaration:
    ordered = counts.most_common()
    shares = weights([times for _, times in ordered])
    return {"type": "category", "values": dict(zip((v for v, _ in ordered), shares, strict=True))}


def _number(filled: pd.Series, type: ColumnType, rarest: int) -> Declaration:
    import numpy as np

    counts = filled.value_counts()
    whole = type is ColumnType.INTEGER
    if whole and set(counts.index) == {0, 1}:
        return {"type": type.value} | _rate(filled)
    if whole and len(counts) <= MOST_LEVELS and counts.min() >= rarest and len(counts) > 1:
        levels = counts.sort_index()
        shares = weights(levels.tolist())
        values = {int(value): share for value, share in zip(levels.index, shares, strict=True)}
        return {"type": type.value, "values": values}
    numbers = filled.to_numpy(dtype="float64")
    numbers = numbers[np.isfinite(numbers)]
    keys: Declaration = {"type": type.value}
    if not len(numbers):
        return keys
    low, high = _bounds(numbers, rarest)
    endless = len(numbers) < len(filled)
    if not endless and _may_show_bounds(filled, rarest):
        keys |= {"min": shown(low, whole=whole), "max": shown(high, whole=whole)}
    steps = _quantiles(numbers, low, high, rarest)
    if steps:
        shaped = [shown(round(step) if whole else step, whole=whole) for step in steps]
        keys["distribution"] = {"kind": "quantiles", "quantiles": shaped}
    return keys


def _may_show_bounds(filled: pd.Series, rarest: int) -> bool:
    """Tell whether bounds say something: around a single value of few rows they would not."""
    return len(filled) >= rarest or filled.nunique() > 1


def _bounds(numbers: Any, rarest: int) -> tuple[float, float]:
    low, high = float(numbers.min()), float(numbers.max())
    return outward(
        low,
        high,
        keep_low=int((numbers == low).sum()) >= rarest,
        keep_high=int((numbers == high).sum()) >= rarest,
    )


def _quantiles(
    numbers: Any, low: float, high: float, rarest: int, *, seconds: bool = False
) -> list[float]:
    """Return rounded quantiles at equal steps of probability; empty for too few rows.

    The first and the last are not the extremes, which belong to single rows, but such that the
    outermost steps have the means that they have in the file.
    """
    import numpy as np

    steps = min(_STEPS, len(numbers) // max(rarest, 1))
    if steps < 4 or low == high:
        return []
    ordered = np.sort(numbers)
    inner = np.quantile(ordered, np.linspace(0, 1, steps + 1)[1:-1]).tolist()
    size = max(len(ordered) // steps, 1)
    first = min(max(2 * float(ordered[:size].mean()) - inner[0], low), inner[0])
    last = max(min(2 * float(ordered[-size:].mean()) - inner[-1], high), inner[-1])
    found = blurred([first, *inner, last], seconds=seconds)
    return [min(max(value, low), high) for value in found]


def _time(filled: pd.Series, type: ColumnType, rarest: int) -> Declaration:
    numbers = filled.to_numpy().astype("M8[s]").astype("int64").astype("float64")
    low, high = _time_bounds(numbers, type, rarest)
    keys: Declaration = {"type": type.value}
    # A single moment, widened to whole seconds, would pass for a range without variety.
    if filled.nunique() > 1 or (type is ColumnType.DATE and len(filled) >= rarest):
        keys |= {"min": _moment(low, type), "max": _moment(high, type)}
    steps = _quantiles(numbers, low, high, rarest, seconds=True)
    if steps:
        quantiles = [_moment(step, type) for step in steps]
        keys["distribution"] = {"kind": "quantiles", "quantiles": quantiles}
    return keys


def _time_bounds(numbers: Any, type: ColumnType, rarest: int) -> tuple[float, float]:
    low, high = float(numbers.min()), float(numbers.max())
    keep_low = int((numbers == low).sum()) >= rarest
    keep_high = int((numbers == high).sum()) >= rarest
    span = high - low
    if type is ColumnType.DATE or span > 2 * _DAY:
        grid = max(span // 50 // _DAY, 1) * _DAY
    else:
        grid = 3600 if span > 7200 else 60
    # A file may have fractions of the last second.
    after = high if type is ColumnType.DATE else high + 1
    if not keep_low:
        low = low // grid * grid
    if not keep_high:
        high = -(-after // grid) * grid
    return low, high + 1 if keep_high and type is ColumnType.DATETIME else high


def _moment(seconds: float, type: ColumnType) -> dt.datetime | dt.date:
    moment = _EPOCH + dt.timedelta(seconds=round(seconds))
    return moment.date() if type is ColumnType.DATE else moment


def _list(filled: pd.Series, rarest: int) -> Declaration:
    import pandas as pd

    sizes = [len(cell) for cell in filled]
    elements = [item for cell in filled for item in cell if item is not None]
    keys: Declaration = {"type": "list", "length": [min(sizes), max(sizes)]}
    inside = recognise_cells(pd.Series(elements), is_date=None, textual_times=True)
    return keys | {"items": _declare_values("", inside, rarest)[0]}


def _json(filled: pd.Series, rarest: int) -> Declaration:
    import pandas as pd

    fields: Declaration = {}
    for key in dict.fromkeys(str(key) for cell in filled for key in cell):
        members = [cell.get(key) for cell in filled]
        inside = recognise_cells(pd.Series(members), is_date=None, textual_times=True)
        fields[key] = declare(key, inside, rarest)[0]
        if sum(key in cell for cell in filled) < len(filled):
            fields[key]["optional"] = True
            fields[key].pop("null", None)
    return {"type": "json", "fields": fields} if fields else {"type": "string"}
