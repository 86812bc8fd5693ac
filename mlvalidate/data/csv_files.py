"""Reads delimited text: strictly, and with the declared types and dialect in mind."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from mlvalidate.core.units import format_size
from mlvalidate.data.arrow_tables import build_frame, to_frame
from mlvalidate.data.errors import UnreadableFile
from mlvalidate.data.kinds import NULL_WORDS
from mlvalidate.data.layout import Layout
from mlvalidate.data.limits import Budget, Limits, Outline, check_width, too_large
from mlvalidate.data.packing import BROKEN, check_packing, open_unpacked

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

USUAL_BLOCK, LARGE_BLOCK = 2**20, 2**26  # bytes that Arrow reads at once
_BLOCKS_AT_ONCE = 32
FIRST_BYTES = 65_536


def read_delimited(path: Path, layout: Layout, limits: Limits) -> pd.DataFrame:
    """Read a file. The columns that hold ``texts`` are read as text, the others are inferred.

    In text columns only the empty field and the dialect's word for it are null, in the others also
    what pandas takes for null. A column without a name is called `Unnamed: 0`, as in pandas. Raises
    UnreadableFile, and TooLarge with the columns and rows of what is beyond the limits.
    """
    import pyarrow as pa

    start = _read_start(path, layout)
    if not start.strip(b"\r\n"):
        if layout.header:
            raise UnreadableFile("the file is empty: not even a header")
        return to_frame(pa.table({name: pa.nulls(0) for name in layout.names}))
    try:
        check_width(_count_columns(path, layout, limits), limits)
        table = _read_table(path, layout, limits, USUAL_BLOCK)
        names = table.column_names
    except (pa.ArrowException, UnicodeError, *BROKEN) as error:
        raise _explain(path, layout, error, limits) from None
    if any(pa.types.is_binary(kind) for kind in table.schema.types):
        raise _explain(path, layout, ValueError("not UTF-8"), limits)
    columns, rows = table.columns, table.num_rows
    del table
    names = _named(names)
    for index, name in enumerate(names):
        columns[index] = _finished(columns[index], name in layout.texts, layout)
    return build_frame(names, columns, rows)


def _named(names: list[str]) -> list[str]:
    return [name or f"Unnamed: {index}" for index, name in enumerate(names)]


def _count_columns(path: Path, layout: Layout, limits: Limits) -> int:
    """Return how many columns the first line has at the most: quoted delimiters count, too."""
    with open_unpacked(path, layout.compression) as file:
        line = file.readline(limits.line)
    return line.count(layout.delimiter.encode(layout.dialect.encoding)[-1:]) + 1


def _read_table(path: Path, layout: Layout, limits: Limits, block: int) -> pa.Table:
    import pyarrow as pa

    try:
        return _read_typed(path, layout, limits, block)
    except pa.ArrowInvalid as error:
        if _is_too_long(error) and block < LARGE_BLOCK:
            return _read_table(path, layout, limits, LARGE_BLOCK)
        raise


def _is_too_long(error: Exception) -> bool:
    """Tell whether a row, or the header, is longer than a block."""
    return "straddling" in str(error) or "Empty CSV file or block" in str(error)


def _read_typed(path: Path, layout: Layout, limits: Limits, block: int) -> pa.Table:
    """Read with the types of the first block; where they don't last, infer them over all rows.

    To infer over all rows, Arrow keeps the whole text in memory beside the table.
    """
    import pyarrow as pa
    import pyarrow.csv as pa_csv

    texts = {name: pa.string() for name in layout.texts}
    budget = Budget(limits.table)
    tables: list[pa.Table] = []
    try:
        with open_unpacked(path, layout.compression) as file:
            reader = pa_csv.open_csv(file, **_options(layout, block, texts))
            types = reader.schema.types
            while batches := list(islice(reader, _BLOCKS_AT_ONCE)):
                # Long chunks, because the memory of short ones is not given back.
                tables.append(pa.Table.from_batches(batches).combine_chunks())
                if not budget.fits(tables[-1].nbytes):
                    break
            else:
                return pa.concat_tables([reader.schema.empty_table(), *tables])
    except pa.ArrowInvalid as error:
        if "conversion error" not in str(error):
            raise
        types = []
    tables.clear()
    outline, size = _look_through(path, layout, limits, block)
    if types or size > limits.table:
        shown = tuple(str(kind) for kind in types or [pa.string()] * len(outline.names))
        raise too_large(limits, Outline(outline.names, shown, outline.rows))
    with open_unpacked(path, layout.compression) as file:
        return pa_csv.read_csv(file, **_options(layout, block, texts))


def _look_through(path: Path, layout: Layout, limits: Limits, block: int) -> tuple[Outline, int]:
    """Return columns and rows of a file, and the bytes of its cells as texts; keep none of them."""
    import pyarrow as pa
    import pyarrow.csv as pa_csv

    with open_unpacked(path, layout.compression) as file:
        reader = pa_csv.open_csv(file, **_options(layout, block, {}))
        names = reader.schema.names
    texts = dict.fromkeys(names, pa.binary())
    rows, size = 0, 0
    with open_unpacked(path, layout.compression) as file:
        for batch in pa_csv.open_csv(file, **_options(layout, block, texts)):
            rows, size = rows + batch.num_rows, size + batch.nbytes
            if size > limits.counted:
                return Outline(tuple(_named(names))), size
    return Outline(tuple(_named(names)), rows=rows), size


def _options(layout: Layout, block: int, types: dict[str, Any]) -> dict[str, Any]:
    """Return how Arrow reads a file; columns without a type in ``types`` are inferred."""
    import pyarrow.csv as pa_csv

    dialect = layout.dialect
    return {
        "read_options": pa_csv.ReadOptions(
            block_size=block,
            encoding=dialect.encoding,
            column_names=None if layout.header else list(layout.names),
        ),
        "parse_options": pa_csv.ParseOptions(
            delimiter=layout.delimiter, quote_char=dialect.quote, newlines_in_values=True
        ),
        "convert_options": pa_csv.ConvertOptions(
            column_types=types,
            null_values=[*NULL_WORDS, dialect.null],
            strings_can_be_null=False,
            decimal_point=dialect.decimal,
        ),
    }


def _finished(column: pa.ChunkedArray, is_text: bool, layout: Layout) -> pa.ChunkedArray:
    """Return a column of texts with its nulls, and with points in numbers beside other texts."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not pa.types.is_string(column.type):
        return column
    for word in dict.fromkeys(("", layout.dialect.null)):
        missing = pc.equal(column, word)
        if pc.any(missing).as_py():
            column = pc.if_else(missing, pa.scalar(None, pa.string()), column)
    if layout.dialect.decimal != "." and not is_text:
        column = pc.replace_substring_regex(column, r"^(\s*[-+]?\d*),(\d+\s*)$", r"\1.\2")
    return column


