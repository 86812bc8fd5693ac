"""What the cells of a column are, and whether that fits what is declared.

Formats differ in what they say about types. In csv everything is text, so a text fits when it can
be read as the declared type. JSON knows numbers, booleans and texts: dates are texts there, or
pandas' milliseconds since 1970, and 0 and 1 pass for booleans. Parquet knows them all.
"""

from __future__ import annotations

import json
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from mlvalidate.core.columns import Column, ColumnType
from mlvalidate.core.datasets import FileFormat
from mlvalidate.data.times import parse_times, read_datetimes, read_epoch

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    Mask = npt.NDArray[np.bool_]
    Judge = Callable[[pd.Series, "Kind", FileFormat], Mask]

# What pandas takes for a missing value, in columns that are not declared as text.
NULL_WORDS = (
    "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN",
    "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
)  # fmt: skip
_MOST_DESCRIBED = 1000
_BOOLEAN_TEXTS = ("true", "false", "0", "1")


class Kind(StrEnum):
    """What the cells of a column are, whatever is declared."""

    BOOLEAN = "boolean"
    INTEGER = "integer"
    FLOAT = "float"
    DECIMAL = "decimal"
    STRING = "string"
    DATETIME = "datetime"
    DATE = "date"
    BYTES = "bytes"
    MIXED = "mixed"
    OTHER = "other"


_INFERRED = {
    "boolean": Kind.BOOLEAN,
    "integer": Kind.INTEGER,
    "floating": Kind.FLOAT,
    "decimal": Kind.DECIMAL,
    "string": Kind.STRING,
    "datetime": Kind.DATETIME,
    "datetime64": Kind.DATETIME,
    "date": Kind.DATE,
    "bytes": Kind.BYTES,
}


def kind_of(series: pd.Series) -> Kind:
    """Return what the cells are; MIXED when an object column holds several or odd types."""
    import pandas as pd

    types = pd.api.types
    dtype = series.dtype
    if types.is_object_dtype(dtype):
        return _INFERRED.get(types.infer_dtype(series, skipna=True), Kind.MIXED)
    for kind, is_kind in (
        (Kind.BOOLEAN, types.is_bool_dtype),
        (Kind.INTEGER, types.is_integer_dtype),
        (Kind.FLOAT, types.is_float_dtype),
        (Kind.STRING, types.is_string_dtype),
        (Kind.DATETIME, types.is_datetime64_any_dtype),
    ):
        if is_kind(dtype):
            return kind
    return Kind.OTHER


def null_mask(series: pd.Series, column: Column, format: FileFormat) -> Mask:
    """Return which cells are missing; in csv also those that spell it, as `NaN` does.

    Where texts are declared, those words are texts.
    """
    nulls = _mask(series.isna())
    if holds_text(column) or not is_delimited(format) or nulls.all():
        return nulls
    if kind_of(series) is Kind.STRING:
        # One odd text makes a whole csv column text, and its `NaN` with it.
        nulls = nulls | _mask(series.isin(NULL_WORDS))
    return nulls


def holds_text(column: Column) -> bool:
    """Return whether some of a column's values are texts by declaration."""
    if column.type is ColumnType.CATEGORY:
        return any(isinstance(value, str) for value in column.weights)
    return column.type.is_textual


def fits(series: pd.Series, column: Column, format: FileFormat) -> Mask:
    """Return for each cell whether it is null or of the declared type. Never raises."""
    import numpy as np
    import pandas as pd

    if isinstance(series.dtype, pd.CategoricalDtype):
        categories = pd.Series(series.cat.categories)
        fitting = np.append(fits(categories, column, format), True)
        return _mask(fitting[series.cat.codes.to_numpy()])  # the code of null is -1, the last
    nulls = null_mask(series, column, format)
    if nulls.all():
        return nulls
    kind = kind_of(series)
    if kind is Kind.MIXED and not column.type.is_nested:
        return nulls | _fits_by_type(series, nulls, column, format)
    return nulls | _judge(column)(series, kind, format)


def _fits_by_type(series: pd.Series, nulls: Mask, column: Column, format: FileFormat) -> Mask:
    """Judge the cells of each Python type by themselves."""
    import numpy as np

    # Numbers for types, because numpy takes the type ndarray itself for an array.
    numbers: dict[type, int] = {}
    types = np.array([numbers.setdefault(type(cell), len(numbers)) for cell in series])
    found = np.zeros(len(series), dtype=bool)
    for number in numbers.values():
        rows = (types == number) & ~nulls
        same = series[rows]
        kind = kind_of(same)
        if kind is not Kind.MIXED:
            found[rows] = _judge(column)(same, kind, format)
    return found


def _judge(column: Column) -> Judge:
    if column.type is not ColumnType.CATEGORY:
        return _JUDGES[column.type]
    judges = [_JUDGES[type] for type in category_types(column)]

    def any_of(series: pd.Series, kind: Kind, format: FileFormat) -> Mask:
        import numpy as np

        return _mask(np.logical_or.reduce([judge(series, kind, format) for judge in judges]))

    return any_of


def category_types(column: Column) -> tuple[ColumnType, ...]:
    """Return the types that the values of a category have; whole numbers beside floats count."""
    names = {bool: "boolean", int: "integer", float: "float", str: "string"}
    found = {names[type(value)] for value in column.values or ()}
    return tuple(type for type in ColumnType if type.value in found)


def _all(series: pd.Series, verdict: bool) -> Mask:
    import numpy as np

    return np.full(len(series), verdict)


def _is_text(series: pd.Series, kind: Kind, format: FileFormat) -> Mask:
    return _all(series, is_delimited(format) or kind is Kind.STRING)


