"""Real files of a dataset: read together, compared, and checked against their own schema."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mlvalidate.core.datasets import Dataset
from mlvalidate.core.errors import UsageError
from mlvalidate.data.errors import UnreadableFile
from mlvalidate.data.fidelity import Fidelity, measure_fidelity
from mlvalidate.data.files import guess_format, read_table
from mlvalidate.data.tables_in_folders import find_tables

if TYPE_CHECKING:
    import pandas as pd


def read_files(files: Sequence[Path], dataset: Dataset) -> pd.DataFrame:
    """Return the rows of all files. UsageError, which names the file, when one can't be read."""
    import pandas as pd

    frames = []
    for file in files:
        try:
            frames.append(read_table(file, guess_format(file) or dataset.format, dataset))
        except UnreadableFile as error:
            raise UsageError(f"{file}: {error}") from None
    return frames[0] if len(frames) == 1 else pd.concat(frames, ignore_index=True)


def compare_files(
    dataset: Dataset, against: Path, written: Dataset, files: Sequence[Path]
) -> Fidelity:
    """Return how near ``files``, which ``written`` describes, come to the real ones."""
    real_files = find_tables(against)
    format = guess_format(real_files[0]) or dataset.format
    real = read_files(real_files, dataset.model_copy(update={"format": format}))
    made = read_files(files, written)
    return measure_fidelity(real, made, dataset, (format, written.format))
