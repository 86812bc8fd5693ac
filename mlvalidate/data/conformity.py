"""Whether a table has the columns and types that its dataset declares."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from mlvalidate.core.columns import Column, ColumnType
from mlvalidate.core.datasets import Dataset, FileFormat
from mlvalidate.core.findings import MOST_EVIDENCE
from mlvalidate.core.model import Model
from mlvalidate.core.suggest import nearest
from mlvalidate.data.kinds import category_types, describe_cells, fits

if TYPE_CHECKING:
    import pandas as pd
    import pandera.pandas as pa

LONGEST_EXAMPLE = 60
# Among how many undeclared names one that is missing is looked for.
MOST_CANDIDATES = 1000


class FaultKind(StrEnum):
    """In which way a table is not what was declared."""

    MISSING_COLUMN = "missing_column"
    UNDECLARED_COLUMN = "undeclared_column"
    DUPLICATE_COLUMN = "duplicate_column"
    WRONG_TYPE = "wrong_type"


class Fault(Model):
    """One column that is not what the dataset declares.

    ``count`` cells of ``rows`` are of the wrong type; ``examples`` are the first of them, with
    their row, counted from 1 without the header. ``counterpart`` is the missing column that an
    undeclared one seems to stand for, or the other way round. ``suggestion`` may be empty.
    """

    kind: FaultKind
    column: str
    expected: str = ""
    found: str = ""
    count: int = 0
    rows: int = 0
    examples: tuple[str, ...] = ()
    counterpart: str = ""
    suggestion: str = ""


def find_faults(
    frame: pd.DataFrame, dataset: Dataset, format: FileFormat | None = None
) -> tuple[Fault, ...]:
    """Return what ``frame``, as `read_table` gave it, has other than ``dataset`` declares.

    ``format`` (default: the dataset's) says how much the file knew about types: texts that can be
    read as the declared type fit in csv, not in parquet. Columns without any value have no type.
    Nulls and ranges are not judged. First missing columns, then undeclared and duplicate ones, then
    wrong types, each in the order of the dataset or file.
    """
    format = format or dataset.format
    frame = _plain(frame)
    first = frame.loc[:, ~frame.columns.duplicated()]
    missing, undeclared, wrong = _validate(first, dataset, format)
    renamed = _match_names(missing, undeclared)
    original = {new: old for old, new in renamed.items()}
    repeated = {name: times for name, times in Counter(frame.columns).items() if times > 1}
    return (
        *(_missing(name, dataset.columns[name], renamed.get(name)) for name in missing),
        *(_undeclared(name, original.get(name)) for name in undeclared),
        *(_duplicate(name, times) for name, times in repeated.items()),
        *(_wrong_type(first[name], dataset.columns[name], format) for name in wrong),
    )


def pandera_schema(dataset: Dataset, format: FileFormat | None = None) -> pa.DataFrameSchema:
    """Return the columns and types of ``dataset`` as a pandera schema; nulls are allowed."""
    import pandera.pandas as pa

    format = format or dataset.format
    return pa.DataFrameSchema(
        {
            name: pa.Column(
                checks=_type_check(column, format), nullable=True, required=not column.optional
            )
            for name, column in dataset.columns.items()
        },
        strict=True,
    )


def _type_check(column: Column, format: FileFormat) -> pa.Check:
    import pandera.pandas as pa

    # One verdict for the column: pandera would build a table of all the failing cells.
    return pa.Check(
        lambda series: bool(fits(series, column, format).all()),
        name="type",
        error=f"expected {describe_type(column)}",
        ignore_na=False,
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


def _validate(
    frame: pd.DataFrame, dataset: Dataset, format: FileFormat
) -> tuple[list[str], list[str], list[str]]:
    """Return the names of missing and undeclared columns and of those of the wrong type."""
    import pandera.pandas as pa

    try:
        pandera_schema(dataset, format).validate(frame, lazy=True)
    except pa.errors.SchemaErrors as errors:
        found = errors.schema_errors
    else:
        return [], [], []
    reasons = pa.errors.SchemaErrorReason
    missing = [each for each in found if each.reason_code is reasons.COLUMN_NOT_IN_DATAFRAME]
    # CHECK_ERROR: our own check crashed. `_wrong_type` will crash again, and be heard.
    checks = (reasons.DATAFRAME_CHECK, reasons.CHECK_ERROR)
    wrong = {each.schema.name for each in found if each.reason_code in checks}
    absent = {each.failure_cases for each in missing}
    return (
        [name for name in dataset.columns if name in absent],
        [name for name in frame.columns if name not in dataset.columns],
        [name for name in dataset.columns if name in wrong],
    )


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


def _wrong_type(series: pd.Series, column: Column, format: FileFormat) -> Fault:
    wrong = ~fits(series, column, format)
    cells = series[wrong]
    return Fault(
        kind=FaultKind.WRONG_TYPE,
        column=str(series.name),
        expected=describe_type(column),
        found=describe_cells(cells, format),
        count=len(cells),
        rows=len(series),
        examples=tuple(
            f"row {row + 1}: {_shorten(cell)}" for row, cell in cells.head(MOST_EVIDENCE).items()
        ),
    )


def _shorten(cell: Any) -> str:
    text = repr(cell.item() if hasattr(cell, "item") and getattr(cell, "ndim", 1) == 0 else cell)
    return text if len(text) <= LONGEST_EXAMPLE else f"{text[: LONGEST_EXAMPLE - 1]}…"
