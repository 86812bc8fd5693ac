"""Synthetic tables from declared datasets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlvalidate.core.columns import Column, ColumnType
from mlvalidate.core.datasets import Dataset
from mlvalidate.data.errors import Impossible, UnsatisfiableSchema

if TYPE_CHECKING:
    import pandas as pd

    from mlvalidate.data.draws import Values

__all__ = ["UnsatisfiableSchema", "generate"]

# What the product of the columns of a composite key is counted in: 64-bit integers.
MOST_KEYS = 2**62


def generate(dataset: Dataset, rows: int, seed: int, name: str = "") -> pd.DataFrame:
    """Return a table of exactly ``rows`` rows that satisfies ``dataset``.

    The values of a column depend on ``seed``, the dataset's ``name``, the column's name and
    declaration and ``rows`` only: other columns don't change them, and neither does the machine.
    Integers are int64 (Int64 where nulls are declared), booleans bool (boolean), floats float64,
    datetimes datetime64[us] without time zone, dates `datetime.date` objects, the rest strings or
    the declared values. `round(rows * null)` values of a column are null.

    Raises UnsatisfiableSchema, which names dataset and column, when there is no such table.
    """
    import pandas as pd

    if rows < 0:
        raise ValueError(f"rows must not be negative, got {rows}")
    source = _Source(dataset, rows, seed, name)
    keys = source.composite_key()
    columns = {column: source.series(column, keys.get(column)) for column in dataset.columns}
    return pd.DataFrame(columns, index=pd.RangeIndex(rows), columns=list(columns), copy=False)


class _Source:
    """Makes the columns of one table."""

    def __init__(self, dataset: Dataset, rows: int, seed: int, name: str) -> None:
        self._dataset, self._rows, self._seed, self._name = dataset, rows, seed, name

    def series(self, name: str, given: Values | None) -> Any:
        """Return the column ``name`` with its nulls; ``given`` are its values in a key."""
        import numpy as np

        from mlvalidate.data.draws import Draws
        from mlvalidate.data.values import distinct_values, draw_values

        column = self._dataset.columns[name]
        nulls = np.zeros(self._rows, dtype=bool)
        if column.null:
            order = Draws(self._seed, self._name, name, "nulls").order(self._rows)
            nulls[order[: round(self._rows * column.null)]] = True
        size = self._rows - int(nulls.sum())
        if given is not None:
            return _assemble(column, given, nulls)
        draws = Draws(self._seed, self._name, name, "values")
        try:
            if column.unique or self._dataset.key_columns == (name,):
                values = distinct_values(column, size, draws)
                self._check_enough((name,), len(values), size)
            else:
                values = draw_values(column, size, draws)
        except Impossible as problem:
            raise self._unsatisfiable((name,), str(problem)) from None
        return _assemble(column, values, nulls)

    def composite_key(self) -> dict[str, Values]:
        """Return values for the columns of a key of several columns, if there is one.

        Each column gets at most as many different values as there are rows, and different
        combinations of them are drawn. A column that is unique makes the key unique anyway.
        """
        names = self._dataset.key_columns
        columns = [self._dataset.columns[name] for name in names]
        if len(names) < 2 or any(column.unique for column in columns):
            return {}
        return self._combine(names)

    def _combine(self, names: tuple[str, ...]) -> dict[str, Values]:
        import numpy as np

        from mlvalidate.data.draws import Draws

        pools = {name: self._pool(name) for name in names}
        total = 1
        for name, pool in pools.items():
            pools[name] = pool[: MOST_KEYS // total]
            total *= len(pools[name])
        self._check_enough(names, total, self._rows)
        ranks = Draws(self._seed, self._name, "\x1f".join(names), "key").distinct(total, self._rows)
        combined: dict[str, Values] = {}
        for name, pool in pools.items():
            ranks, index = np.divmod(ranks, np.uint64(len(pool)))
            combined[name] = pool[index.astype(np.intp)]
        return combined

    def _pool(self, name: str) -> Values:
        from mlvalidate.data.draws import Draws
        from mlvalidate.data.values import distinct_values

        draws = Draws(self._seed, self._name, name, "values")
        try:
            return distinct_values(self._dataset.columns[name], max(self._rows, 1), draws)
        except Impossible as problem:
            raise self._unsatisfiable((name,), str(problem)) from None

    def _check_enough(self, names: tuple[str, ...], found: int, wanted: int) -> None:
        if found < wanted:
            what = "values are" if len(names) == 1 else "combinations are"
            raise self._unsatisfiable(
                names,
                f"{wanted} different {what} needed, the declaration allows {found}",
                hint="widen the declaration, or ask for fewer rows",
            )

    def _unsatisfiable(
        self, names: tuple[str, ...], problem: str, hint: str = ""
    ) -> UnsatisfiableSchema:
        dataset = f"dataset {self._name!r}, " if self._name else ""
        noun = "column" if len(names) == 1 else "key"
        where = f"{dataset}{noun} {', '.join(map(repr, names))}"
        return UnsatisfiableSchema(f"{where}: {problem}", hint)


def _assemble(column: Column, values: Values, nulls: Values) -> Any:
    """Return the non-null ``values`` and the nulls between them as a pandas array or Series."""
    import numpy as np
    import pandas as pd

    nullable = column.null > 0
    if values.dtype.kind == "M":
        values = values.astype("M8[D]" if column.type is ColumnType.DATE else "M8[us]")
        if column.type is ColumnType.DATE:
            values = values.astype(object)
    full: Values = np.zeros(len(nulls), dtype=values.dtype)
    full[~nulls] = values
    match values.dtype.kind:
        case "i" if nullable:
            return pd.arrays.IntegerArray(full, nulls)
        case "b" if nullable:
            return pd.arrays.BooleanArray(full, nulls)
        case "f":
            full[nulls] = np.nan
        case "M":
            full[nulls] = np.datetime64("NaT", "us")
        case "O":
            full[nulls] = None
    return pd.Series(full, copy=False)
