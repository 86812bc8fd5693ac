"""Parquet, without what pandas alone reads into it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from mlvalidate.data.arrow_tables import to_arrow, to_frame
from mlvalidate.data.csv_files import reason
from mlvalidate.data.errors import UnreadableFile

if TYPE_CHECKING:
    import pandas as pd

# Where pandas keeps an index that has no name; pandas never shows it as a column either.
UNNAMED_INDEX = re.compile(r"__index_level_\d+__")


def write_parquet(frame: pd.DataFrame, path: Path) -> None:
    """Write the frame without its index: dates as date32, mixed cells as texts."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = [str(name) for name in frame.columns]
    arrays = [to_arrow(frame.iloc[:, index]) for index in range(len(names))]
    pq.write_table(pa.table(arrays, names=names), path)


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
