"""Table files: the formats that scripts read and write."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from mlvalidate.core.datasets import Dataset, FileFormat
from mlvalidate.data.errors import UnreadableFile
from mlvalidate.data.kinds import is_delimited
from mlvalidate.data.layout import layout_of
from mlvalidate.data.limits import LIMITS, Limits, Outline, TooLarge
from mlvalidate.data.packing import without_packing

if TYPE_CHECKING:
    import pandas as pd

    from mlvalidate.data.csv_writing import Append

__all__ = [
    "Limits",
    "Outline",
    "TooLarge",
    "UnreadableFile",
    "guess_format",
    "read_table",
    "table_summary",
    "table_writer",
    "write_table",
]

_SUFFIXES = {
    ".csv": FileFormat.CSV,
    ".tsv": FileFormat.TSV,
    ".parquet": FileFormat.PARQUET,
    ".pq": FileFormat.PARQUET,
    ".json": FileFormat.JSON,
    ".jsonl": FileFormat.JSONL,
    ".ndjson": FileFormat.JSONL,
}


def guess_format(path: Path) -> FileFormat | None:
    """Return the format that a file's name promises; `.gz` and the like may follow it.

    Parquet is packed inside: a packed parquet file is none.
    """
    unpacked = without_packing(path)
    format = _SUFFIXES.get(unpacked.suffix.lower())
    return None if unpacked != path and format is FileFormat.PARQUET else format


def write_table(
    frame: pd.DataFrame, path: Path, format: FileFormat, dataset: Dataset | None = None
) -> None:
    """Write ``frame`` without its index, in the dialect and compression that ``dataset`` declares.

    Else packed as the name ends, and csv and tsv in UTF-8, with LF, a header, nulls empty, `True`,
    `2020-01-31 13:00:00`. json: an array of records, jsonl: one per line. Equal frames give equal
    bytes. Raises OSError.
    """
    with table_writer(path, format, dataset) as append:
        append(frame)


@contextmanager
def table_writer(
    path: Path, format: FileFormat, dataset: Dataset | None = None
) -> Iterator[Append]:
    """Open a file and give a function that appends the rows of a frame, as `write_table` does.

    All frames have the same columns. Nothing but the frame at hand is kept in memory.
    """
    from mlvalidate.data import csv_writing, json_files, parquet_files

    layout = layout_of(path, format, dataset)
    if format is FileFormat.PARQUET:
        writer = parquet_files.parquet_writer(path, layout)
    elif is_delimited(format):
        writer = csv_writing.delimited_writer(path, layout)
    else:
        writer = json_files.record_writer(path, layout)
    with writer as append:
        yield append


def read_table(
    path: Path,
    format: FileFormat,
    dataset: Dataset | None = None,
    limits: Limits | None = None,
) -> pd.DataFrame:
    """Read a table as it is in the file, in the dialect and compression that ``dataset`` declares.

    Delimited text has no types: what ``dataset`` declares as text is read as text (`00123` stays),
    the rest is inferred over the whole column. Without a header the columns are those of the
    dataset, in order. Integers and booleans beside nulls are Int64 and boolean, dates are datetimes
    at midnight. Column names may repeat. Raises UnreadableFile, whose text is one line.
    """
    from mlvalidate.data import csv_files, json_files, parquet_files

    if not path.is_file():
        raise UnreadableFile("it is a folder, not a file" if path.is_dir() else "there is no file")
    layout = layout_of(path, format, dataset)
    limits = limits or LIMITS
    if format is FileFormat.PARQUET:
        return parquet_files.read_parquet(path, limits)
    if is_delimited(format):
        return csv_files.read_delimited(path, layout, limits)
    return json_files.read_records(path, layout, limits)


def table_summary(frame: pd.DataFrame) -> dict[str, str]:
    """Return column -> dtype; the second column `a` appears as `a.1`."""
    from mlvalidate.data.arrow_tables import unique_names

    return dict(zip(unique_names(frame.columns), map(str, frame.dtypes), strict=True))
