"""Drift between the samples of outputs that two runs have kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from mlvalidate.core.columns import DriftRule
from mlvalidate.core.comparison import StepComparison, TableChange
from mlvalidate.core.quality import ColumnDrift

# Finds the sample of a table of a node: the parquet file, or None where none is kept.
FindSample = Callable[[str, TableChange], Path | None]
Key = tuple[str, str, str]


def with_drift(
    steps: Iterable[StepComparison], before: FindSample, after: FindSample
) -> tuple[StepComparison, ...]:
    """Add to each table that has changed what its samples say. All columns are judged together."""
    from mlvalidate.data.drift import judge_drift

    steps = tuple(steps)
    measured: dict[Key, tuple[ColumnDrift, ...]] = {}
    problems: dict[Key, str] = {}
    for step in steps:
        for table in step.tables:
            if table.change == "changed":
                key = step.node, table.port, table.file
                measured[key], problems[key] = _measure(
                    before(step.node, table), after(step.node, table)
                )
    names = {"\x1f".join(key): key for key in measured}
    judged = judge_drift({name: measured[key] for name, key in names.items()})
    found = {names[name]: tuple(columns) for name, columns in judged.items()}

    def completed(node: str, table: TableChange) -> TableChange:
        key = node, table.port, table.file
        changes = {"drift": found.get(key, ()), "drift_problem": problems.get(key, "")}
        return table.model_copy(update=changes)

    return tuple(
        step.model_copy(
            update={"tables": tuple(completed(step.node, table) for table in step.tables)}
        )
        for step in steps
    )


def _measure(before: Path | None, after: Path | None) -> tuple[tuple[ColumnDrift, ...], str]:
    """Return the columns that both samples have, measured, or why there are none."""
    import pandas as pd

    from mlvalidate.core.datasets import FileFormat
    from mlvalidate.data.drift import measure_column
    from mlvalidate.data.table_samples import prepare_frame

    if before is None or after is None:
        return (), "a run has kept no sample of it"
    try:
        frames = [pd.read_parquet(path) for path in (before, after)]
    except (OSError, ValueError) as error:
        return (), f"a sample can't be read: {type(error).__name__}"
    (first, then), (second, now) = (prepare_frame([each], FileFormat.PARQUET) for each in frames)
    columns = tuple(
        measure_column(name, first[name], second[name], role, DriftRule())
        for name, role in now.roles.items()
        if then.roles.get(name) is role
    )
    if columns and not any(column.is_compared for column in columns):
        return columns, columns[0].reason
    return columns, "" if columns else "the samples have no column in common"
