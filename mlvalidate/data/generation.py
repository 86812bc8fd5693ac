"""Writes the synthetic files of a dataset: one, or as many as it has shards."""

from __future__ import annotations

from pathlib import Path

from mlvalidate.core.datasets import Compression, Dataset, Dialect, FileFormat
from mlvalidate.core.model import Model
from mlvalidate.data.draws import share_out
from mlvalidate.data.family import Family
from mlvalidate.data.fidelity import Fidelity
from mlvalidate.data.files import write_table
from mlvalidate.data.synthesis import generate

_ENDINGS = {
    Compression.GZIP: ".gz",
    Compression.BZ2: ".bz2",
    Compression.XZ: ".xz",
    Compression.ZSTD: ".zst",
}


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
    dataset: Dataset, name: str, folder: Path, *, rows: int, seed: int, family: Family
) -> dict[Path, int]:
    """Write exactly ``rows`` rows of a dataset into ``folder``; return the files with their rows.

    Shards get equal parts, in order. Raises UnsatisfiableSchema and OSError.
    """
    frame = generate(dataset, rows, seed, name, family)
    folder.mkdir(parents=True, exist_ok=True)
    names = file_names(dataset, name)
    written: dict[Path, int] = {}
    start = 0
    parts = share_out([1 / len(names)] * len(names), rows)
    for file, size in zip(names, parts, strict=True):
        part = frame.iloc[start : start + size].reset_index(drop=True)
        write_table(part, folder / file, dataset.format)
        written[folder / file] = size
        start += size
    return written
