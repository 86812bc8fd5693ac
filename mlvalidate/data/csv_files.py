"""Delimited text: written as pandas would, read strictly and with the declared types in mind."""

from __future__ import annotations

import csv
import gzip
import io
import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

from mlvalidate.data.arrow_tables import as_text, to_arrow, to_frame
from mlvalidate.data.errors import UnreadableFile

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

ROWS_AT_ONCE = 65_536
USUAL_BLOCK, LARGE_BLOCK = 2**20, 2**26  # bytes that Arrow reads at once
# What pandas takes for a missing value, in columns that are not declared as text.
NULL_WORDS = (
    "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN",
    "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
)  # fmt: skip
FIRST_BYTES = 65_536


@contextmanager
def open_bytes(path: Path, mode: str) -> Iterator[IO[bytes]]:
    """Open a file, through gzip when its name says so. The same content gives the same bytes."""
    with path.open(mode) as raw:
        if path.suffix.lower() != ".gz":
            yield raw
            return
        # Neither name nor time in the header: they would change the digest of equal data.
        with gzip.GzipFile("", mode, compresslevel=6, fileobj=raw, mtime=0) as packed:
            yield packed  # type: ignore[misc]


def write_delimited(frame: pd.DataFrame, path: Path, delimiter: str) -> None:
    """Write a header and a line per row: UTF-8, LF, nulls empty, `True`, `2020-01-31 13:00:00`."""
    header = io.StringIO()
    csv.writer(header, delimiter=delimiter, lineterminator="\n").writerow(frame.columns)
    with open_bytes(path, "wb") as file:
        file.write(header.getvalue().encode())
        for start in range(0, len(frame) if len(frame.columns) else 0, ROWS_AT_ONCE):
            file.write(_lines(frame.iloc[start : start + ROWS_AT_ONCE], delimiter))


def _lines(frame: pd.DataFrame, delimiter: str) -> memoryview:
    import pyarrow as pa
    import pyarrow.compute as pc

    fields = [
        _quoted(as_text(to_arrow(frame.iloc[:, i])), delimiter) for i in range(frame.shape[1])
    ]
    # A line without any character would be taken for no line at all.
    missing = '""' if len(fields) == 1 else ""
    fields = [pc.fill_null(field, missing) for field in fields]
    separator, end, nothing = (pa.scalar(text, pa.large_string()) for text in (delimiter, "\n", ""))
    line = pc.binary_join_element_wise(*fields, separator)
    lines = pc.binary_join_element_wise(line, end, nothing)
    return memoryview(lines.buffers()[2])


def _quoted(texts: pa.Array, delimiter: str) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    special = pc.match_substring_regex(texts, f'["\r\n{delimiter}]')
    if not pc.any(special).as_py():
        return texts
    quote, nothing = (pa.scalar(text, pa.large_string()) for text in ('"', ""))
    doubled = pc.replace_substring(texts, '"', '""')
    return pc.if_else(special, pc.binary_join_element_wise(quote, doubled, quote, nothing), texts)


def read_delimited(path: Path, delimiter: str, texts: Collection[str]) -> pd.DataFrame:
    """Read a file with a header. The columns ``texts`` are read as text, the others are inferred.

    In text columns only the empty field is null, in the others also what pandas takes for null.
    A column without a name is called `Unnamed: 0`, as in pandas. Raises UnreadableFile.
    """
    import pyarrow as pa

    _check_start(path)
    try:
        table = _read_table(path, delimiter, texts)
        names = table.column_names
    except (pa.ArrowException, UnicodeDecodeError, EOFError, OSError) as error:
        raise _explain(path, delimiter, error) from None
    if any(pa.types.is_binary(kind) for kind in table.schema.types):
        raise _explain(path, delimiter, ValueError("not UTF-8"))
    names = [name or f"Unnamed: {index}" for index, name in enumerate(names)]
    columns = [_empty_as_null(column) for column in table.columns]
    return to_frame(pa.table(columns, names=names))


def _read_table(
    path: Path, delimiter: str, texts: Collection[str], block: int = USUAL_BLOCK
) -> pa.Table:
    import pyarrow as pa
    import pyarrow.csv as pa_csv

    try:
        with open_bytes(path, "rb") as file:
            return pa_csv.read_csv(
                file,
                read_options=pa_csv.ReadOptions(block_size=block),
                parse_options=pa_csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
                convert_options=pa_csv.ConvertOptions(
                    column_types={name: pa.string() for name in texts},
                    null_values=list(NULL_WORDS),
                    strings_can_be_null=False,
                ),
            )
    except pa.ArrowInvalid as error:
        # A row, or the header, is longer than a block.
        too_long = "straddling" in str(error) or "Empty CSV file or block" in str(error)
        if too_long and block < LARGE_BLOCK:
            return _read_table(path, delimiter, texts, LARGE_BLOCK)
        raise


def _empty_as_null(column: pa.ChunkedArray) -> pa.ChunkedArray:
    import pyarrow as pa
    import pyarrow.compute as pc

    if not pa.types.is_string(column.type):
        return column
    empty = pc.equal(column, "")
    if not pc.any(empty).as_py():
        return column
    return pc.if_else(empty, pa.scalar(None, pa.string()), column)


def _check_start(path: Path) -> None:
    try:
        with open_bytes(path, "rb") as file:
            start = file.read(FIRST_BYTES)
    except (OSError, EOFError) as error:
        raise UnreadableFile(f"it can't be opened: {reason(error)}") from None
    if not start.strip(b"\r\n"):
        raise UnreadableFile("the file is empty: not even a header")
    if b"\0" in start:
        raise UnreadableFile("binary data, not text")


def _explain(path: Path, delimiter: str, error: Exception) -> UnreadableFile:
    """Say which line is to blame, by reading the file again, slowly."""
    try:
        with open_bytes(path, "rb") as file:
            return _blame_line(file, delimiter) or UnreadableFile(reason(error))
    except (OSError, EOFError) as broken:
        return UnreadableFile(f"it can't be read to the end: {reason(broken)}")


def _blame_line(file: IO[bytes], delimiter: str) -> UnreadableFile | None:
    try:
        reader = csv.reader(_decoded(file), delimiter=delimiter)
        width = 0
        for row in reader:
            width = width or len(row)
            if row and len(row) != width:
                return UnreadableFile(
                    f"line {reader.line_num} has {len(row)} fields, the header has {width}"
                )
    except _NotUtf8 as error:
        return UnreadableFile(str(error))
    except csv.Error as error:
        return UnreadableFile(f"line {reader.line_num}: {error}")
    return None


class _NotUtf8(Exception):  # noqa: N818
    """A line that can't be decoded; the text says which."""


def _decoded(lines: IO[bytes]) -> Iterator[str]:
    for number, line in enumerate(lines, start=1):
        try:
            yield line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            byte = line[error.start]
            raise _NotUtf8(f"not UTF-8: line {number} holds the byte 0x{byte:02x}") from None


def reason(error: BaseException) -> str:
    """Return an error as one short line, without the path that an OSError carries."""
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    line = re.sub(r"\s+", " ", text).strip() or type(error).__name__
    return line if len(line) <= 200 else f"{line[:199]}…"
