"""The tables of a port: a file each, or the files of one dataset together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlvalidate.checks.evidence import FileContent, PortContent
from mlvalidate.core.datasets import Dataset, FileFormat

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class OutputTable:
    """A table. ``name`` is the file's, or the dataset's where its rows lie in several files."""

    port: str
    name: str
    frames: tuple[pd.DataFrame, ...]
    format: FileFormat
    dataset_name: str = ""
    dataset: Dataset | None = None


def tables_of(content: PortContent) -> tuple[OutputTable, ...]:
    """Return the tables of a port that could be read."""
    groups: dict[str, list[tuple[FileContent, pd.DataFrame]]] = {}
    for file, frame in content.tables:
        groups.setdefault(file.dataset_name or f"/{file.name}", []).append((file, frame))
    return tuple(_table(content.port, files) for files in groups.values())


def _table(port: str, files: list[tuple[FileContent, pd.DataFrame]]) -> OutputTable:
    first = files[0][0]
    assert first.format is not None
    return OutputTable(
        port=port,
        name=first.name if len(files) == 1 else first.dataset_name,
        frames=tuple(frame for _, frame in files),
        format=first.format,
        dataset_name=first.dataset_name,
        dataset=first.dataset,
    )
