"""Whether there can be a table as a dataset declares it, without making one."""

from __future__ import annotations

from collections.abc import Iterator

from mlvalidate.core.columns import Column
from mlvalidate.core.datasets import Dataset
from mlvalidate.data.draws import Draws
from mlvalidate.data.errors import Impossible
from mlvalidate.data.values import draw_values, numbered


def impossible_columns(dataset: Dataset, rows: int) -> Iterator[tuple[str, str]]:
    """Yield columns of which ``rows`` rows can't be generated, each with the reason.

    What the columns have to do with each other only shows when a table is generated.
    """
    for name, column in dataset.columns.items():
        if column.derived or column.foreign_key:
            continue
        is_unique = column.unique or dataset.key_columns == (name,)
        try:
            _try(column, rows - round(rows * column.null) if is_unique else 0)
        except Impossible as problem:
            yield name, str(problem)


def _try(column: Column, different: int) -> None:
    """Raise Impossible where a column has no value, or not so many ``different`` ones."""
    if not different:
        draw_values(column, 1, Draws(0))
        return
    domain = numbered(column)
    if domain is not None and domain.count < different:
        raise Impossible(
            f"{different} different values are needed, the declaration allows {domain.count}"
        )
