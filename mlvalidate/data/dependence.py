"""Puts the values of columns in such an order that they depend on each other as declared.

Every column keeps its values: they only change rows (Iman and Conover's method), so shares, bounds
and quantiles stay exact, whatever the columns have to do with each other.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from mlvalidate.core.columns import Column
from mlvalidate.core.datasets import Dataset
from mlvalidate.data.distributions import normal_scores
from mlvalidate.data.draws import Draws, Values

Floats = npt.NDArray[np.float64]
Order = npt.NDArray[np.intp]

# How far correlations that no table can have are shrunk at once.
_SHRINKAGE = 0.98


class Arrangement:
    """In which order the values of each column stand, before nulls come between them."""

    def __init__(
        self, dataset: Dataset, name: str, rows: int, seed: int, part: tuple[str, ...] = ()
    ) -> None:
        self._dataset, self._rows, self._part = dataset, rows, part
        self._seed, self._name = seed, name
        self._scores = self._correlated_scores()

    def arrange(self, column: str, values: Values, filled: npt.NDArray[np.bool_]) -> Values:
        """Return the values in the rows that they belong to; ``filled`` has True for those rows."""
        declared = self._dataset.columns[column]
        if declared.monotone is not None:
            ordered = values[ascending(values, declared)]
            return ordered if declared.monotone == "increasing" else ordered[::-1]
        scores = self._scores.get(column)
        return values if scores is None else by_scores(values, scores[filled], declared)

    def arrange_label(
        self, values: Values, filled: npt.NDArray[np.bool_], others: Mapping[str, Values]
    ) -> Values:
        """Return the label's values so that ``others``, by their order in each row, foretell them.

        The label's ``strength`` is the weight of what they say; the rest is chance.
        """
        label = self._dataset.label or ""
        declared = self._dataset.columns[label]
        told = np.zeros(self._rows)
        for name, ranks in others.items():
            weight = self._weight_for(declared, name)
            if weight:
                told = told + weight * standardised(ranks)
        told = standardised(told)
        chance = normal_scores(self._draws(label, "chance", *self._part).uniform(self._rows))
        strength = declared.strength
        scores = strength * told + math.sqrt(1 - strength * strength) * chance
        return by_scores(values, scores[filled], declared)

    def _weight_for(self, label: Column, name: str) -> float:
        """Return how much a column speaks for the label, or, below 0, against it."""
        if isinstance(label.signal, dict):
            return label.signal.get(name, 0.0)
        return 1.0 if self._draws(name, "signal").below(2, 1)[0] else -1.0

    def _draws(self, *names: str) -> Draws:
        return Draws(self._seed, self._name, *names)

    def _correlated_scores(self) -> dict[str, Floats]:
        """Return for each correlated column a score per row; their ranks correlate as declared."""
        names = self._correlated()
        if not names or not self._rows:
            return {}
        factor = cholesky(self._matrix(names))
        base = (np.arange(self._rows) + 0.5) / self._rows
        plain = normal_scores(base)
        independent = [
            plain[self._draws(name, "score", *self._part).order(self._rows)] for name in names
        ]
        first = self._dataset.columns[names[0]].monotone
        if first is not None:  # its values are in order: the others follow the rows
            independent[0] = plain if first == "increasing" else plain[::-1]
        scores: dict[str, Floats] = {}
        for i, name in enumerate(names):
            total = np.zeros(self._rows)
            for j in range(i + 1):
                total = total + factor[i][j] * independent[j]
            scores[name] = total
        return scores

    def _correlated(self) -> list[str]:
        """Return the correlated columns, those in order first; parts of a key keep their rows."""
        correlations = self._dataset.correlations
        named = {*correlations, *(other for others in correlations.values() for other in others)}
        composite = set(self._dataset.key_columns) if len(self._dataset.key_columns) > 1 else set()
        names = [name for name in self._dataset.columns if name in named - composite]
        return sorted(names, key=lambda name: self._dataset.columns[name].monotone is None)

    def _matrix(self, names: Sequence[str]) -> list[list[float]]:
        """Return the correlations that normal scores need for ranks to have the declared ones."""
        place = {name: index for index, name in enumerate(names)}
        matrix = [[float(i == j) for j in range(len(names))] for i in range(len(names))]
        for name, others in self._dataset.correlations.items():
            for other, value in others.items():
                if name in place and other in place:
                    needed = round(2 * math.sin(math.pi * value / 6), 12)
                    matrix[place[name]][place[other]] = needed
                    matrix[place[other]][place[name]] = needed
        return matrix


def by_scores(values: Values, scores: Floats, column: Column) -> Values:
    """Return the values such that the least stands where the least score is, and so on."""
    arranged = np.empty_like(values)
    arranged[np.argsort(scores, kind="stable")] = values[ascending(values, column)]
    return arranged


def ascending(values: Values, column: Column) -> Order:
    """Return the order from the least value to the greatest; categories as they are declared."""
    return np.argsort(ranks_of(values, column), kind="stable")


def ranks_of(values: Values, column: Column) -> Values:
    """Return something that compares as the values do, and fast."""
    if values.dtype.kind != "O":
        return values
    if column.values is not None:
        places = {value: place for place, value in enumerate(column.weights)}
        return np.fromiter((places[value] for value in values), dtype=np.intp, count=len(values))
    return np.array(values.tolist())


def standardised(values: Values) -> Floats:
    """Return normal scores of the ranks; equal values share one."""
    found, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    if len(found) < 2:
        return np.zeros(len(values))
    middle = np.cumsum(counts) - counts / 2
    return normal_scores(middle / len(values))[places.reshape(-1)]


def cholesky(matrix: list[list[float]]) -> list[list[float]]:
    """Return the lower triangle whose square is the matrix, or the nearest of weaker correlations.

    In plain Python: linear algebra libraries add in an order of their own on every machine.
    """
    scale = 1.0
    while True:
        found = _triangle(matrix, scale)
        if found is not None:
            return found
        scale *= _SHRINKAGE


def _triangle(matrix: list[list[float]], scale: float) -> list[list[float]] | None:
    size = len(matrix)
    lower = [[0.0] * size for _ in range(size)]
    for i in range(size):
        for j in range(i + 1):
            value = matrix[i][j] if i == j else scale * matrix[i][j]
            for k in range(j):
                value -= lower[i][k] * lower[j][k]
            if i == j:
                if value < 1e-9:
                    return None
                lower[i][i] = math.sqrt(value)
            else:
                lower[i][j] = value / lower[j][j]
    return lower
