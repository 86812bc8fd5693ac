"""The strings of a regular expression, counted, numbered and spelled out by the thousand.

Strings are rows of a matrix of code points in which 0 stands for "no character here". Every node
knows how many strings it stands for (``count``, an ambiguous expression counts some twice), their
greatest length (``width``), how to spell the strings of given numbers and how to draw some.
"""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from mlvalidate.data.draws import Draws, Ranks
from mlvalidate.data.errors import Impossible

Matrix = npt.NDArray[np.uint32]

# Numbers of strings are 64-bit integers; larger languages are drawn from, not numbered, and all of
# them count as INNUMERABLE.
MOST_NUMBERED = 2**62
INNUMERABLE = MOST_NUMBERED + 1

# Taking a language apart by length nests one language per repetition.
MOST_VARYING_REPEATS = 200


class Language(ABC):
    """A finite set of strings."""

    count: int
    width: int
    # All strings have `width` characters.
    is_even = False
    # No string is counted twice, as far as its parts show.
    is_exact = False

    @abstractmethod
    def spell(self, ranks: Ranks) -> Matrix:
        """Return the strings with these numbers; ``count`` is at most MOST_NUMBERED."""

    @abstractmethod
    def draw(self, size: int, draws: Draws) -> Matrix:
        """Return random strings: every branch and every repetition is equally likely."""

    @abstractmethod
    def by_length(self, most: int) -> Mapping[int, Language]:
        """Return the language taken apart by the length of its strings, up to ``most``."""


class Characters(Language):
    """One character out of a class."""

    width = 1
    is_even = is_exact = True

    def __init__(self, codes: Sequence[int]) -> None:
        self.codes = np.array(codes, dtype=np.uint32)
        self.count = len(codes)

    def spell(self, ranks: Ranks) -> Matrix:
        return self.codes[ranks.astype(np.intp)][:, None]

    def draw(self, size: int, draws: Draws) -> Matrix:
        return self.spell(draws.below(self.count, size))

    def by_length(self, most: int) -> Mapping[int, Language]:
        return {1: self} if most >= 1 else {}


class Chain(Language):
    """One part after another."""

    def __init__(self, parts: Sequence[Language]) -> None:
        self.parts = tuple(parts)
        self.count = 1
        for part in self.parts:
            self.count = min(self.count * part.count, INNUMERABLE)
        self.width = sum(part.width for part in self.parts)
        self.is_even = all(part.is_even for part in self.parts)
        self.is_exact = all(part.is_exact for part in self.parts) and (
            sum(not part.is_even for part in self.parts) < 2
        )

    def spell(self, ranks: Ranks) -> Matrix:
        spelled: list[Matrix] = []
        for part in reversed(self.parts):
            ranks, digit = np.divmod(ranks, np.uint64(part.count))
            spelled.append(part.spell(digit))
        return _side_by_side(spelled[::-1], len(ranks))

    def draw(self, size: int, draws: Draws) -> Matrix:
        return _side_by_side([part.draw(size, draws) for part in self.parts], size)

    def by_length(self, most: int) -> Mapping[int, Language]:
        lengths: Mapping[int, Language] = {0: Chain(())}
        for part in self.parts:
            lengths = _append(lengths, part.by_length(most), most)
        return lengths


class Choice(Language):
    """One of several branches."""

    def __init__(self, branches: Sequence[Language]) -> None:
        self.branches = tuple(branches)
        self.count = min(sum(branch.count for branch in self.branches), INNUMERABLE)
        self.width = max(branch.width for branch in self.branches)

    def spell(self, ranks: Ranks) -> Matrix:
        ends = list(itertools.accumulate(branch.count for branch in self.branches))
        chosen = np.searchsorted(np.array(ends, dtype=np.uint64), ranks, side="right")
        matrix = np.zeros((len(ranks), self.width), dtype=np.uint32)
        for index, branch in enumerate(self.branches):
            rows = chosen == index
            start = np.uint64(ends[index] - branch.count)
            matrix[rows, : branch.width] = branch.spell(ranks[rows] - start)
        return matrix

    def draw(self, size: int, draws: Draws) -> Matrix:
        chosen = draws.below(len(self.branches), size)
        matrix = np.zeros((size, self.width), dtype=np.uint32)
        for index, branch in enumerate(self.branches):
            rows = chosen == index
            matrix[rows, : branch.width] = branch.draw(int(rows.sum()), draws)
        return matrix

    def by_length(self, most: int) -> Mapping[int, Language]:
        return _merge(
            (length, language)
            for branch in self.branches
            for length, language in branch.by_length(most).items()
        )


