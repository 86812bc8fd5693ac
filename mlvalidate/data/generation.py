"""Writes the synthetic files of a dataset: one, or as many as it has shards."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mlvalidate.core.datasets import Dataset, Dialect, FileFormat
from mlvalidate.core.model import Model
from mlvalidate.data.draws import share_out
from mlvalidate.data.family import Family
from mlvalidate.data.fidelity import Fidelity
from mlvalidate.data.files import table_writer
from mlvalidate.data.packing import SUFFIXES
from mlvalidate.data.synthesis import generate_parts

if TYPE_CHECKING:
    import pandas as pd

_ENDINGS = {kind: suffix for suffix, kind in SUFFIXES.items()}


class Generated(Model):
    """Files that were written, with their rows, and how near they come to ``against``."""

    dataset: str
    rows: int
    seed: int
    scenario: str = "standard"
    files: dict[str, int]
    against: str = ""
    fidelity: Fidelity | None = None


def with_format(dataset: Dataset, format: FileFormat | None) -> Dataset:
    """Return the dataset in another format, which has no dialect and no packing of its own."""
    if format in (None, dataset.format):
        return dataset
    usual = {"format": format, "dialect": Dialect(), "header": True, "compression": None}
    return dataset.model_copy(update=usual)


def file_names(dataset: Dataset, name: str) -> list[str]:
    """Return the names of the dataset's files: ``orders.csv``; of shards ``orders-00001.csv``."""
    packed = _ENDINGS.get(dataset.compression, "") if dataset.compression else ""
    ending = f".{dataset.format.value}{'' if dataset.format is FileFormat.PARQUET else packed}"
    if dataset.shards == 1:
        return [name + ending]
    return [f"{name}-{shard:05d}{ending}" for shard in range(1, dataset.shards + 1)]


def write_dataset(
    dataset: Dataset, name: str, files: Sequence[Path], *, rows: int, seed: int, family: Family
) -> dict[Path, int]:
    """Write exactly ``rows`` rows of a dataset into ``files``; return them with their rows.

    Several files get equal parts, in order; they are those of `file_names`, or any others. Folders
    are made. ``name`` is what the project calls the dataset: with ``seed`` and ``rows`` it decides
    on the values. ``family`` has the datasets to which foreign keys refer.

    The rows are generated and written in parts, so memory does not grow with them: what depends on
    the parts is in docs/data.md. What a failed call has written is removed again. Raises
    UnsatisfiableSchema and OSError.
    """
    written = dict(zip(files, share_out([1 / len(files)] * len(files), rows), strict=True))
    parts = generate_parts(dataset, rows, seed, name, family)
    try:
        _write_parts(parts, written, dataset)
    except BaseException:
        for file in files:
            file.unlink(missing_ok=True)
        raise
    return written


def write_frame(frame: pd.DataFrame, dataset: Dataset, files: Sequence[Path]) -> dict[Path, int]:
    """Write a table into ``files``, in equal parts; return them with their rows."""
    sizes = share_out([1 / len(files)] * len(files), len(frame))
    written = dict(zip(files, sizes, strict=True))
    _write_parts(iter([frame]), written, dataset)
    return written


def _write_parts(
    parts: Iterator[pd.DataFrame], sizes: Mapping[Path, int], dataset: Dataset
) -> None:
    """Write the parts of a table one after the other into files of the given numbers of rows."""
    part = next(parts)
    for file, size in sizes.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        with table_writer(file, dataset.format, dataset) as append:
            missing = size
            while True:
                append(part.iloc[:missing].reset_index(drop=True))
                missing, part = missing - len(part), part.iloc[missing:]
                if missing <= 0:
                    break
                part = next(parts)