def _is_integer(series: pd.Series, kind: Kind, format: FileFormat) -> Mask:
    import numpy as np

    if kind is Kind.INTEGER:
        return _all(series, True)
    if kind not in (Kind.FLOAT, Kind.DECIMAL) and not _is_readable(kind, format):
        return _all(series, False)
    numbers = numbers_of(series)
    return _mask(np.isfinite(numbers) & (numbers == np.floor(numbers)))


def _is_float(series: pd.Series, kind: Kind, format: FileFormat) -> Mask:
    import numpy as np

    if kind in (Kind.INTEGER, Kind.FLOAT, Kind.DECIMAL):
        return _all(series, True)
    if not _is_readable(kind, format):
        return _all(series, False)
    return _mask(~np.isnan(numbers_of(series)))


def _is_boolean(series: pd.Series, kind: Kind, format: FileFormat) -> Mask:
    if kind is Kind.BOOLEAN:
        return _all(series, True)
    if format is FileFormat.PARQUET:
        return _all(series, False)
    if kind is Kind.STRING:
        return _mask(series.str.strip().str.lower().isin(_BOOLEAN_TEXTS))
    if kind in (Kind.INTEGER, Kind.FLOAT):
        return _mask(series.isin([0, 1]))
    return _all(series, False)


def _is_datetime(series: pd.Series, kind: Kind, format: FileFormat) -> Mask:
    import numpy as np

    if kind in (Kind.DATETIME, Kind.DATE):
        return _all(series, True)
    return _mask(~np.isnat(times_of(series, kind, format)))


def _is_date(series: pd.Series, kind: Kind, format: FileFormat) -> Mask:
    import numpy as np

    if kind is Kind.DATE:
        return _all(series, True)
    times = times_of(series, kind, format)
    return _mask(~np.isnat(times) & (times == times.astype("M8[D]")))


def _is_list(series: pd.Series, _kind: Kind, format: FileFormat) -> Mask:
    return _is_nested(series, list, format)


def _is_object(series: pd.Series, _kind: Kind, format: FileFormat) -> Mask:
    return _is_nested(series, dict, format)


def _is_nested(series: pd.Series, wanted: type, format: FileFormat) -> Mask:
    import numpy as np

    def judge(cell: Any) -> bool:
        if isinstance(cell, str) and is_delimited(format):
            try:
                cell = json.loads(cell)
            except (ValueError, RecursionError):
                return False
        # Arrow's lists come as arrays.
        return isinstance(cell, wanted) or (wanted is list and isinstance(cell, np.ndarray))

    return np.array([judge(cell) for cell in series], dtype=bool)


_JUDGES: dict[ColumnType, Judge] = {
    ColumnType.INTEGER: _is_integer,
    ColumnType.FLOAT: _is_float,
    ColumnType.BOOLEAN: _is_boolean,
    ColumnType.STRING: _is_text,
    ColumnType.TEXT: _is_text,
    ColumnType.DATETIME: _is_datetime,
    ColumnType.DATE: _is_date,
    ColumnType.LIST: _is_list,
    ColumnType.JSON: _is_object,
}


def is_delimited(format: FileFormat) -> bool:
    """Return whether a format knows nothing but text."""
    return format in (FileFormat.CSV, FileFormat.TSV)


def _is_readable(kind: Kind, format: FileFormat) -> bool:
    """Return whether cells of this kind may be read as numbers."""
    return kind is Kind.STRING and is_delimited(format)


def numbers_of(series: pd.Series) -> npt.NDArray[np.float64]:
    """Return the cells as floats, NaN where they are none."""
    import numpy as np
    import pandas as pd

    if not pd.api.types.is_numeric_dtype(series.dtype):
        series = pd.to_numeric(series.astype(object).where(series.notna(), None), errors="coerce")
    return np.asarray(series.to_numpy(dtype="float64", na_value=np.nan), dtype=np.float64)


def times_of(series: pd.Series, kind: Kind, format: FileFormat) -> npt.NDArray[np.datetime64]:
    """Return the cells as datetime64, NaT where they are none."""
    import numpy as np

    if kind in (Kind.DATETIME, Kind.DATE):
        return read_datetimes(series)
    if kind is Kind.STRING and format is not FileFormat.PARQUET:
        return parse_times(series)
    if kind in (Kind.INTEGER, Kind.FLOAT) and format in (FileFormat.JSON, FileFormat.JSONL):
        return read_epoch(numbers_of(series))
    return np.full(len(series), np.datetime64("NaT", "s"))


def _mask(verdicts: Any) -> Mask:
    import numpy as np

    return np.asarray(verdicts, dtype=bool)


def describe_cells(cells: pd.Series, format: FileFormat) -> str:
    """Return in words what cells are, the first thousand of them standing for all."""
    cells = cells.head(_MOST_DESCRIBED).astype(object)
    kind = kind_of(cells)
    if kind is Kind.STRING and is_delimited(format):
        return _describe_texts(cells)
    if kind is not Kind.MIXED:
        return kind.value
    # One cell of each Python type tells what all of them are.
    samples = {type(cell): cell for cell in cells}
    return " or ".join(sorted(_describe_cell(cell) for cell in samples.values()))


def _describe_texts(cells: pd.Series) -> str:
    """Return what a reader would take the texts of a csv file for."""
    import numpy as np

    if not np.isnan(numbers_of(cells)).any():
        return Kind.FLOAT.value
    return Kind.STRING.value if np.isnat(parse_times(cells)).any() else Kind.DATETIME.value


def _describe_cell(cell: Any) -> str:
    import pandas as pd

    kind = kind_of(pd.Series([cell], dtype=object))
    return type(cell).__name__ if kind is Kind.MIXED else kind.value
