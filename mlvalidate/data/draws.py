"""Seeded randomness that is the same on every machine, Python and numpy.

Only the raw output of PCG64 is used: numpy keeps that stream for ever, while its distributions
may change between releases, and transcendental functions differ in the last bit between CPUs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Ranks = npt.NDArray[np.uint64]
Values = npt.NDArray[Any]

# Below four times the wanted number it is cheaper to shuffle the whole range than to redraw.
SPARSE = 4


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
        return np.argsort(self.raw(count), kind="stable")

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


def share_out(shares: Sequence[float], count: int) -> list[int]:
    """Split ``count`` by ``shares``, which sum to 1, so that each part is off by less than one."""
    exact = [share * count for share in shares]
    parts = [int(part) for part in exact]
    by_remainder = sorted(range(len(parts)), key=lambda i: parts[i] - exact[i])
    for index in by_remainder[: max(count - sum(parts), 0)]:
        parts[index] += 1
    return parts