class Repeat(Language):
    """One part, ``least`` to ``most`` times."""

    def __init__(self, part: Language, least: int, most: int) -> None:
        self.part, self.least, self.most = part, least, most
        self.width = most * part.width
        self.is_even = least == most and part.is_even
        self.is_exact = part.is_exact and part.is_even and part.width > 0
        if part.count == 1:
            self.count = most - least + 1
        elif most > MOST_NUMBERED.bit_length():
            self.count = INNUMERABLE
        else:
            self.count = min(sum(self._counts()), INNUMERABLE)

    def _counts(self) -> list[int]:
        return [self.part.count**times for times in range(self.least, self.most + 1)]

    def spell(self, ranks: Ranks) -> Matrix:
        ends = np.array(list(itertools.accumulate(self._counts())), dtype=np.uint64)
        starts = np.concatenate([np.zeros(1, dtype=np.uint64), ends[:-1]])
        extra = np.searchsorted(ends, ranks, side="right")
        ranks = ranks - starts[extra]
        spelled: list[Matrix] = []
        for index in range(self.most):
            ranks, digit = np.divmod(ranks, np.uint64(self.part.count))
            matrix = self.part.spell(digit)
            matrix[extra + self.least <= index] = 0
            spelled.append(matrix)
        return _side_by_side(spelled, len(ranks))

    def draw(self, size: int, draws: Draws) -> Matrix:
        times = self.least + draws.below(self.most - self.least + 1, size).astype(np.intp)
        matrix = self.part.draw(size * self.most, draws).reshape(size, self.width)
        if self.least < self.most:
            matrix[np.arange(self.width) >= (times * self.part.width)[:, None]] = 0
        return matrix

    def by_length(self, most: int) -> Mapping[int, Language]:
        part = self.part.by_length(most)
        if len(part) == 1 and 0 not in part:
            ((length, same),) = part.items()
            greatest = min(self.most, most // length)
            return {
                times * length: Repeat(same, times, times)
                for times in range(self.least, greatest + 1)
            }
        if self.most > MOST_VARYING_REPEATS:
            raise Impossible(
                f"`length` beside more than {MOST_VARYING_REPEATS} repetitions of a part"
                " that varies in length can't be generated"
            )
        lengths: Mapping[int, Language] = {0: Chain(())}
        found: list[tuple[int, Language]] = []
        for times in range(self.most + 1):
            if times >= self.least:
                found.extend(lengths.items())
            lengths = _append(lengths, part, most)
            if not lengths:
                break
        return _merge(found)


def _side_by_side(parts: list[Matrix], size: int) -> Matrix:
    empty = np.zeros((size, 0), dtype=np.uint32)
    return np.concatenate([empty, *parts], axis=1)


def _append(
    left: Mapping[int, Language], right: Mapping[int, Language], most: int
) -> Mapping[int, Language]:
    return _merge(
        (first + second, Chain((head, tail)))
        for first, head in left.items()
        for second, tail in right.items()
        if first + second <= most
    )


def _merge(found: Iterable[tuple[int, Language]]) -> Mapping[int, Language]:
    branches: dict[int, list[Language]] = {}
    for length, language in found:
        branches.setdefault(length, []).append(language)
    return {
        length: same[0] if len(same) == 1 else Choice(same) for length, same in branches.items()
    }
