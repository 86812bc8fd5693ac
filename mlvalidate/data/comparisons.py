"""One table of an output against its reference: what is asked, what is answered, on disk.

Evidently takes seconds to import, so a process beside the engine does the comparing.
"""

from __future__ import annotations

from pathlib import Path

from mlvalidate.core.datasets import Dataset
from mlvalidate.core.errors import UsageError
from mlvalidate.core.model import Model
from mlvalidate.core.quality import ColumnDrift
from mlvalidate.data.table_samples import prepare_frame, read_sample, write_sample

# A larger reference is not read into memory.
MOST_REFERENCE_BYTES = 512 * 10**6


class Comparison(Model):
    """A request. ``sample`` and ``reference`` are what `write_sample` wrote, without ending.

    ``files`` are real files from which the reference's sample is made where there is none yet.
    """

    sample: Path
    reference: Path
    dataset: Dataset
    files: tuple[Path, ...] = ()
    # Columns that the reference lacks are no fault: it is another table.
    shared_only: bool = False

    @property
    def answer(self) -> Path:
        """Where the answer will lie."""
        return self.sample.with_name(f"{self.sample.name}.drift")


class Measured(Model):
    """An answer: the columns, or why the reference could not be used."""

    columns: tuple[ColumnDrift, ...] = ()
    problem: str = ""


def compare(comparison: Comparison) -> Measured:
    """Compare the two tables. Never raises for what a reference is."""
    from mlvalidate.data.drift import measure_drift

    try:
        if comparison.files:
            _sample_files(comparison)
        reference = read_sample(comparison.reference)
        current = read_sample(comparison.sample)
    except UsageError as error:
        return Measured(problem=f"the reference can't be read: {error.message}")
    except (OSError, ValueError) as error:
        return Measured(problem=f"the reference can't be read: {type(error).__name__}")
    columns = measure_drift(reference, current, comparison.dataset)
    if comparison.shared_only:
        columns = [c for c in columns if c.column in reference[1].roles]
        if not columns:
            return Measured(problem="the two tables have no column in common")
    return Measured(columns=tuple(columns))


def _sample_files(comparison: Comparison) -> None:
    """Make the sample of real files, unless another table of the run has had it made."""
    from mlvalidate.data.files import guess_format
    from mlvalidate.data.real_files import read_files

    if comparison.reference.with_name(f"{comparison.reference.name}.json").exists():
        return
    size = sum(file.stat().st_size for file in comparison.files)
    if size > MOST_REFERENCE_BYTES:
        raise UsageError(f"it has {size / 1e6:.0f} MB, and {MOST_REFERENCE_BYTES / 1e6:.0f} is all")
    format = guess_format(comparison.files[0]) or comparison.dataset.format
    read_as = comparison.dataset.model_copy(update={"format": format})
    frame = read_files(comparison.files, read_as)
    prepared, sample = prepare_frame([frame], format, read_as)
    write_sample(prepared, sample, comparison.reference)


def write_whole(path: Path, text: str) -> None:
    """Write a file in one piece: readers see all of it or none."""
    temporary = path.with_name(f"{path.name}.tmp")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)
