"""Finds the tables that a path of the user's stands for."""

from __future__ import annotations

from pathlib import Path

from mlvalidate.core.errors import UsageError
from mlvalidate.data.files import guess_format


def find_tables(path: Path) -> tuple[Path, ...]:
    """Return the file, or the tables in a folder. UsageError when there are none."""
    if path.is_file():
        return (path,)
    if not path.is_dir():
        raise UsageError(f"{path}: no such file or folder")
    files = tuple(
        each
        for each in sorted(path.rglob("*"))
        if each.is_file() and guess_format(each) is not None and not _is_hidden(each, path)
    )
    if not files:
        raise UsageError(
            f"{path}: no file in it has the ending of a table",
            "endings are .csv, .tsv, .parquet, .json and .jsonl; name one file and its --format",
        )
    formats = {guess_format(each) for each in files}
    if len(formats) > 1:
        words = " and ".join(sorted(str(each) for each in formats if each))
        raise UsageError(
            f"{path}: the files in it are {words}", "a dataset has one format: name one file"
        )
    return files


def _is_hidden(file: Path, folder: Path) -> bool:
    return any(part.startswith((".", "_")) for part in file.relative_to(folder).parts)
