"""Parquet, without what pandas alone reads into it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlvalidate.data.arrow_tables import build_frame, to_arrow
from mlvalidate.data.csv_files import reason
from mlvalidate.data.errors import UnreadableFile
from mlvalidate.data.layout import Layout
from mlvalidate.data.limits import Budget, Limits, Outline, check_width, too_large

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    from mlvalidate.data.csv_writing import Append

# Where pandas keeps an index that has no name; pandas never shows it as a column either.
UNNAMED_INDEX = re.compile(r"__index_level_\d+__")
# What is read at once; Arrow needs some more memory for that than the cells take.
_ROWS_AT_ONCE, _COLUMNS_AT_ONCE = 1_000_000, 8
# So many rows foretell the size of all, and by this factor they may be wrong.
_FIRST_ROWS, _TOLERANCE = 64, 2


@contextmanager
def parquet_writer(path: Path, layout: Layout) -> Iterator[Append]:
    """Open a file and give a function that appends rows; the first ones set the types.

    Indexes are left out, dates are date32, mixed cells texts. Raises OSError.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    with ExitStack() as stack:
        writer: Any = None

        def append(frame: pd.DataFrame) -> None:
            nonlocal writer
            names = [str(name) for name in frame.columns]
            arrays = [to_arrow(frame.iloc[:, index]) for index in range(len(names))]
            if writer is None:
                table = pa.table(arrays, names=names)
                opened = pq.ParquetWriter(path, table.schema, compression=layout.codec)
                writer = stack.enter_context(opened)
            else:
                kinds = writer.schema.types
                cast = [array.cast(kind) for array, kind in zip(arrays, kinds, strict=True)]
                table = pa.table(cast, schema=writer.schema)
            writer.write_table(table)

        yield append


def read_parquet(path: Path, limits: Limits) -> pd.DataFrame:
    """Read a file with its physical columns, so also a named index.

    Raises UnreadableFile, and TooLarge with the columns and rows of what is beyond the limits.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    # Not pq.read_table: it takes folders named key=value for columns.
    try:
        with pq.ParquetFile(path, pre_buffer=False) as file:
            names, columns = _read_columns(file, limits)
            rows = file.metadata.num_rows
    except pa.ArrowInvalid as error:
        raise UnreadableFile(f"not a parquet file: {reason(error)}") from None
    except (pa.ArrowException, OSError) as error:
        raise UnreadableFile(f"it can't be read: {reason(error)}") from None
    return build_frame(names, columns, rows)


def _read_columns(file: pq.ParquetFile, limits: Limits) -> tuple[list[str], list[pa.ChunkedArray]]:
    """Return names and columns, read by a few columns of a few row groups at a time."""
    import pyarrow as pa

    check_width(file.metadata.num_columns, limits)
    fields = [each for each in file.schema_arrow if not UNNAMED_INDEX.fullmatch(each.name)]
    names = [each.name for each in fields]
    outline = Outline(
        tuple(names), tuple(str(each.type) for each in fields), file.metadata.num_rows
    )
    if sum(_width(each.type) for each in fields) * file.metadata.num_rows > limits.table:
        raise too_large(limits, outline)
    chunks: list[list[pa.Array]] = [[] for _ in fields]
    budget = Budget(limits.table)
    for run in _runs(file.metadata):
        if _foretold_size(file, run) > _TOLERANCE * limits.table:
            raise too_large(limits, outline)
        for part in _parts(names):
            table = file.read_row_groups(run, columns=[names[index] for index in part])
            if not budget.fits(table.nbytes):
                raise too_large(limits, outline)
            for index, column in zip(part, table.columns, strict=True):
                chunks[index] += column.chunks
            pa.default_memory_pool().release_unused()
    return names, [
        pa.chunked_array(arrays, each.type) for arrays, each in zip(chunks, fields, strict=True)
    ]


def _width(kind: pa.DataType) -> float:
    """Return how many bytes a cell takes at the least."""
    try:
        return float(kind.bit_width) / 8
    except ValueError:
        return 4.0


def _runs(metadata: pq.FileMetaData) -> Iterator[list[int]]:
    """Yield the numbers of row groups that are read together."""
    run: list[int] = []
    rows = 0
    for number in range(metadata.num_row_groups):
        size = metadata.row_group(number).num_rows
        if run and rows + size > _ROWS_AT_ONCE:
            yield run
            run, rows = [], 0
        run.append(number)
        rows += size
    if run:
        yield run


def _parts(names: list[str]) -> list[range]:
    """Return which columns are read together: all, where a name does not say which one is meant."""
    size = _COLUMNS_AT_ONCE
    if len(set(names)) < len(names) or any("." in name for name in names):
        size = max(len(names), 1)
    return [range(at, min(at + size, len(names))) for at in range(0, len(names), size)]


def _foretold_size(file: pq.ParquetFile, run: list[int]) -> float:
    """Return what row groups take in memory when all rows are like the first ones.

    Repeated texts are stored once: a few kilobytes may be gigabytes in memory.
    """
    rows = sum(file.metadata.row_group(number).num_rows for number in run)
    first = next(file.iter_batches(_FIRST_ROWS, run, use_threads=False), None)
    return float(first.nbytes / first.num_rows * rows) if first is not None else 0.0
