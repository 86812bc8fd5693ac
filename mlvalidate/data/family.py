"""The datasets of a project, for columns that refer to each other's values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from mlvalidate.core.datasets import Dataset
from mlvalidate.data.draws import Draws, Values
from mlvalidate.data.errors import Impossible


class Pool(Protocol):
    """Different values by their numbers, from 0 on."""

    def __len__(self) -> int: ...

    def __getitem__(self, ranks: Any, /) -> Values: ...


class Shuffled:
    """``size`` values of a pool in random order, which is computed and not kept."""

    def __init__(self, pool: Pool, size: int, draws: Draws) -> None:
        self._pool, self._size = pool, min(size, len(pool))
        self._permutation = draws.permutation(len(pool))

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, ranks: Any, /) -> Values:
        return self._pool[self._permutation(ranks.astype("uint64")).astype("intp")]


class _Packed:
    """Values as Arrow keeps them: texts take a tenth of what Python needs."""

    def __init__(self, array: Any) -> None:
        self._array = array

    def __len__(self) -> int:
        return len(self._array)

    def __getitem__(self, ranks: Any, /) -> Values:
        values: Values = self._array.take(ranks).to_numpy(zero_copy_only=False)
        return values


@dataclass(frozen=True)
class Family:
    """All datasets by name. ``rows`` replaces their own number of rows.

    ``values`` remembers what has been looked up, by dataset and column.
    """

    datasets: Mapping[str, Dataset] = field(default_factory=dict)
    rows: int | None = None
    _values: dict[tuple[str, str, int], Pool] = field(default_factory=dict, compare=False)

    def values_of(self, reference: str, seed: int) -> Pool:
        """Return the different values of ``dataset.column`` as they are generated.

        Raises Impossible when there is no such column, or no value in it.
        """
        name, _, column = reference.partition(".")
        dataset = self.datasets.get(name)
        if dataset is None or column not in dataset.columns:
            raise Impossible(f"`foreign_key`: there is no {reference}")
        place = (name, column, seed)
        if place not in self._values:
            self._values[place] = self._look_up(dataset, name, column, seed)
        values = self._values[place]
        if not len(values):
            raise Impossible(f"`foreign_key`: {reference} has no value")
        return values

    def _look_up(self, dataset: Dataset, name: str, column: str, seed: int) -> Pool:
        import pyarrow as pa

        from mlvalidate.data.arrow_tables import to_arrow
        from mlvalidate.data.synthesis import generate_parts

        rows = self.rows or dataset.rows
        parts = generate_parts(_only(dataset, column), rows, seed, name, self)
        first = next(parts)[column].dropna().drop_duplicates()
        packed = [to_arrow(part[column].dropna().drop_duplicates()) for part in parts]
        if not packed:
            values: Pool = first.to_numpy()
            return values
        whole = pa.chunked_array([to_arrow(first), *packed]).unique()
        if pa.types.is_string(whole.type):  # more than 2 GB of texts need larger offsets
            whole = whole.cast(pa.large_string())
        return _Packed(whole.combine_chunks() if isinstance(whole, pa.ChunkedArray) else whole)


def _only(dataset: Dataset, column: str) -> Dataset:
    """Return the dataset with the one column where its values do not depend on any other."""
    keys = dataset.columns[column]
    is_unique = keys.unique or dataset.key_columns == (column,)
    is_correlated = any(column in (one, *others) for one, others in dataset.correlations.items())
    if not is_unique or keys.derived or keys.label or is_correlated:
        return dataset
    alone = {"columns": {column: keys}, "key": column, "rules": (), "correlations": {}}
    return dataset.model_copy(update=alone)
