"""Figures on the quality of tables, cheap enough to be taken of every output."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlvalidate.core.datasets import Dataset, FileFormat
from mlvalidate.core.quality import Quality
from mlvalidate.data.arrow_tables import unique_names
from mlvalidate.data.kinds import null_mask

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

# A column that varies does so within its first rows, as good as always.
_FIRST_ROWS = 1000


@dataclass(frozen=True)
class Table:
    """A table as `read_table` gives it, with the dataset that it should be, if there is one."""

    frame: pd.DataFrame
    format: FileFormat
    dataset: Dataset | None = None


def measure_quality(tables: Iterable[Table]) -> Quality | None:
    """Sum up the tables of a port; None when there is none."""
    nulls: dict[str, int] = defaultdict(int)
    cells: dict[str, int] = defaultdict(int)
    constant: set[str] = set()
    asked: set[str] = set()
    rows = duplicates = 0
    for table in tables:
        names = unique_names(table.frame.columns)
        asked.update(names if table.dataset and table.dataset.column_figures else ())
        rows += len(table.frame)
        duplicates += count_duplicates(table.frame)
        for index, name in enumerate(names):
            series = table.frame.iloc[:, index]
            nulls[name] += _count_nulls(series, name, table)
            cells[name] += len(series)
            if len(series) and _is_constant(series):
                constant.add(name)
    if not cells:
        return None
    shares = {name: nulls[name] / cells[name] if cells[name] else 0.0 for name in cells}
    return Quality(
        columns=len(cells),
        null_share=sum(nulls.values()) / max(sum(cells.values()), 1),
        duplicate_share=duplicates / max(rows, 1),
        constant_columns=len(constant),
        null_shares={name: share for name, share in shares.items() if name in asked},
    )


def _count_nulls(series: pd.Series, name: str, table: Table) -> int:
    column = table.dataset.columns.get(name) if table.dataset else None
    nulls = series.isna() if column is None else null_mask(series, column, table.format)
    return int(nulls.sum())


def _is_constant(series: pd.Series) -> bool:
    return all(len(set(_codes(part).tolist())) <= 1 for part in (series.head(_FIRST_ROWS), series))


def count_duplicates(frame: pd.DataFrame) -> int:
    """Return how many rows repeat an earlier one.

    Column by column, only rows that have been equal so far are looked at again: with a key among
    the columns the first pass tells.
    """
    import numpy as np

    rows = np.arange(len(frame))
    groups = np.zeros(len(frame), dtype=np.int64)
    if not frame.shape[1]:
        return 0
    for index in range(frame.shape[1]):
        codes = _codes(frame.iloc[:, index].iloc[rows])
        _, groups = np.unique(groups * (int(codes.max(initial=0)) + 1) + codes, return_inverse=True)
        repeated = np.bincount(groups, minlength=1)[groups] > 1
        rows, groups = rows[repeated], groups[repeated]
        if not len(rows):
            return 0
    return len(rows) - len(np.unique(groups))


def _codes(series: pd.Series) -> npt.NDArray[np.int64]:
    """Number the different values of a column; all missing ones are 0."""
    import numpy as np
    import pandas as pd

    try:
        codes, _ = pd.factorize(series)
    except TypeError:
        # Lists and mappings, and what else has no hash.
        codes, _ = pd.factorize(series.map(repr, na_action="ignore"))
    return np.asarray(codes, dtype=np.int64) + 1
