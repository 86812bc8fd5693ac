"""Draws rows from a file of any size in one pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mlvalidate.data.draws import Draws

if TYPE_CHECKING:
    import pyarrow as pa


class RowSample:
    """Keeps at most ``limit`` rows, each with the same chance, in their order.

    Every row gets a random number, and those with the least numbers stay.
    """

    def __init__(self, limit: int, seed: int) -> None:
        self.total = 0
        self._limit = limit
        self._draws = Draws(seed, "infer")
        self._tables: list[pa.Table] = []
        self._numbers: list[Any] = []
        self._kept = 0

    def add(self, table: pa.Table) -> None:
        """Take notice of further rows."""
        numbers = self._draws.raw(table.num_rows)
        self.total += table.num_rows
        self._tables.append(table)
        self._numbers.append(numbers)
        self._kept += table.num_rows
        if self._kept > 2 * self._limit:
            self._shrink()

    def rows(self) -> pa.Table | None:
        """Return the rows; None when there never was a table."""
        if not self._tables:
            return None
        self._shrink()
        return self._tables[0]

    def _shrink(self) -> None:
        import pyarrow as pa

        table = pa.concat_tables(self._tables, promote_options="permissive")
        numbers = np.concatenate(self._numbers)
        if len(numbers) > self._limit:
            chosen = np.sort(np.argpartition(numbers, self._limit)[: self._limit])
            table, numbers = table.take(pa.array(chosen)), numbers[chosen]
        self._tables, self._numbers, self._kept = [table], [numbers], len(numbers)
