"""The first rows of a table, kept for people to see: as parquet and as the MLflow UI's table."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

LONGEST_CELL = 1000


def write_preview(
    frame: pd.DataFrame, stem: Path, redact: Callable[[str], str], rows: int = 100
) -> None:
    """Write the first ``rows`` rows to ``<stem>.parquet`` and ``<stem>.json``.

    The JSON is `{"columns": [...], "data": [[...]]}`, strict. Both hold numbers, booleans and
    texts; names and texts have passed through ``redact`` and are cut after 1000 characters. In
    parquet, columns that share a name are numbered: `a`, `a.1`.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    from mlvalidate.data.arrow_tables import json_cells, unique_names

    shown = frame.head(rows)
    names = [redact(str(name)) for name in shown.columns]
    columns = [
        [_shorten(redact(cell)) if isinstance(cell, str) else cell for cell in json_cells(column)]
        for column in (shown.iloc[:, index] for index in range(len(names)))
    ]
    table = pa.table([_array(column) for column in columns], names=unique_names(names))
    pq.write_table(table, stem.with_name(f"{stem.name}.parquet"))
    data = [list(row) for row in zip(*columns, strict=True)]
    text = json.dumps({"columns": names, "data": data}, ensure_ascii=False, allow_nan=False)
    stem.with_name(f"{stem.name}.json").write_text(text, encoding="utf-8")


def _shorten(text: str) -> str:
    return text if len(text) <= LONGEST_CELL else f"{text[: LONGEST_CELL - 1]}…"


def _array(cells: list[Any]) -> Any:
    import pyarrow as pa

    try:
        return pa.array(cells)
    except (pa.ArrowException, OverflowError):
        return pa.array([None if cell is None else str(cell) for cell in cells], pa.string())
