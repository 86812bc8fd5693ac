"""Tables as statistics and reports take them: a seeded sample in four plain types.

Evidently aborts on many frames that pandas can hold, and silently skips columns of many types. So
every table is converted here first, and what can't be converted is named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlvalidate.core.columns import Column, ColumnType
from mlvalidate.core.datasets import Dataset, FileFormat
from mlvalidate.core.model import Model
from mlvalidate.data.arrow_tables import is_missing, unique_names
from mlvalidate.data.comparable import comparable, is_numerical
from mlvalidate.data.draws import Draws
from mlvalidate.data.kinds import Kind, kind_of, numbers_of, times_of

if TYPE_CHECKING:
    import pandas as pd

MOST_ROWS = 10_000
# Texts with more different values than this are no categories, unless they are declared to be.
MOST_CATEGORIES = 50
# The square of a greater number is no float any more, and statistics take squares.
GREATEST = 1e100
_LONGEST_TEXT = 200


class Role(StrEnum):
    """What a column is for statistics. In a frame: float64, datetime64[s], texts, texts."""

    NUMBER = "number"
    TIME = "time"
    CATEGORY = "category"
    TEXT = "text"


class TableSample(Model):
    """A sample of a table's rows, without the rows: these are in a frame or a parquet file.

    ``rows`` is how many the table has, ``left_out`` says why a column is not in the sample, and
    ``notes`` what was lost in the columns that are.
    """

    rows: int
    roles: dict[str, Role]
    left_out: dict[str, str]
    notes: tuple[str, ...] = ()


def drawn(frames: Sequence[pd.DataFrame], *names: str) -> pd.DataFrame:
    """Return at most 10,000 rows of all frames in their order, the same for the same names."""
    import numpy as np
    import pandas as pd

    ends = np.cumsum([len(frame) for frame in frames])
    if ends[-1] > MOST_ROWS:
        picked = np.sort(Draws(0, *names).order(int(ends[-1]))[:MOST_ROWS])
        parts = np.split(picked, np.searchsorted(picked, ends[:-1]))
        starts = [0, *ends[:-1]]
        frames = [
            frame.iloc[part - start]
            for frame, part, start in zip(frames, parts, starts, strict=True)
        ]
    if len(frames) == 1:
        return frames[0].reset_index(drop=True)
    return pd.concat(frames, ignore_index=True)


def prepare_frame(
    frames: Sequence[pd.DataFrame],
    format: FileFormat,
    dataset: Dataset | None = None,
    redact: Callable[[str], str] = str,
) -> tuple[pd.DataFrame, TableSample]:
    """Return a sample of the frames' rows in plain types, and what each column has become.

    Several frames are the files of one table. Types are those of ``dataset``; other columns are
    what their cells are. Names are unique texts. Never raises for what a frame holds: a column that
    can't be converted is left out.
    """
    import pandas as pd

    sample = drawn(frames, "sample")
    columns: dict[str, pd.Series] = {}
    roles: dict[str, Role] = {}
    left_out: dict[str, str] = {}
    notes: list[str] = []
    names = unique_names(_flat(name) for name in sample.columns)
    for index, shown in enumerate(unique_names(map(redact, names))):
        declared = dataset.columns.get(names[index]) if dataset else None
        try:
            series, role = _convert(sample.iloc[:, index], declared, format)
        except _NotPlainError as error:
            left_out[shown] = str(error)
            continue
        except (TypeError, ValueError, OverflowError, ArithmeticError) as error:
            left_out[shown] = f"can't be converted: {type(error).__name__}"
            continue
        lost = int(sample.iloc[:, index].notna().sum() - series.notna().sum())
        if lost > 0:
            notes.append(f"{shown}: {lost} cells that are no finite {role.value} count as missing")
        if role in (Role.CATEGORY, Role.TEXT):
            series = _redacted(series, redact)
        columns[shown], roles[shown] = series, role
    prepared = pd.DataFrame(columns, index=range(len(sample)))
    return prepared, TableSample(
        rows=sum(map(len, frames)), roles=roles, left_out=left_out, notes=tuple(notes)
    )


class _NotPlainError(Exception):
    """The column has no plain type; the text says why."""


def _flat(name: object) -> object:
    return ".".join(map(str, name)) if isinstance(name, tuple) else name


def _convert(
    series: pd.Series, declared: Column | None, format: FileFormat
) -> tuple[pd.Series, Role]:
    import pandas as pd

    if isinstance(series.dtype, pd.CategoricalDtype):
        series = series.astype(object)
    if isinstance(series.dtype, pd.SparseDtype):
        series = series.sparse.to_dense()
    if declared is None:
        return _convert_undeclared(series)
    if declared.type.is_nested:
        raise _NotPlainError(f"holds a {declared.type.value} in each cell")
    cells = comparable(series, declared, format)
    if declared.type.is_temporal:
        return _as_times(cells), Role.TIME
    if is_numerical(declared):
        return _bounded(cells), Role.NUMBER
    if declared.type is ColumnType.BOOLEAN:
        return cells.map({1.0: "true", 0.0: "false"}).astype(object), Role.CATEGORY
    if declared.type.is_number:
        return cells.map(lambda x: f"{x:g}", na_action="ignore").astype(object), Role.CATEGORY
    return cells, Role.TEXT if declared.type.is_textual else Role.CATEGORY


def _convert_undeclared(series: pd.Series) -> tuple[pd.Series, Role]:
    import pandas as pd

    kind = kind_of(series)
    if pd.api.types.is_timedelta64_dtype(series.dtype):
        return _bounded(series.dt.total_seconds()), Role.NUMBER
    if kind in (Kind.INTEGER, Kind.FLOAT, Kind.DECIMAL):
        return _bounded(pd.Series(numbers_of(series), index=series.index)), Role.NUMBER
    if kind in (Kind.DATETIME, Kind.DATE):
        seconds = times_of(series, kind, FileFormat.PARQUET).astype("M8[s]")
        return pd.Series(seconds, index=series.index), Role.TIME
    if kind is Kind.BYTES:
        raise _NotPlainError("holds bytes")
    texts = _as_texts(series)
    role = Role.CATEGORY if texts.nunique() <= MOST_CATEGORIES else Role.TEXT
    return texts, role


def _as_texts(series: pd.Series) -> pd.Series:
    """Return cells of whatever types as texts; nested and complex ones can't be."""
    import pandas as pd

    if pd.api.types.is_complex_dtype(series.dtype):
        raise _NotPlainError("holds complex numbers")
    cells = [None if is_missing(cell) else _as_text(cell) for cell in series]
    return pd.Series(cells, index=series.index, dtype=object)


