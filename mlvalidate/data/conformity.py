"""Whether a table has the columns and types that its dataset declares."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from mlvalidate.core.columns import Column, ColumnType
from mlvalidate.core.datasets import Dataset, FileFormat
from mlvalidate.core.suggest import nearest
from mlvalidate.data.clearing import is_clear
from mlvalidate.data.constraints import find_breaches
from mlvalidate.data.faults import Fault, FaultKind, examples_of
from mlvalidate.data.kinds import category_types, describe_cells, fits

if TYPE_CHECKING:
    import pandas as pd

    from mlvalidate.data.kinds import Mask

__all__ = ["Fault", "FaultKind", "describe_type", "find_faults"]

# Among how many undeclared names one that is missing is looked for.
MOST_CANDIDATES = 1000


def find_faults(
    frame: pd.DataFrame, dataset: Dataset, format: FileFormat | None = None
) -> tuple[Fault, ...]:
    """Return what ``frame``, as `read_table` gave it, has other than ``dataset`` declares.

    ``format`` (default: the dataset's) says how much the file knew about types: texts that can be
    read as the declared type fit in csv, not in parquet. Columns without any value have no type.
    First missing columns, then undeclared and duplicate ones, then wrong types, each in the order
    of the dataset or file, then what `find_breaches` finds in the values.
    """
    format = format or dataset.format
    frame = _plain(frame)
    # Not without need: picking columns copies them.
    first = frame if frame.columns.is_unique else frame.loc[:, ~frame.columns.duplicated()]
    missing = [
        name
        for name, column in dataset.columns.items()
        if name not in first.columns and not column.optional
    ]
    undeclared = [name for name in first.columns if name not in dataset.columns]
    fitting = {
        name: fits(first[name], column, format)
        for name, column in dataset.columns.items()
        if name in first.columns and not is_clear(first[name], column, format)
    }
    renamed = _match_names(missing, undeclared)
    original = {new: old for old, new in renamed.items()}
    repeated = {name: times for name, times in Counter(frame.columns).items() if times > 1}
    return (
        *(_missing(name, dataset.columns[name], renamed.get(name)) for name in missing),
        *(_undeclared(name, original.get(name)) for name in undeclared),
        *(_duplicate(name, times) for name, times in repeated.items()),
        *(
            _wrong_type(first[name], dataset.columns[name], format, mask)
            for name, mask in fitting.items()
            if not mask.all()
        ),
        *find_breaches(first, fitting, dataset, format),
    )


def describe_type(column: Column) -> str:
    """Return the declared type in words."""
    if column.type is not ColumnType.CATEGORY:
        return column.type.value
    return f"category of {' or '.join(type.value for type in category_types(column))}"


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the same columns with texts as names and rows numbered from 0."""
    import pandas as pd

    plain = frame.set_axis(pd.RangeIndex(len(frame)), axis="index")
    return plain.set_axis([str(name) for name in frame.columns], axis="columns")


def _match_names(missing: Iterable[str], undeclared: Iterable[str]) -> dict[str, str]:
    """Return missing name -> undeclared name that it was probably renamed to, each used once."""
    left = list(undeclared)[:MOST_CANDIDATES]
    wanted = list(missing)
    if len(wanted) == len(left) == 1:
        return {wanted[0]: left[0]}
    matches: dict[str, str] = {}
    for name in wanted:
        found = nearest(name, left)
        if found:
            matches[name] = found
            left.remove(found)
    return matches


def _missing(name: str, column: Column, renamed: str | None) -> Fault:
    return Fault(
        kind=FaultKind.MISSING_COLUMN,
        column=name,
        expected=describe_type(column),
        found="no such column",
        counterpart=renamed or "",
        suggestion=f"the file has {renamed!r}, which is not declared: renamed?" if renamed else "",
    )


def _undeclared(name: str, original: str | None) -> Fault:
    suggestion = f"did you mean {original!r}?" if original else ""
    if not original and name.startswith("Unnamed: "):
        suggestion = "pandas writes its index like this: to_csv(..., index=False) leaves it out"
    return Fault(
        kind=FaultKind.UNDECLARED_COLUMN,
        column=name,
        expected="no such column",
        counterpart=original or "",
        suggestion=suggestion,
    )


def _duplicate(name: str, times: int) -> Fault:
    return Fault(
        kind=FaultKind.DUPLICATE_COLUMN,
        column=name,
        expected="one column of this name",
        found=f"{times} columns of this name",
    )


def _wrong_type(series: pd.Series, column: Column, format: FileFormat, fitting: Mask) -> Fault:
    cells = series[~fitting]
    return Fault(
        kind=FaultKind.WRONG_TYPE,
        column=str(series.name),
        expected=describe_type(column),
        found=describe_cells(cells, format),
        count=len(cells),
        rows=len(series),
        examples=examples_of(cells),
    )
