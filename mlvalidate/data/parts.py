"""Tables in parts: what is generated at once, and how shares of the whole fall to each part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

# Tables of up to so many rows are one part. A table's values depend on this number.
ROWS_AT_ONCE = 100_000


@dataclass(frozen=True)
class Part:
    """Some rows of a table of ``total``: ``size`` from ``start`` on, ``index`` of ``count``."""

    index: int
    count: int
    start: int
    size: int
    total: int

    @property
    def names(self) -> tuple[str, ...]:
        """What tells the draws of this part from those of others; nothing when it is the whole."""
        return () if self.count == 1 else (f"part {self.index}",)

    def share_of(self, whole: int) -> range:
        """Return which of ``whole`` things, spread evenly over the rows, belong to the part."""
        if not self.total:
            return range(0)
        end = self.start + self.size
        return range(whole * self.start // self.total, whole * end // self.total)


def parts_of(rows: int) -> list[Part]:
    """Return the parts of a table in order, at least one; their sizes differ by one row at most."""
    count = max(-(-rows // ROWS_AT_ONCE), 1)
    ends = [rows * index // count for index in range(count + 1)]
    return [
        Part(index, count, ends[index], ends[index + 1] - ends[index], rows)
        for index in range(count)
    ]


def apportion(counts: Sequence[int], sizes: Sequence[int]) -> list[list[int]]:
    """Split each of ``counts`` over parts of the given ``sizes``, as evenly as whole numbers allow.

    The sizes have the same sum as the counts; so has each part, and each count over all parts.
    """
    remaining = list(counts)
    found: list[list[int]] = []
    for size in sizes:
        left = max(sum(remaining), 1)
        given = [count * size // left for count in remaining]
        by_remainder = sorted(range(len(given)), key=lambda i: -(remaining[i] * size % left))
        for index in by_remainder[: size - sum(given)]:
            given[index] += 1
        remaining = [count - part for count, part in zip(remaining, given, strict=True)]
        found.append(given)
    return found


def fill_in_order(counts: Sequence[int], sizes: Sequence[int]) -> list[list[int]]:
    """Split ``counts`` over parts so that the first counts are used up before the next begin."""
    remaining = list(counts)
    found: list[list[int]] = []
    for size in sizes:
        given: list[int] = []
        for index, count in enumerate(remaining):
            given.append(min(count, size - sum(given)))
            remaining[index] -= given[-1]
        found.append(given)
    return found
