"""The cells of a table column by column: values and nulls, for each part of its rows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mlvalidate.core.datasets import Dataset
from mlvalidate.data.dependence import ascending
from mlvalidate.data.distinct import DistinctValues
from mlvalidate.data.draws import Draws, Ranks, Stratum, Values
from mlvalidate.data.errors import Impossible, UnsatisfiableSchema
from mlvalidate.data.family import Family, Pool, Shuffled
from mlvalidate.data.parts import ROWS_AT_ONCE, Part, apportion, fill_in_order, parts_of
from mlvalidate.data.values import distinct_values, draw_values, numbered, value_counts

# What the product of the columns of a composite key is counted in: 64-bit integers.
MOST_KEYS = 2**62


class Cells:
    """Draws the columns of one table of ``rows`` rows.

    The parts of a table are asked for in order: different values remember which came before.
    """

    def __init__(self, dataset: Dataset, rows: int, seed: int, name: str, family: Family) -> None:
        self._dataset, self._rows, self._seed, self._name = dataset, rows, seed, name
        self._family = family
        self._distinct: dict[str, DistinctValues] = {}
        self._counts: dict[str, list[list[int]]] = {}
        self._key_pools: dict[str, Pool] = {}

    def of(self, name: str, part: Part) -> tuple[Values, npt.NDArray[np.bool_]]:
        """Return a column's values that are no nulls, and which rows of the part have them.

        Not of the columns of a key of several columns. Raises UnsatisfiableSchema.
        """
        column = self._dataset.columns[name]
        nulls = np.zeros(part.size, dtype=bool)
        all_nulls = round(self._rows * column.null)
        share = part.share_of(all_nulls)
        if share:
            order = self._draws(name, "nulls", *part.names).order(part.size)
            nulls[order[: len(share)]] = True
        filled = range(part.start - share.start, part.start + part.size - share.stop)
        try:
            return self._values(name, part, filled, self._rows - all_nulls), ~nulls
        except Impossible as problem:
            raise self.unsatisfiable((name,), str(problem)) from None

    def redraw(self, name: str, size: int, attempt: int, part: Part) -> Values:
        """Return other values of a column, in place of ones that broke a rule."""
        draws = self._draws(name, "again", str(attempt), *part.names)
        return draw_values(self._dataset.columns[name], size, draws)

    def _draws(self, *names: str) -> Draws:
        return Draws(self._seed, self._name, *names)

    def _values(self, name: str, part: Part, share: range, total: int) -> Values:
        """Return the values with the numbers ``share`` among all ``total`` of the column."""
        column, size = self._dataset.columns[name], len(share)
        is_unique = column.unique or self._dataset.key_columns == (name,)
        draws = self._draws(name, "values", *part.names)
        if column.foreign_key is not None:
            return self._referred(name, part, share, total, is_unique)
        if is_unique and part.count == 1:
            values = distinct_values(column, size, draws)
            self._check_enough((name,), len(values), size)
            return values
        if is_unique:
            return self._more_distinct(name, share, total)
        if part.count == 1:
            return draw_values(column, size, draws)
        if column.monotone:
            low, high = share.start, share.stop
            if column.monotone == "decreasing":
                low, high = total - high, total - low
            draws = Stratum(low, high, total, self._seed, self._name, name, "values", *part.names)
        return draw_values(column, size, draws, self._counts_in(name, part, total))

    def _counts_in(self, name: str, part: Part, total: int) -> list[int]:
        """Return how often each of the `values`, or of false and true, occurs in the part."""
        column = self._dataset.columns[name]
        whole = value_counts(column, total)
        if not whole:
            return whole
        if name not in self._counts:
            nulls = self._rows - total
            sizes = [each.size - len(each.share_of(nulls)) for each in parts_of(self._rows)]
            if column.monotone is None:
                self._counts[name] = apportion(whole, sizes)
            else:
                ordered = sorted(column.weights or (0, 1), key=float)
                places = [list(column.weights or (0, 1)).index(value) for value in ordered]
                if column.monotone == "decreasing":
                    places.reverse()
                split = fill_in_order([whole[place] for place in places], sizes)
                self._counts[name] = [
                    [counts[places.index(i)] for i in range(len(whole))] for counts in split
                ]
        return self._counts[name][part.index]

    def _more_distinct(self, name: str, share: range, total: int) -> Values:
        if name not in self._distinct:
            column = self._dataset.columns[name]
            names = (self._name, name, "distinct")
            self._distinct[name] = DistinctValues(column, total, self._seed, *names)
            self._check_enough((name,), self._distinct[name].count, total)
        values = self._distinct[name].take(share)
        self._check_enough((name,), share.start + len(values), share.stop)
        return values

    def _referred(self, name: str, part: Part, share: range, total: int, is_unique: bool) -> Values:
        """Return values of the column to which a `foreign_key` refers."""
        column = self._dataset.columns[name]
        assert column.foreign_key is not None
        pool = self._family.values_of(column.foreign_key, self._seed)
        if not is_unique:
            draws = self._draws(name, "values", *part.names)
            return pool[draws.below(len(pool), len(share)).astype(np.intp)]
        self._check_enough((name,), len(pool), total)
        draws = self._draws(name, "values")
        if part.count == 1:
            return pool[draws.order(len(pool))[:total]]
        return Shuffled(pool, len(pool), draws)[np.arange(share.start, share.stop)]

    def composite_key(self, part: Part) -> dict[str, Values]:
        """Return values for the columns of a key of several columns, if there is one.

        Each column gets at most as many different values as there are rows, and different
        combinations of them are drawn. A column that is unique makes the key unique anyway.
        """
        names = self._dataset.key_columns
        columns = [self._dataset.columns[name] for name in names]
        if len(names) < 2 or any(column.unique for column in columns):
            return {}
        total = 1
        pools: dict[str, tuple[Pool, int]] = {}
        for name in names:
            pool = self._key_pool(name)
            size = min(len(pool), MOST_KEYS // total)
            pools[name] = pool, size
            total *= size
        self._check_enough(names, total, self._rows)
        ranks = self._key_ranks(names, total, part)
        combined: dict[str, Values] = {}
        for name, (pool, size) in pools.items():
            ranks, index = np.divmod(ranks, np.uint64(size))
            combined[name] = pool[index.astype(np.intp)]
        for name in names:
            if self._dataset.columns[name].monotone:  # rows move, so that combinations stay
                combined = self._in_order(combined, name, part)
        return combined

    def _in_order(self, combined: dict[str, Values], name: str, part: Part) -> dict[str, Values]:
        if part.count > 1:
            raise self.unsatisfiable(
                self._dataset.key_columns,
                f"it has a column in order, {name!r}: at most {ROWS_AT_ONCE} rows can be generated",
            )
        order = ascending(combined[name], self._dataset.columns[name])
        if self._dataset.columns[name].monotone == "decreasing":
            order = order[::-1]
        return {column: values[order] for column, values in combined.items()}

    def _key_ranks(self, names: tuple[str, ...], total: int, part: Part) -> Ranks:
        draws = self._draws("\x1f".join(names), "key")
        if part.count == 1:
            return draws.distinct(total, self._rows)
        rows = np.arange(part.start, part.start + part.size, dtype=np.uint64)
        return draws.permutation(total)(rows)

    def _key_pool(self, name: str) -> Pool:
        """Return the different values of a column of the key, at most as many as rows."""
        if name not in self._key_pools:
            try:
                self._key_pools[name] = self._make_key_pool(name)
            except Impossible as problem:
                raise self.unsatisfiable((name,), str(problem)) from None
        return self._key_pools[name]

    def _make_key_pool(self, name: str) -> Pool:
        column, draws = self._dataset.columns[name], self._draws(name, "values")
        most, parts = max(self._rows, 1), parts_of(self._rows)
        if column.foreign_key is not None:
            pool = self._family.values_of(column.foreign_key, self._seed)
            return Shuffled(pool, most, draws)
        if len(parts) == 1:
            return distinct_values(column, most, draws)
        domain = numbered(column)
        if domain is not None and domain.is_exact:
            return Shuffled(domain, most, draws)
        return distinct_values(column, parts[0].size, draws)

    def _check_enough(self, names: tuple[str, ...], found: int, wanted: int) -> None:
        if found < wanted:
            what = "values are" if len(names) == 1 else "combinations are"
            raise self.unsatisfiable(
                names,
                f"{wanted} different {what} needed, the declaration allows {found}",
                hint="widen the declaration, or ask for fewer rows",
            )

    def unsatisfiable(
        self, names: tuple[str, ...], problem: str, hint: str = ""
    ) -> UnsatisfiableSchema:
        """Return an error that names dataset and column, or the columns of the key."""
        dataset = f"dataset {self._name!r}, " if self._name else ""
        noun = "column" if len(names) == 1 else "key"
        where = f"{dataset}{noun} {', '.join(map(repr, names))}"
        return UnsatisfiableSchema(f"{where}: {problem}", hint)
