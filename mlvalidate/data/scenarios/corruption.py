"""Cases of files: tables that were written well, and whose bytes are damaged afterwards."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from pathlib import Path

from mlvalidate.core.datasets import Dataset, FileFormat
from mlvalidate.core.scenarios import Case
from mlvalidate.data.layout import layout_of
from mlvalidate.data.packing import open_packed, open_unpacked

# é in latin-1; in UTF-8 the beginning of a character that does not go on.
STRAY_BYTE = b"\xe9"
_DELIMITERS = {FileFormat.CSV: ",", FileFormat.TSV: "\t"}


def corrupt_file(path: Path, dataset: Dataset, case: Case) -> None:
    """Damage a file in place, as the case says; the case is applicable to the dataset."""
    damage = _DAMAGES.get(case.name)
    if damage is None:
        return
    if dataset.format is FileFormat.PARQUET:
        path.write_bytes(_cut(path.read_bytes()))
        return
    compression = layout_of(path, dataset.format, dataset).compression
    with open_unpacked(path, compression) as file:
        content = file.read()
    with open_packed(path, compression) as file:
        file.write(damage(content, dataset))


def _cut(content: bytes) -> bytes:
    return content[: len(content) * 3 // 5]


def _truncate(content: bytes, dataset: Dataset) -> bytes:
    """Cut the file in the middle of a line, so that at least its last field is not there."""
    if dataset.format not in _DELIMITERS:
        # Behind its last brace or comma a line would look whole.
        return _cut(content).rstrip(b" \r\n,}]")
    rows = _rows(content, dataset)
    kept = max(2 if dataset.header else 1, len(rows) * 3 // 5)
    rows = rows[:kept]
    if len(rows) > (1 if dataset.header else 0):
        rows[-1] = rows[-1][: max(1, len(rows[-1]) // 2)]
    return _spell(rows, dataset).rstrip(b"\r\n")


def _make_ragged(content: bytes, dataset: Dataset) -> bytes:
    """Give a row in the middle a field too many."""
    rows = _rows(content, dataset)
    middle = len(rows) // 2
    if rows:
        rows[middle] = [*rows[middle], "surplus"]
    return _spell(rows, dataset)


def _change_delimiter(content: bytes, dataset: Dataset) -> bytes:
    rows = _rows(content, dataset)
    return _spell(rows, dataset, ";" if _delimiter(dataset) != ";" else "|")


def _change_encoding(content: bytes, _dataset: Dataset) -> bytes:
    """Put a byte that is no character into a line in the middle."""
    lines = content.splitlines(keepends=True)
    middle = len(lines) // 2
    if lines:
        lines[middle] = lines[middle][:2] + STRAY_BYTE + lines[middle][2:]
    return b"".join(lines)


def _delimiter(dataset: Dataset) -> str:
    return dataset.dialect.delimiter or _DELIMITERS[dataset.format]


def _rows(content: bytes, dataset: Dataset) -> list[list[str]]:
    text = content.decode(dataset.dialect.encoding)
    reader = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=_delimiter(dataset),
        quotechar=dataset.dialect.quote,
    )
    return list(reader)


def _spell(rows: list[list[str]], dataset: Dataset, delimiter: str = "") -> bytes:
    dialect = dataset.dialect
    written = io.StringIO(newline="")
    csv.writer(
        written,
        delimiter=delimiter or _delimiter(dataset),
        quotechar=dialect.quote,
        quoting=csv.QUOTE_ALL if dialect.quoting == "all" else csv.QUOTE_MINIMAL,
        lineterminator="\r\n" if dialect.line_end == "crlf" else "\n",
    ).writerows(rows)
    return written.getvalue().encode(dialect.encoding)


_DAMAGES: Mapping[str, Callable[[bytes, Dataset], bytes]] = {
    "malformed.truncated": _truncate,
    "malformed.ragged": _make_ragged,
    "malformed.encoding": _change_encoding,
    "malformed.delimiter": _change_delimiter,
}
