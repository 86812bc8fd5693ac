"""Parquet, without what pandas alone reads into it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlvalidate.data.arrow_tables import to_arrow, to_frame
from mlvalidate.data.csv_files import reason
from mlvalidate.data.errors import UnreadableFile
from mlvalidate.data.layout import Layout

if TYPE_CHECKING:
    import pandas as pd

    from mlvalidate.data.csv_writing import Append

# Where pandas keeps an index that has no name; pandas never shows it as a column either.
UNNAMED_INDEX = re.compile(r"__index_level_\d+__")


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


def read_parquet(path: Path) -> pd.DataFrame:
    """Read a file with its physical columns, so also a named index. Raises UnreadableFile."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    # Not pq.read_table: it takes folders named key=value for columns.
    try:
        with pq.ParquetFile(path) as file:
            table = file.read()
    except pa.ArrowInvalid as error:
        raise UnreadableFile(f"not a parquet file: {reason(error)}") from None
    except (pa.ArrowException, OSError) as error:
        raise UnreadableFile(f"it can't be read: {reason(error)}") from None
    kept = [
        index for index, name in enumerate(table.column_names) if not UNNAMED_INDEX.fullmatch(name)
    ]
    return to_frame(table.select(kept))