def _read_start(path: Path, layout: Layout) -> bytes:
    """Return the first bytes of the text, without a mark of their order."""
    try:
        check_packing(path, layout.compression)
        with open_unpacked(path, layout.compression) as file:
            start = file.read(FIRST_BYTES)
    except BROKEN as error:
        raise UnreadableFile(f"it can't be opened: {reason(error)}") from None
    if b"\0" in start and "\0" in start.decode(layout.dialect.encoding, "replace"):
        raise UnreadableFile("binary data, not text")
    return start


def _explain(path: Path, layout: Layout, error: BaseException, limits: Limits) -> UnreadableFile:
    """Say which line is to blame, by reading the file again, slowly."""
    try:
        with open_unpacked(path, layout.compression) as file:
            return _blame_line(file, layout, limits) or UnreadableFile(reason(error))
    except BROKEN as broken:
        return UnreadableFile(f"it can't be read to the end: {reason(broken)}")


def _blame_line(file: IO[bytes], layout: Layout, limits: Limits) -> UnreadableFile | None:
    width, whose = len(layout.names), "the dataset"
    if layout.header:
        width, whose = 0, "the header"
    lines = _decoded(file, layout.dialect.encoding, limits)
    reader = csv.reader(lines, delimiter=layout.delimiter, quotechar=layout.dialect.quote)
    try:
        for row in reader:
            width = width or len(row)
            if row and len(row) != width:
                return UnreadableFile(
                    f"line {reader.line_num} has {len(row)} fields, {whose} has {width}"
                )
    except _NotDecodable as error:
        return UnreadableFile(str(error))
    except csv.Error as error:
        return UnreadableFile(f"line {reader.line_num}: {error}")
    return None


class _NotDecodable(Exception):  # noqa: N818
    """A line that can't be decoded, or is too long; the text says which."""


def _decoded(file: IO[bytes], encoding: str, limits: Limits) -> Iterator[str]:
    """Yield the lines of a text; where a character may be several zero bytes, all at once."""
    shown = "UTF-8" if encoding == "utf-8" else encoding
    if encoding.startswith(("utf-16", "utf-32")):
        try:
            text = file.read(limits.table).decode(encoding)
            yield from text.splitlines(keepends=True)
        except UnicodeDecodeError as error:
            raise _NotDecodable(f"not {shown}: {reason(error)}") from None
        return
    lines = iter(lambda: file.readline(limits.line), b"")
    for number, line in enumerate(lines, start=1):
        if len(line) == limits.line:
            raise _NotDecodable(f"line {number} is longer than {format_size(limits.line)}")
        try:
            marked = encoding == "utf-8" and number == 1
            yield line.decode("utf-8-sig" if marked else encoding)
        except UnicodeDecodeError as error:
            byte = line[error.start]
            raise _NotDecodable(f"not {shown}: line {number} holds the byte 0x{byte:02x}") from None


def reason(error: BaseException) -> str:
    """Return an error as one short line, without the path that an OSError carries."""
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    line = re.sub(r"\s+", " ", text).strip() or type(error).__name__
    return line if len(line) <= 200 else f"{line[:199]}…"
