"""Seeded randomness that is the same on every machine, Python and numpy.

Only the raw output of PCG64 is used: numpy keeps that stream for ever, while its distributions
may change between releases, and transcendental functions differ in the last bit between CPUs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Ranks = npt.NDArray[np.uint64]
Values = npt.NDArray[Any]

# Below four times the wanted number it is cheaper to shuffle the whole range than to redraw.
SPARSE = 4
# Of a permutation that is not kept in memory.
_ROUNDS = 6
_MULTIPLIER = np.uint64(0xBF58476D1CE4E5B9)


class Draws:
    """A stream of random numbers that belongs to a seed and a few names."""

    def __init__(self, seed: int, *names: str) -> None:
        text = "\x1f".join((str(seed), *names))
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
        self._bits = np.random.PCG64(int.from_bytes(digest[:16], "big"))

    def raw(self, count: int) -> Ranks:
        """Return ``count`` numbers of 64 random bits."""
        return np.asarray(self._bits.random_raw(count), dtype=np.uint64)

    def uniform(self, count: int) -> npt.NDArray[np.float64]:
        """Return ``count`` floats from 0 up to, but not including, 1."""
        return (self.raw(count) >> np.uint64(11)).astype(np.float64) * 2.0**-53

    def below(self, limit: int, count: int) -> Ranks:
        """Return ``count`` whole numbers from 0 to ``limit`` - 1; ``limit`` is at most 2**64."""
        raw = self.raw(count)
        if limit <= 2**32:
            return ((raw >> np.uint64(32)) * np.uint64(limit)) >> np.uint64(32)
        return raw if limit == 2**64 else raw % np.uint64(limit)

    def order(self, count: int) -> npt.NDArray[np.intp]:
        """Return the numbers 0 to ``count`` - 1 in random order."""
        raw = self.raw(count)
        order = np.argsort(raw)  # several times faster than a stable sort
        ordered = raw[order]
        if (ordered[1:] == ordered[:-1]).any():
            return np.argsort(raw, kind="stable")
        return order

    def distinct(self, limit: int, count: int) -> Ranks:
        """Return ``count`` different whole numbers below ``limit``, in random order."""
        if limit <= SPARSE * count:
            return self.order(limit)[:count].astype(np.uint64)
        found = self.below(limit, count)
        while True:
            first = np.sort(np.unique(found, return_index=True)[1])
            found = found[first]
            if len(found) >= count:
                return found[:count]
            missing = count - len(found)
            found = np.concatenate([found, self.below(limit, 2 * missing)])

    def permutation(self, limit: int) -> Callable[[Ranks], Ranks]:
        """Return a random permutation of the numbers below ``limit``, which is at most 2**62.

        Nothing is kept in memory: it is a Feistel network on the next even number of bits, walked
        until it ends below the limit.
        """
        half = np.uint64(max((max(limit, 2) - 1).bit_length() + 1, 2) // 2)
        keys = self.raw(_ROUNDS)

        def permuted(ranks: Ranks) -> Ranks:
            found = _scrambled(ranks, half, keys)
            outside = np.flatnonzero(found >= limit)
            while len(outside):
                found[outside] = _scrambled(found[outside], half, keys)
                outside = outside[found[outside] >= limit]
            return found

        return permuted


class Stratum(Draws):
    """A stream whose numbers all lie in one slice of their range.

    A table in parts whose values are in order draws each part from a slice of its own.
    """

    def __init__(self, low: int, high: int, total: int, seed: int, *names: str) -> None:
        super().__init__(seed, *names)
        self._low, self._width, self._total = low, high - low, total

    def uniform(self, count: int) -> npt.NDArray[np.float64]:
        """Return floats from ``low`` / ``total`` up to ``high`` / ``total``."""
        return (self._low + super().uniform(count) * self._width) / self._total

    def below(self, limit: int, count: int) -> Ranks:
        """Return whole numbers from that slice of 0 to ``limit`` - 1."""
        ranks = np.floor(self.uniform(count) * limit).astype(np.uint64)
        return np.minimum(ranks, np.uint64(limit - 1))


@dataclass(frozen=True)
class Domain:
    """Values that can be numbered from 0 to ``count`` - 1; not all differ unless ``is_exact``."""

    count: int
    at: Callable[[Ranks], Values]
    is_exact: bool = True

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, ranks: Any, /) -> Values:
        return self.at(ranks.astype(np.uint64))


def _scrambled(ranks: Ranks, half: np.uint64, keys: Ranks) -> Ranks:
    """Return a permutation of the numbers of twice ``half`` bits."""
    mask = (np.uint64(1) << half) - np.uint64(1)
    left, right = ranks >> half, ranks & mask
    for key in keys:
        mixed = (right ^ key) * _MULTIPLIER
        mixed = (mixed ^ (mixed >> np.uint64(29))) * _MULTIPLIER
        left, right = right, left ^ ((mixed >> np.uint64(32)) & mask)
    return (left << half) | right


def share_out(shares: Sequence[float], count: int) -> list[int]:
    """Split ``count`` by ``shares``, which sum to 1, so that each part is off by less than one."""
    exact = [share * count for share in shares]
    parts = [int(part) for part in exact]
    by_remainder = sorted(range(len(parts)), key=lambda i: parts[i] - exact[i])
    for index in by_remainder[: max(count - sum(parts), 0)]:
        parts[index] += 1
    return parts
