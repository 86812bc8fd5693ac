"""What columns are to each other and to the table: keys, the label, correlations."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from mlvalidate.core.columns import ColumnType
from mlvalidate.data.inference.recognition import Recognised

if TYPE_CHECKING:
    from mlvalidate.data.inference.declaring import Declaration

# Below this many rows a column without repeated values may be an accident.
_FEW_ROWS = 20
_KEY_NAME = re.compile(r"(?i)(?:.*[_\W])?(?:id|uuid|guid|key|code|nr|no|number)|.*[a-z]I[dD]|index")
_LABELS = ("label", "target", "y")
# Correlations are looked for among so many rows and columns; a group of columns hangs together by
# notable ones, and within it the lesser ones count too.
_MOST_ROWS, _MOST_COLUMNS, _FEWEST_ROWS = 10_000, 200, 30
NOTABLE, LESSER = 0.3, 0.1


def find_keys(columns: Mapping[str, Recognised], declared: Mapping[str, Declaration]) -> list[str]:
    """Return columns whose values identify a row, the likeliest first."""
    found = [
        name
        for name, cells in columns.items()
        if _may_be_key(name, cells, declared[name]) and not cells.values.duplicated().any()
    ]
    return sorted(found, key=lambda name: not _KEY_NAME.fullmatch(name))


def _may_be_key(name: str, cells: Recognised, keys: Declaration) -> bool:
    if cells.type not in (ColumnType.INTEGER, ColumnType.STRING) or not len(cells.values):
        return False
    if cells.nulls or "values" in keys or "rate" in keys or keys["type"] == "text":
        return False
    if _KEY_NAME.fullmatch(name):
        return True
    if len(cells.values) < _FEW_ROWS:
        return False
    is_code = "pattern" in keys or keys.get("like") in ("uuid", "email")
    return is_code or (cells.type is ColumnType.INTEGER and _counts_rows(cells))


def _counts_rows(cells: Recognised) -> bool:
    values = cells.values
    return bool(values.iloc[0] in (0, 1) and (values.diff().dropna() == 1).all())


def loosen_key(keys: Declaration, rows: int) -> None:
    """Let a key of integers go far beyond the file: more rows need more values."""
    if keys["type"] != "integer" or "max" not in keys:
        return
    keys.pop("distribution", None)
    keys["max"] = 10 ** len(str(max(abs(keys["max"]), 100 * rows)))
    keys["min"] = min(keys["min"], 0 if keys["min"] == 0 else 1)


def find_label(declared: Mapping[str, Declaration]) -> str | None:
    """Return the column whose name says that it is the label, if exactly one does."""
    named = [name for name in declared if name.lower() in _LABELS]
    if len(named) != 1:
        return None
    keys = declared[named[0]]
    return named[0] if "rate" in keys or len(keys.get("values", ())) > 1 else None


def find_correlations(
    columns: Mapping[str, Recognised], left_out: Iterable[str]
) -> dict[str, dict[str, float]]:
    """Return column -> later column -> Spearman's rank correlation, two decimals."""
    import numpy as np
    import pandas as pd

    numbers: dict[str, Any] = {}
    for name, cells in columns.items():
        if name in left_out or not _is_ordered(cells) or len(numbers) == _MOST_COLUMNS:
            continue
        values = cells.values.iloc[:: max(len(cells.values) // _MOST_ROWS, 1)]
        if cells.type.is_temporal:
            values = values.astype("M8[us]").astype("int64").where(values.notna(), np.nan)
        numbers[name] = values.astype("float64")
    frame = pd.DataFrame(numbers)
    frame = frame.loc[:, frame.nunique() > 1]
    if frame.shape[1] < 2:
        return {}
    matrix = frame.corr(method="spearman", min_periods=_FEWEST_ROWS).fillna(0.0)
    return _notable(matrix)


def _is_ordered(cells: Recognised) -> bool:
    return cells.type.is_number or cells.type.is_temporal or cells.type is ColumnType.BOOLEAN


def _notable(matrix: Any) -> dict[str, dict[str, float]]:
    names = list(matrix.columns)
    values = matrix.to_numpy()
    group = list(range(len(names)))
    for i in range(len(names)):
        for j in range(i):
            if abs(values[i, j]) >= NOTABLE and group[i] != group[j]:
                group = [group[j] if each == group[i] else each for each in group]
    found: dict[str, dict[str, float]] = {}
    for i, name in enumerate(names):
        for j in range(i + 1, len(names)):
            if group[i] == group[j] and abs(values[i, j]) >= LESSER:
                found.setdefault(name, {})[names[j]] = round(float(values[i, j]), 2)
    return found
