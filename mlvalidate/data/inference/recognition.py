"""What the cells of a column are, as a reader of the file would take them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlvalidate.core.columns import ColumnType
from mlvalidate.data.kinds import NULL_WORDS, Kind, kind_of
from mlvalidate.data.times import parse_times, read_datetimes

if TYPE_CHECKING:
    import pandas as pd

_BOOLEANS = frozenset({"true", "false"})
_INTEGER = re.compile(r"\s*[-+]?(?:0|[1-9]\d{0,17})\s*")
_FLOAT = re.compile(
    r"\s*[-+]?(?:(?:0|[1-9]\d*)(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?\s*|\s*[-+]?inf\s*"
)
_WHOLE_FLOAT = re.compile(r"\s*[-+]?(?:0|[1-9]\d{0,14})\.0\s*")
# A date has three parts; the last may be a year, or a day before a time.
_DATE = re.compile(
    r"\s*(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4})(?:[ T].*)?"
)


@dataclass(frozen=True)
class Recognised:
    """The type of a column and its cells: ``values`` has as many as the file, with nulls.

    Numbers are float64 or int64 where there are no nulls, times datetime64, booleans 0.0 and 1.0,
    the rest Python objects. ``note`` says what can't be declared.
    """

    type: ColumnType
    values: pd.Series
    note: str = ""

    @property
    def nulls(self) -> int:
        return int(self.values.isna().sum())


def recognise_texts(series: pd.Series, null: str, decimal: str) -> Recognised:
    """Return what the cells of delimited text are; ``null`` stands for a missing one."""
    series = series.astype(object)
    strict = series.where(~series.isin({"", null}), None)
    loose = strict.where(~strict.isin(NULL_WORDS), None)
    words = [str(word) for word in loose.dropna().unique()]
    if not words:
        return Recognised(ColumnType.STRING, strict if strict.notna().any() else loose)
    if decimal == ",":
        numeric = [word.replace(",", ".") for word in words if "." not in word]
        numeric = numeric if len(numeric) == len(words) else words
    else:
        numeric = words
    return (
        _booleans(loose, words)
        or _numbers(loose, words, numeric)
        or _times(loose, words)
        or Recognised(ColumnType.STRING, strict)
    )


def _booleans(cells: pd.Series, words: list[str]) -> Recognised | None:
    if not all(word.strip().lower() in _BOOLEANS for word in words):
        return None
    meanings = {word: float(word.strip().lower() == "true") for word in words}
    return Recognised(ColumnType.BOOLEAN, cells.map(meanings).astype("float64"))


def _numbers(cells: pd.Series, words: list[str], numeric: list[str]) -> Recognised | None:
    import pandas as pd

    if all(_INTEGER.fullmatch(word) for word in numeric):
        type = ColumnType.INTEGER
        meanings: dict[str, Any] = dict(zip(words, map(int, numeric), strict=True))
        if cells.notna().all():
            return Recognised(type, cells.map(meanings).astype("int64"))
    elif all(_FLOAT.fullmatch(word) for word in numeric):
        # Integers with gaps, as pandas writes them.
        whole = cells.isna().any() and all(_WHOLE_FLOAT.fullmatch(word) for word in numeric)
        type = ColumnType.INTEGER if whole else ColumnType.FLOAT
        meanings = dict(zip(words, map(float, numeric), strict=True))
    else:
        return None
    return Recognised(type, pd.Series(cells.map(meanings), dtype="float64"))


def _times(cells: pd.Series, words: list[str]) -> Recognised | None:
    import numpy as np
    import pandas as pd

    if not all(_DATE.fullmatch(word) for word in words[:100]):
        return None
    times = parse_times(cells)
    if (np.isnat(times) & cells.notna().to_numpy()).any():
        return None
    midnight = (times == times.astype("M8[D]")) | np.isnat(times)
    days = midnight.all() and not any(":" in word for word in words)
    values = pd.Series(times.astype("M8[us]"), index=cells.index)
    return Recognised(ColumnType.DATE if days else ColumnType.DATETIME, values)


def recognise_cells(series: pd.Series, *, is_date: bool | None, textual_times: bool) -> Recognised:
    """Return what the cells of a format with types are.

    ``is_date`` tells whether the format calls them dates (None: it knows no dates);
    ``textual_times`` says that texts may stand for times, as in JSON.
    """
    import pandas as pd

    if isinstance(series.dtype, pd.CategoricalDtype):
        series = series.astype(series.cat.categories.dtype)
    if series.isna().all():
        return Recognised(ColumnType.STRING, series.astype(object).where(series.notna(), None))
    kind = kind_of(series)
    if kind is Kind.BOOLEAN:
        return Recognised(ColumnType.BOOLEAN, series.astype("Float64").astype("float64"))
    if kind in (Kind.INTEGER, Kind.FLOAT, Kind.DECIMAL):
        return _typed_numbers(series, kind)
    if kind in (Kind.DATETIME, Kind.DATE):
        values = pd.Series(read_datetimes(series).astype("M8[us]"), index=series.index)
        days = kind is Kind.DATE if is_date is None else is_date
        return Recognised(ColumnType.DATE if days else ColumnType.DATETIME, values)
    objects = series.astype(object).where(series.notna(), None)
    if kind is Kind.STRING:
        words = [str(word) for word in objects.dropna().unique()]
        found = _times(objects, words) if textual_times else None
        return found or Recognised(ColumnType.STRING, objects)
    return _nested(objects)


def _typed_numbers(series: pd.Series, kind: Kind) -> Recognised:
    import numpy as np
    import pandas as pd

    if kind is Kind.INTEGER and series.notna().all():
        return Recognised(ColumnType.INTEGER, series.astype("int64"))
    values = pd.Series(series.to_numpy(dtype="float64", na_value=np.nan), index=series.index)
    finite = values.dropna()
    whole = bool((np.isfinite(finite) & (finite == np.floor(finite))).all())
    gaps = len(finite) < len(values)
    is_integer = kind is Kind.INTEGER or (kind is Kind.FLOAT and gaps and whole)
    return Recognised(ColumnType.INTEGER if is_integer else ColumnType.FLOAT, values)


def _nested(cells: pd.Series) -> Recognised:
    filled = cells.dropna()
    if all(isinstance(cell, list | tuple) or _is_array(cell) for cell in filled):
        lists = cells.map(lambda cell: None if cell is None else list(cell))
        return Recognised(ColumnType.LIST, lists)
    if all(isinstance(cell, dict) for cell in filled):
        return Recognised(ColumnType.JSON, cells)
    kinds = sorted({type(cell).__name__ for cell in filled})
    note = f"holds {' and '.join(kinds[:4])}, which no type of mlvalidate covers"
    texts = cells.map(lambda cell: None if cell is None else str(cell))
    return Recognised(ColumnType.STRING, texts, note)


def _is_array(cell: Any) -> bool:
    return getattr(cell, "ndim", 0) == 1
