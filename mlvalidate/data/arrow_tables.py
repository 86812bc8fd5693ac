"""Between Arrow, pandas, text and JSON without losing integers, booleans or duplicate names."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


def to_frame(table: pa.Table) -> pd.DataFrame:
    """Return the table as pandas has it, except that integers and booleans stay what they are.

    Beside nulls they become Int64 and boolean, not float64 and object. Dates become datetimes at
    midnight. Columns may share a name.
    """
    return build_frame(table.column_names, table.columns, table.num_rows)


def build_frame(names: list[str], columns: list[pa.ChunkedArray], rows: int) -> pd.DataFrame:
    """Return a frame of Arrow columns; the list is emptied, so that none is in memory twice."""
    import pandas as pd
    import pyarrow as pa

    series: dict[int, Any] = {}
    columns.reverse()
    while columns:
        series[len(series)] = _to_series(columns.pop())
        pa.default_memory_pool().release_unused()
    frame = pd.DataFrame(series, index=pd.RangeIndex(rows), copy=False)
    frame.columns = pd.Index(names, dtype=object if not series else None)
    return frame


def _to_series(column: pa.ChunkedArray) -> Any:
    import pandas as pd
    import pyarrow as pa

    kind, mapper = column.type, None
    if column.null_count and pa.types.is_boolean(kind):
        mapper = {kind: pd.BooleanDtype()}.get
    elif column.null_count and pa.types.is_integer(kind):
        # Arrow says int64 and uint8, pandas Int64 and UInt8.
        name = str(kind).replace("uint", "UInt").replace("int", "Int")
        mapper = {kind: pd.api.types.pandas_dtype(name)}.get
    return column.to_pandas(types_mapper=mapper, date_as_object=False)


def to_arrow(series: pd.Series) -> pa.Array:
    """Return the column as an Arrow array, as texts where its cells have no common type."""
    import pyarrow as pa

    try:
        array = pa.array(series, from_pandas=True)
    except (pa.ArrowException, ValueError, TypeError, OverflowError):
        texts = [None if is_missing(cell) else _encodable(_spelt(cell)) for cell in series]
        array = pa.array(texts, pa.string())
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def as_text(array: pa.Array) -> pa.Array:
    """Return an Arrow array as the texts that a csv file holds, null where there is no value."""
    import pyarrow as pa
    import pyarrow.compute as pc

    text, kind = pa.large_string(), array.type
    if pa.types.is_dictionary(kind):
        return as_text(array.dictionary_decode())
    if pa.types.is_boolean(kind):
        return pc.if_else(array, pa.scalar("True", text), pa.scalar("False", text))
    if pa.types.is_floating(kind):
        # Arrow writes 1.0 as 1, and a reader would take the column for integers.
        return pc.replace_substring_regex(array.cast(text), r"^(-?\d+)$", r"\1.0")
    try:
        return _without_zero_fraction(array).cast(text)
    except pa.ArrowException:
        return pa.array(
            [None if cell is None else _spelt(cell) for cell in array.to_pylist()], text
        )


def _without_zero_fraction(array: pa.Array) -> pa.Array:
    """Return timestamps in whole seconds where they are, so that no `.000000` is written."""
    import pyarrow as pa

    if not pa.types.is_timestamp(array.type):
        return array
    try:
        return array.cast(pa.timestamp("s", tz=array.type.tz))
    except pa.ArrowInvalid:
        return array


def json_cells(series: pd.Series, *, nested: bool = False) -> list[Any]:
    """Return the cells as strict JSON has them: numbers, booleans, texts, and None for no value.

    ``nested``: lists and mappings stay, else they become text. Infinity is no value either. What
    JSON lacks becomes text: datetimes as in csv files, decimals, bytes.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if series.dtype == object:
        return [_json_cell(cell, nested) for cell in series]
    array = to_arrow(series)
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_floating(array.type):
        return list(pc.if_else(pc.is_finite(array), array, None).to_pylist())
    if pa.types.is_integer(array.type) or pa.types.is_boolean(array.type):
        return list(array.to_pylist())
    return list(as_text(array).to_pylist())


def _json_cell(cell: Any, nested: bool) -> Any:
    if hasattr(cell, "item") and getattr(cell, "ndim", 1) == 0:
        cell = cell.item()  # a numpy scalar
    match cell:
        case str():
            return _encodable(cell)
        case None | bool() | int():
            return cell
        case float():
            return cell if math.isfinite(cell) else None
        case list() | dict() if nested:
            return json.loads(_spelt(cell))
        case bytes():
            return cell.decode("utf-8", "backslashreplace")
    return None if is_missing(cell) else _encodable(_spelt(cell))


def _spelt(cell: Any) -> str:
    """Return a cell as text: lists and mappings as JSON."""
    if isinstance(cell, list | dict):
        return json.dumps(cell, default=str, ensure_ascii=False)
    return str(cell)


def _encodable(text: str) -> str:
    """Return the text with half surrogate pairs, which no UTF-8 file can hold, spelled out."""
    return text.encode("utf-8", "backslashreplace").decode()


def unique_names(names: Iterable[object]) -> list[str]:
    """Return the names as texts, the second `a` as `a.1`: what pandas makes of a csv header."""
    taken: set[str] = set()
    unique: list[str] = []
    for name in map(str, names):
        candidates = itertools.chain([name], (f"{name}.{number}" for number in itertools.count(1)))
        unique.append(next(candidate for candidate in candidates if candidate not in taken))
        taken.add(unique[-1])
    return unique


def is_missing(cell: object) -> bool:
    """Return whether a cell is None, NaN, NaT or NA; a list or an array is none of these."""
    import pandas as pd

    return bool(pd.api.types.is_scalar(cell) and pd.isna(cell))
