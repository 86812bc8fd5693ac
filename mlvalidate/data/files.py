"""Table files: the formats that scripts read and write."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mlvalidate.core.datasets import Dataset, FileFormat
from mlvalidate.data.errors import UnreadableFile
from mlvalidate.data.kinds import holds_text

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["UnreadableFile", "guess_format", "read_table", "table_summary", "write_table"]

_SUFFIXES = {
    ".csv": FileFormat.CSV,
    ".tsv": FileFormat.TSV,
    ".parquet": FileFormat.PARQUET,
    ".pq": FileFormat.PARQUET,
    ".json": FileFormat.JSON,
    ".jsonl": FileFormat.JSONL,
    ".ndjson": FileFormat.JSONL,
}
_DELIMITERS = {FileFormat.CSV: ",", FileFormat.TSV: "\t"}


def guess_format(path: Path) -> FileFormat | None:
    """Return the format that a file's name promises; `.gz` may follow, except on parquet."""
    packed = path.suffix.lower() == ".gz"
    suffix = (path.with_suffix("") if packed else path).suffix.lower()
    format = _SUFFIXES.get(suffix)
    return None if packed and format is FileFormat.PARQUET else format


def write_table(frame: pd.DataFrame, path: Path, format: FileFormat) -> None:
    """Write ``frame`` without its index; gzip-compressed where the name ends in `.gz`.

    csv and tsv: UTF-8, LF, a header, nulls empty, `True`, `2020-01-31 13:00:00`. json: an array of
    records, jsonl: one per line. Equal frames give equal bytes.
    """
    from mlvalidate.data import csv_files, json_files, parquet_files

    if format is FileFormat.PARQUET:
        parquet_files.write_parquet(frame, path)
    elif format in _DELIMITERS:
        csv_files.write_delimited(frame, path, _DELIMITERS[format])
    else:
        json_files.write_records(frame, path, lines=format is FileFormat.JSONL)


def read_table(path: Path, format: FileFormat, dataset: Dataset | None = None) -> pd.DataFrame:
    """Read a table as it is in the file.

    Delimited text has no types: what ``dataset`` declares as text is read as text (`00123` stays),
    the rest is inferred over the whole column. Integers and booleans beside nulls are Int64 and
    boolean, dates are datetimes at midnight. Column names may repeat. Raises UnreadableFile, whose
    text is one line.
    """
    from mlvalidate.data import csv_files, json_files, parquet_files

    if not path.is_file():
        raise UnreadableFile("it is a folder, not a file" if path.is_dir() else "there is no file")
    if format is FileFormat.PARQUET:
        return parquet_files.read_parquet(path)
    if format in _DELIMITERS:
        columns = dataset.columns if dataset else {}
        texts = [name for name, column in columns.items() if holds_text(column)]
        return csv_files.read_delimited(path, _DELIMITERS[format], texts)
    return json_files.read_records(path, lines=format is FileFormat.JSONL)


def table_summary(frame: pd.DataFrame) -> dict[str, str]:
    """Return column -> dtype; the second column `a` appears as `a.1`."""
    from mlvalidate.data.arrow_tables import unique_names

    return dict(zip(unique_names(frame.columns), map(str, frame.dtypes), strict=True))
