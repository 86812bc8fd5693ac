"""Reads delimited text: strictly, and with the declared types and dialect in mind."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING

from mlvalidate.data.arrow_tables import to_frame
from mlvalidate.data.errors import UnreadableFile
from mlvalidate.data.kinds import NULL_WORDS
from mlvalidate.data.layout import Layout
from mlvalidate.data.packing import BROKEN, check_packing, open_unpacked

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

USUAL_BLOCK, LARGE_BLOCK = 2**20, 2**26  # bytes that Arrow reads at once
FIRST_BYTES = 65_536


def read_delimited(path: Path, layout: Layout) -> pd.DataFrame:
    """Read a file. The columns that hold ``texts`` are read as text, the others are inferred.

    In text columns only the empty field and the dialect's word for it are null, in the others also
    what pandas takes for null. A column without a name is called `Unnamed: 0`, as in pandas. Raises
    UnreadableFile.
    """
    import pyarrow as pa

    start = _read_start(path, layout)
    if not start.strip(b"\r\n"):
        if layout.header:
            raise UnreadableFile("the file is empty: not even a header")
        return to_frame(pa.table({name: pa.nulls(0) for name in layout.names}))
    try:
        table = _read_table(path, layout)
        names = table.column_names
    except (pa.ArrowException, UnicodeError, *BROKEN) as error:
        raise _explain(path, layout, error) from None
    if any(pa.types.is_binary(kind) for kind in table.schema.types):
        raise _explain(path, layout, ValueError("not UTF-8"))
    names = [name or f"Unnamed: {index}" for index, name in enumerate(names)]
    columns = [
        _finished(column, name in layout.texts, layout)
        for name, column in zip(names, table.columns, strict=True)
    ]
    return to_frame(pa.table(columns, names=names))


def _read_table(path: Path, layout: Layout, block: int = USUAL_BLOCK) -> pa.Table:
    import pyarrow as pa
    import pyarrow.csv as pa_csv

    dialect = layout.dialect
    try:
        with open_unpacked(path, layout.compression) as file:
            return pa_csv.read_csv(
                file,
                read_options=pa_csv.ReadOptions(
                    block_size=block,
                    encoding=dialect.encoding,
                    column_names=None if layout.header else list(layout.names),
                ),
                parse_options=pa_csv.ParseOptions(
                    delimiter=layout.delimiter,
                    quote_char=dialect.quote,
                    newlines_in_values=True,
                ),
                convert_options=pa_csv.ConvertOptions(
                    column_types={name: pa.string() for name in layout.texts},
                    null_values=[*NULL_WORDS, dialect.null],
                    strings_can_be_null=False,
                    decimal_point=dialect.decimal,
                ),
            )
    except pa.ArrowInvalid as error:
        # A row, or the header, is longer than a block.
        too_long = "straddling" in str(error) or "Empty CSV file or block" in str(error)
        if too_long and block < LARGE_BLOCK:
            return _read_table(path, layout, LARGE_BLOCK)
        raise


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


def _explain(path: Path, layout: Layout, error: BaseException) -> UnreadableFile:
    """Say which line is to blame, by reading the file again, slowly."""
    try:
        with open_unpacked(path, layout.compression) as file:
            return _blame_line(file, layout) or UnreadableFile(reason(error))
    except BROKEN as broken:
        return UnreadableFile(f"it can't be read to the end: {reason(broken)}")


def _blame_line(file: IO[bytes], layout: Layout) -> UnreadableFile | None:
    width, whose = len(layout.names), "the dataset"
    if layout.header:
        width, whose = 0, "the header"
    lines = _decoded(file, layout.dialect.encoding)
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
    """A line that can't be decoded; the text says which."""


def _decoded(lines: IO[bytes], encoding: str) -> Iterator[str]:
    """Yield the lines of a text; where a character may be several zero bytes, all at once."""
    shown = "UTF-8" if encoding == "utf-8" else encoding
    if encoding.startswith(("utf-16", "utf-32")):
        try:
            yield from lines.read().decode(encoding).splitlines(keepends=True)
        except UnicodeDecodeError as error:
            raise _NotDecodable(f"not {shown}: {reason(error)}") from None
        return
    for number, line in enumerate(lines, start=1):
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
