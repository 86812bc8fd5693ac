"""Writes the synthetic files of a dataset: one, or as many as it has shards."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mlvalidate.core.datasets import Dataset, Dialect, FileFormat
from mlvalidate.core.model import Model
from mlvalidate.data.draws import share_out
from mlvalidate.data.family import Family
from mlvalidate.data.fidelity import Fidelity
from mlvalidate.data.files import write_table
from mlvalidate.data.packing import SUFFIXES
from mlvalidate.data.synthesis import generate

_ENDINGS = {kind: suffix for suffix, kind in SUFFIXES.items()}


class Generated(Model):
    """Files that were written, with their rows, and how near they come to ``against``."""

    dataset: str
    rows: int
    seed: int
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

    Raises UnsatisfiableSchema and OSError.
    """
    frame = generate(dataset, rows, seed, name, family)
    written: dict[Path, int] = {}
    start = 0
    parts = share_out([1 / len(files)] * len(files), rows)
    for file, size in zip(files, parts, strict=True):
        file.parent.mkdir(parents=True, exist_ok=True)
        part = frame.iloc[start : start + size].reset_index(drop=True)
        write_table(part, file, dataset.format, dataset)
        written[file] = size
        start += size
    return written
