"""What reports are to be rendered: an order per table, and which columns fit into the budget."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mlvalidate.core.datasets import Dataset
from mlvalidate.core.model import Model
from mlvalidate.core.quality import ColumnDrift
from mlvalidate.data.table_samples import TableSample

# Each HTML file has about 4 MB.
MOST_REPORTS = 10


class ReportOrder(Model):
    """One report. ``sample``, ``reference`` and ``target`` are paths without ending.

    ``columns`` are those to show, ``over_budget`` those that there was no room for.
    """

    node: str
    port: str
    table: str
    sample: Path
    target: Path
    reference: Path | None = None
    reference_name: str = ""
    columns: tuple[str, ...]
    over_budget: tuple[str, ...] = ()
    verdicts: tuple[ColumnDrift, ...] = ()


class ReportPlan(Model):
    """The reports of a run, in the order in which they are rendered."""

    orders: tuple[ReportOrder, ...]


def share_budget(sizes: Sequence[int], budget: int) -> list[int]:
    """Return how many columns each table may show: the widest give first; each keeps one."""
    least, most = 1, max(sizes, default=1)
    while least < most:
        middle = (least + most + 1) // 2
        fits = sum(min(size, middle) for size in sizes) <= budget
        least, most = (middle, most) if fits else (least, middle - 1)
    return [min(size, least) for size in sizes]


def most_telling(
    sample: TableSample,
    dataset: Dataset | None,
    verdicts: Sequence[ColumnDrift],
    null_shares: dict[str, float],
    most: int,
) -> tuple[str, ...]:
    """Return the columns to show, in the table's order.

    Drifted ones come first, then the label, those that were compared, those with the most missing
    values, those with the most declared about them.
    """
    drifted = {column.column for column in verdicts if column.has_drifted}
    compared = {column.column for column in verdicts if column.is_compared}
    declared = dataset.columns if dataset else {}
    keys = dataset.key_columns if dataset else ()

    def rank(name: str) -> tuple[bool, bool, bool, bool, float, int]:
        column = declared.get(name)
        constraints = len(column.model_fields_set) if column else 0
        is_label = bool(column and column.label)
        identifies = name in keys or bool(column and column.unique)
        return (
            name in drifted,
            is_label,
            not identifies,
            name in compared,
            null_shares.get(name, 0.0),
            constraints,
        )

    chosen = set(sorted(sample.roles, key=rank, reverse=True)[:most])
    return tuple(name for name in sample.roles if name in chosen)
