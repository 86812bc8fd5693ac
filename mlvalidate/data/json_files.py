"""Tables in JSON: an array of records, columns, pandas' `split`, or one record per line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlvalidate.core.datasets import FileFormat
from mlvalidate.core.units import format_size
from mlvalidate.data.arrow_tables import json_cells
from mlvalidate.data.csv_files import reason
from mlvalidate.data.errors import UnreadableFile
from mlvalidate.data.layout import Layout
from mlvalidate.data.limits import Limits, TooLarge
from mlvalidate.data.packing import BROKEN, check_packing, open_packed, open_unpacked

if TYPE_CHECKING:
    import pandas as pd

    from mlvalidate.data.csv_writing import Append

ROWS_AT_ONCE = 16_384

_KINDS = {dict: "an object", list: "an array", str: "a text", bool: "a boolean", type(None): "null"}


@contextmanager
def record_writer(path: Path, layout: Layout) -> Iterator[Append]:
    """Open a file and give a function that appends records: of an array, or one per line.

    Datetimes are written as in csv files, NaN as null. Raises OSError.
    """
    lines = layout.format is FileFormat.JSONL
    encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode
    with open_packed(path, layout.compression) as file:
        before = "" if lines else "["

        def append(frame: pd.DataFrame) -> None:
            nonlocal before
            for start in range(0, len(frame), ROWS_AT_ONCE):
                texts = [
                    encode(each) for each in _records(frame.iloc[start : start + ROWS_AT_ONCE])
                ]
                content = "".join(f"{text}\n" for text in texts) if lines else ",\n".join(texts)
                file.write((before + content).encode())
                before = "" if lines else ",\n"

        yield append
        if not lines:
            file.write(b"[]\n" if before == "[" else b"]\n")


def _records(frame: pd.DataFrame) -> Iterator[dict[str, Any]]:
    names = [str(name) for name in frame.columns]
    columns = [json_cells(frame.iloc[:, index], nested=True) for index in range(len(names))]
    return (dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True))


def read_records(path: Path, layout: Layout, limits: Limits) -> pd.DataFrame:
    """Read a table in any of the layouts above. Raises UnreadableFile and TooLarge."""
    import pandas as pd

    lines = layout.format is FileFormat.JSONL
    try:
        check_packing(path, layout.compression)
        with open_unpacked(path, layout.compression) as file:
            content = file.read(limits.json + 1)
        if len(content) > limits.json:
            raise TooLarge(f"it holds more than {format_size(limits.json)} of JSON")
        text = content.decode("utf-8-sig")
        del content
    except UnicodeDecodeError as error:
        raise UnreadableFile(f"not UTF-8: {reason(error)}") from None
    except BROKEN as error:
        raise UnreadableFile(f"it can't be read to the end: {reason(error)}") from None
    if not text.strip():
        raise UnreadableFile("the file is empty")
    try:
        return pd.DataFrame(read_lines(text)) if lines else _as_frame(_parse(text, "not JSON"))
    except UnicodeEncodeError:
        raise UnreadableFile("it holds half a surrogate pair, which is no character") from None


def read_lines(text: str) -> list[dict[str, Any]]:
    """Return the records of a text with one per line. Raises UnreadableFile."""
    records: list[dict[str, Any]] = []
    # Not splitlines(): it also splits at characters that may stand inside a JSON text.
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        record = _parse(line, f"line {number} is not JSON")
        if not isinstance(record, dict):
            raise UnreadableFile(f"line {number} is {_kind(record)}, not an object")
        records.append(record)
    return records


def _parse(text: str, problem: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UnreadableFile(f"{problem}: {reason(error)}") from None


def _as_frame(value: object) -> pd.DataFrame:
    import pandas as pd

    if isinstance(value, list):
        return pd.DataFrame(_checked(value))
    if not isinstance(value, dict):
        raise UnreadableFile(f"{_kind(value)}, not a table")
    if isinstance(value.get("columns"), list) and isinstance(value.get("data"), list):
        return _from_split(value["columns"], value["data"])
    lists = [cells for cells in value.values() if isinstance(cells, list)]
    tables = [cells for cells in lists if cells and isinstance(cells[0], dict)]
    if len(tables) == 1 and len(lists) == 1:
        return pd.DataFrame(_checked(tables[0]))
    if value and len(lists) == len(value):
        return _from_columns(value)
    if value and all(isinstance(cells, dict) for cells in value.values()):
        return pd.DataFrame(value).reset_index(drop=True)
    raise UnreadableFile("a JSON object, not a table: neither records nor columns")


def _checked(records: list[Any]) -> list[dict[str, Any]]:
    for number, record in enumerate(records, start=1):
        if not isinstance(record, dict):
            raise UnreadableFile(f"record {number} is {_kind(record)}, not an object")
    return records


def _from_split(columns: list[Any], rows: list[Any]) -> pd.DataFrame:
    import pandas as pd

    for number, row in enumerate(rows, start=1):
        if not isinstance(row, list) or len(row) != len(columns):
            raise UnreadableFile(f"row {number} of `data` is no array of {len(columns)} cells")
    return pd.DataFrame(rows, columns=[str(name) for name in columns])


def _from_columns(columns: dict[str, list[Any]]) -> pd.DataFrame:
    import pandas as pd

    sizes = {name: len(cells) for name, cells in columns.items()}
    if len(set(sizes.values())) > 1:
        shown = ", ".join(f"{name!r} {size}" for name, size in list(sizes.items())[:5])
        raise UnreadableFile(f"columns of different lengths: {shown}")
    return pd.DataFrame(columns)


def _kind(value: object) -> str:
    return _KINDS.get(type(value), "a number")
