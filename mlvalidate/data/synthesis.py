"""Synthetic tables from declared datasets."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from mlvalidate.core.datasets import Dataset
from mlvalidate.data.errors import UnsatisfiableSchema

if TYPE_CHECKING:
    import pandas as pd

    from mlvalidate.data.cells import Cells
    from mlvalidate.data.draws import Values
    from mlvalidate.data.family import Family
    from mlvalidate.data.parts import Part

__all__ = ["UnsatisfiableSchema", "generate", "generate_parts", "mend"]


def generate(
    dataset: Dataset, rows: int, seed: int, name: str = "", family: Family | None = None
) -> pd.DataFrame:
    """Return a table of exactly ``rows`` rows that satisfies ``dataset``.

    ``family`` has the datasets to which columns with a `foreign_key` refer.

    The values of a column depend on ``seed``, the dataset's ``name``, the column's name and
    declaration and ``rows`` only, unless the dataset declares how columns depend on each other; the
    machine does not change them.
    Integers are int64 (Int64 where nulls are declared), booleans bool (boolean), floats float64,
    datetimes datetime64[us] without time zone, dates `datetime.date` objects, the rest strings or
    the declared values. `round(rows * null)` values of a column are null.

    Raises UnsatisfiableSchema, which names dataset and column, when there is no such table.
    """
    import pandas as pd

    frames = list(generate_parts(dataset, rows, seed, name, family))
    return frames[0] if len(frames) == 1 else pd.concat(frames, ignore_index=True)


def generate_parts(
    dataset: Dataset, rows: int, seed: int, name: str = "", family: Family | None = None
) -> Iterator[pd.DataFrame]:
    """Yield the rows of `generate` in parts of at most 100,000; only one is kept in memory.

    Rows, nulls, shares of `values` and `rate` are exact over the whole table and as even as can be
    in each part; different values differ over all parts, and order goes on from part to part. Rules
    and derived columns hold in every row, correlations and a label's signal within each part.
    """
    import pandas as pd

    from mlvalidate.data.cells import Cells
    from mlvalidate.data.family import Family
    from mlvalidate.data.parts import parts_of
    from mlvalidate.data.rules import keep_rules

    if rows < 0:
        raise ValueError(f"rows must not be negative, got {rows}")
    cells = Cells(dataset, rows, seed, name, family or Family())
    for part in parts_of(rows):
        columns = _columns(dataset, cells, part, seed, name)
        index = pd.RangeIndex(part.size)
        frame = pd.DataFrame(columns, index=index, columns=list(columns), copy=False)
        yield keep_rules(frame, dataset, name, partial(cells.redraw, part=part))


def mend(frame: pd.DataFrame, dataset: Dataset, seed: int, name: str = "") -> pd.DataFrame:
    """Return a changed table with its derived columns, and new values where a row broke a rule.

    Raises UnsatisfiableSchema.
    """
    from mlvalidate.data.draws import Draws
    from mlvalidate.data.rules import keep_rules
    from mlvalidate.data.values import draw_values

    def redraw(column: str, size: int, attempt: int) -> Values:
        draws = Draws(seed, name, column, "mend", str(attempt))
        return draw_values(dataset.columns[column], size, draws)

    return keep_rules(frame, dataset, name, redraw)


def _columns(dataset: Dataset, cells: Cells, part: Part, seed: int, name: str) -> dict[str, Any]:
    """Return the columns of a part with their nulls, as pandas arrays or Series."""
    import numpy as np

    from mlvalidate.data.assembly import assemble
    from mlvalidate.data.dependence import Arrangement, ranks_of

    keys = cells.composite_key(part)
    signal = dataset.label if dataset.label and dataset.columns[dataset.label].strength else None
    arrangement = Arrangement(dataset, name, part.size, seed, part.names)

    def drawn(column: str) -> tuple[Values, Values]:
        if column in keys:
            return keys[column], np.ones(part.size, dtype=bool)
        return cells.of(column, part)

    columns: dict[str, Any] = {}
    ranks: dict[str, Values] = {}
    for column, declared in dataset.columns.items():
        if declared.derived or column == signal:
            columns[column] = None  # computed when all others are there
            continue
        values, filled = drawn(column)
        values = arrangement.arrange(column, values, filled)
        columns[column] = assemble(declared, values, ~filled)
        if signal and dataset.foretells(column):
            ranks[column] = _with_gaps(ranks_of(values, declared), filled)
    if signal:
        values, filled = drawn(signal)
        values = arrangement.arrange_label(values, filled, ranks)
        columns[signal] = assemble(dataset.columns[signal], values, ~filled)
    return columns


def _with_gaps(ranks: Values, filled: Values) -> Values:
    """Return numbers for all rows; where there is no value, the middle one."""
    import numpy as np

    numbers = ranks.astype("int64") if ranks.dtype.kind == "M" else ranks
    numbers = numbers.astype(np.float64)
    full: Values = np.full(len(filled), np.median(numbers) if len(numbers) else 0.0)
    full[filled] = numbers
    return full
