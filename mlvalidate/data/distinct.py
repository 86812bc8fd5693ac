"""Different values of a column for tables in parts: some more on each call, none ever again."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from mlvalidate.core.columns import Column
from mlvalidate.data.draws import Domain, Draws, Stratum, Values
from mlvalidate.data.strings import LOOKS_MISSING, PATIENCE
from mlvalidate.data.values import draw_evenly, numbered


class DistinctValues:
    """``total`` different values of a column, in random order or in that of `monotone`.

    Values that can be numbered are taken by a permutation of their numbers, so nothing has to be
    remembered. Of others a hash of 8 bytes each is. ``names`` tell the draws apart. Raises
    Impossible where the column has no different values.
    """

    def __init__(self, column: Column, total: int, seed: int, *names: str) -> None:
        self._column, self._total, self._seed, self._names = column, total, seed, names
        self._domain: Domain | None = numbered(column)
        self._draws = Draws(seed, *names)
        self._next = 0
        if self._domain is not None:
            self._permutation = self._draws.permutation(self._domain.count)
        is_exact = self._domain is not None and self._domain.is_exact
        self._seen = None if is_exact else _Seen()
        self._odd: list[Any] = []

    @property
    def count(self) -> int:
        """How many different values there can be at most; ``total`` when nobody knows."""
        return self._total if self._domain is None else self._domain.count

    def take(self, share: range) -> Values:
        """Return the values of ``share``, the numbers of its rows among all that have one.

        Fewer when there are no more.
        """
        found: list[Values] = []
        missing, patience = len(share), PATIENCE
        while missing > 0 and patience > 0:
            made = self._in_order(share, missing) if self._column.monotone else self._more(missing)
            if not len(made):
                break
            made = made[self._are_new(made)]
            found.append(made)
            missing -= len(made)
            patience = PATIENCE if len(made) else patience - 1
        if missing > 0 and self._odd:
            found.append(np.array(self._odd[:missing], dtype=object))
            self._odd = self._odd[missing:]
        return np.concatenate(found) if found else self._more(0)

    def _more(self, size: int) -> Values:
        if self._domain is None:
            return draw_evenly(self._column, size, self._draws)
        end = min(self._next + size, self._domain.count)
        ranks = np.arange(self._next, end, dtype=np.uint64)
        self._next = end
        return self._domain.at(self._permutation(ranks))

    def _in_order(self, share: range, size: int) -> Values:
        """Return values out of the slice of all values that belongs to ``share``."""
        if self._column.monotone == "decreasing":
            share = range(self._total - share.stop, self._total - share.start)
        if self._domain is None:
            names = (*self._names, str(share.start), str(size))
            stratum = Stratum(share.start, share.stop, self._total, self._seed, *names)
            return draw_evenly(self._column, size, stratum)
        low, high = (self._domain.count * end // self._total for end in (share.start, share.stop))
        ranks = self._draws.distinct(high - low, min(size, high - low)) + np.uint64(low)
        return self._domain.at(ranks)

    def _are_new(self, values: Values) -> npt.NDArray[np.bool_]:
        if values.dtype.kind != "O":
            return (
                np.ones(len(values), dtype=bool) if self._seen is None else self._seen.add(values)
            )
        odd = np.fromiter((value in _ODD for value in values), dtype=bool, count=len(values))
        new = ~odd if self._seen is None else self._seen.add(values) & ~odd
        self._odd = list(dict.fromkeys([*self._odd, *values[odd]]))
        return new


_ODD = frozenset(LOOKS_MISSING)


class _Seen:
    """Hashes of values; two values with one hash count as the same, and one of them is left out."""

    def __init__(self) -> None:
        self._hashes = np.zeros(0, dtype=np.uint64)

    def add(self, values: Values) -> npt.NDArray[np.bool_]:
        """Return which values were not there before, and remember them."""
        import pandas as pd

        hashes = pd.util.hash_array(values, categorize=False)
        new = np.zeros(len(values), dtype=bool)
        new[np.unique(hashes, return_index=True)[1]] = True
        places = np.searchsorted(self._hashes, hashes)
        inside = places < len(self._hashes)
        new[inside] &= self._hashes[places[inside]] != hashes[inside]
        # Two sorted runs: the stable sort merges them.
        self._hashes = np.sort(np.append(self._hashes, np.sort(hashes[new])), kind="stable")
        return new