def _as_text(cell: Any) -> str:
    if type(cell).__name__ in ("bool", "bool_"):
        return "true" if cell else "false"
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bytes | complex) or hasattr(cell, "__len__"):
        raise _NotPlainError(f"holds a {type(cell).__name__} in some cells")
    return str(cell)


def _bounded(numbers: pd.Series) -> pd.Series:
    """Return the numbers as float64, with those for missing that no statistic can take."""
    return numbers.astype("float64").where(numbers.abs() <= GREATEST)


def _as_times(seconds: pd.Series) -> pd.Series:
    import numpy as np
    import pandas as pd

    values = seconds.to_numpy(dtype="float64")
    whole = np.where(np.isnan(values), 0, values).astype("int64").astype("M8[s]")
    return pd.Series(whole, index=seconds.index).where(~np.isnan(values))


def _redacted(series: pd.Series, redact: Callable[[str], str]) -> pd.Series:
    texts = {text: redact(text)[:_LONGEST_TEXT] for text in series.dropna().unique()}
    return series.map(texts, na_action="ignore").astype(object)


def write_sample(frame: pd.DataFrame, sample: TableSample, stem: Path) -> None:
    """Write a prepared frame as ``<stem>.parquet`` and what it holds as ``<stem>.json``."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    stem.parent.mkdir(parents=True, exist_ok=True)
    types = {Role.NUMBER: pa.float64(), Role.TIME: pa.timestamp("s")}
    arrays = [
        pa.array(frame[name], types.get(role, pa.string()), from_pandas=True)
        for name, role in sample.roles.items()
    ]
    table = pa.table(arrays, names=list(sample.roles))
    pq.write_table(table, stem.with_name(f"{stem.name}.parquet"))
    text = sample.model_dump_json(indent=2)
    stem.with_name(f"{stem.name}.json").write_text(text, encoding="utf-8")


def read_sample(stem: Path) -> tuple[pd.DataFrame, TableSample]:
    """Read what `write_sample` wrote. OSError or ValueError when it is not there, or torn."""
    import pyarrow.parquet as pq

    text = stem.with_name(f"{stem.name}.json").read_text(encoding="utf-8")
    sample = TableSample.model_validate_json(text)
    table = pq.read_table(stem.with_name(f"{stem.name}.parquet"))
    frame = table.to_pandas()
    for name, role in sample.roles.items():
        if role in (Role.CATEGORY, Role.TEXT):
            frame[name] = frame[name].astype(object)
    return frame, sample


def columns_of(sample: TableSample, *roles: Role) -> Iterator[str]:
    """Yield the columns that have one of the roles."""
    return (name for name, role in sample.roles.items() if role in roles)
