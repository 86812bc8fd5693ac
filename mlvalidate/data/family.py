"""The datasets of a project, for columns that refer to each other's values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mlvalidate.core.datasets import Dataset
from mlvalidate.data.draws import Values
from mlvalidate.data.errors import Impossible


@dataclass(frozen=True)
class Family:
    """All datasets by name. ``rows`` replaces their own number of rows.

    ``values`` remembers what has been looked up, by dataset and column.
    """

    datasets: Mapping[str, Dataset] = field(default_factory=dict)
    rows: int | None = None
    _values: dict[tuple[str, str, int], Values] = field(default_factory=dict, compare=False)

    def values_of(self, reference: str, seed: int) -> Values:
        """Return the different values of ``dataset.column`` as they are generated.

        Raises Impossible when there is no such column, or no value in it.
        """
        from mlvalidate.data.synthesis import generate

        name, _, column = reference.partition(".")
        dataset = self.datasets.get(name)
        if dataset is None or column not in dataset.columns:
            raise Impossible(f"`foreign_key`: there is no {reference}")
        place = (name, column, seed)
        if place not in self._values:
            frame = generate(dataset, self.rows or dataset.rows, seed, name, self)
            self._values[place] = frame[column].dropna().drop_duplicates().to_numpy()
        values = self._values[place]
        if not len(values):
            raise Impossible(f"`foreign_key`: {reference} has no value")
        return values
