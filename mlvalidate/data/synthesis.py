"""Synthetic tables from declared datasets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlvalidate.core.datasets import Dataset
from mlvalidate.data.errors import Impossible, UnsatisfiableSchema

if TYPE_CHECKING:
    import pandas as pd

    from mlvalidate.data.draws import Draws, Values
    from mlvalidate.data.family import Family

__all__ = ["UnsatisfiableSchema", "generate"]

# What the product of the columns of a composite key is counted in: 64-bit integers.
MOST_KEYS = 2**62


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

    from mlvalidate.data.family import Family
    from mlvalidate.data.rules import keep_rules

    if rows < 0:
        raise ValueError(f"rows must not be negative, got {rows}")
    source = _Source(dataset, rows, seed, name, family or Family())
    columns = source.columns()
    frame = pd.DataFrame(columns, index=pd.RangeIndex(rows), columns=list(columns), copy=False)
    return keep_rules(frame, dataset, name, source.redraw)


class _Source:
    """Makes the columns of one table."""

    def __init__(self, dataset: Dataset, rows: int, seed: int, name: str, family: Family) -> None:
        self._dataset, self._rows, self._seed, self._name = dataset, rows, seed, name
        self._family = family

    def redraw(self, name: str, size: int, attempt: int) -> Values:
        """Return other values of a column, in place of ones that broke a rule."""
        from mlvalidate.data.draws import Draws
        from mlvalidate.data.values import draw_values

        draws = Draws(self._seed, self._name, name, "again", str(attempt))
        return draw_values(self._dataset.columns[name], size, draws)

    def columns(self) -> dict[str, Any]:
        """Return the columns with their nulls, as pandas arrays or Series."""
        from mlvalidate.data.assembly import assemble
        from mlvalidate.data.dependence import Arrangement, ranks_of

        keys = self.composite_key()
        label = self._dataset.label
        signal = bool(label and self._dataset.columns[label].strength)
        arrangement = Arrangement(self._dataset, self._name, self._rows, self._seed)
        columns: dict[str, Any] = {}
        drawn: dict[str, tuple[Values, Values]] = {}
        ranks: dict[str, Values] = {}
        for name, column in self._dataset.columns.items():
            if column.derived:
                columns[name] = None  # computed when all others are there
                continue
            values, filled = drawn[name] = self._cells(name, keys.get(name))
            if name == label and signal:
                columns[name] = None  # last, when the others are known
                continue
            values = arrangement.arrange(name, values, filled)
            columns[name] = assemble(column, values, ~filled)
            if signal and self._foretells(name):
                ranks[name] = _with_gaps(ranks_of(values, column), filled)
        if signal and label:
            values, filled = drawn[label]
            values = arrangement.arrange_label(values, filled, ranks)
            columns[label] = assemble(self._dataset.columns[label], values, ~filled)
        return columns

    def _foretells(self, name: str) -> bool:
        """Tell whether a model could learn from a column: texts and keys say nothing."""
        column = self._dataset.columns[name]
        is_key = name in self._dataset.key_columns or column.unique or column.derived
        is_key = is_key or column.foreign_key
        return not is_key and not column.type.is_textual and not column.type.is_nested

    def _cells(self, name: str, given: Values | None) -> tuple[Values, Values]:
        """Return the values of a column that are no nulls, and which rows have them."""
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
            return given, ~nulls
        draws = Draws(self._seed, self._name, name, "values")
        try:
            if column.foreign_key is not None:
                values = self._referred(name, size, draws)
            elif column.unique or self._dataset.key_columns == (name,):
                values = distinct_values(column, size, draws)
                self._check_enough((name,), len(values), size)
            else:
                values = draw_values(column, size, draws)
        except Impossible as problem:
            raise self._unsatisfiable((name,), str(problem)) from None
        return values, ~nulls

    def _referred(self, name: str, size: int, draws: Draws) -> Values:
        """Return values of the column to which a `foreign_key` refers."""
        import numpy as np

        column = self._dataset.columns[name]
        assert column.foreign_key is not None
        pool = self._family.values_of(column.foreign_key, self._seed)
        if column.unique or self._dataset.key_columns == (name,):
            values = pool[draws.order(len(pool))[:size]]
            self._check_enough((name,), len(values), size)
            return values
        return pool[draws.below(len(pool), size).astype(np.intp)]

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


def _with_gaps(ranks: Values, filled: Values) -> Values:
    """Return numbers for all rows; where there is no value, the middle one."""
    import numpy as np

    numbers = ranks.astype("int64") if ranks.dtype.kind == "M" else ranks
    numbers = numbers.astype(np.float64)
    full: Values = np.full(len(filled), np.median(numbers) if len(numbers) else 0.0)
    full[filled] = numbers
    return full
