"""Texts that look like names, addresses and the like.

The words come from Faker, in an order that no seed changes; what is drawn from them is ours, and
the same on every machine with the same version of Faker.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from mlvalidate.core.columns import Likeness
from mlvalidate.data.draws import Draws, Values
from mlvalidate.data.errors import Impossible

_POOL = 1000
_DOMAINS = ("example.com", "example.net", "example.org")
# Which words a likeness is made of: calls of Faker.
_PARTS: dict[Likeness, tuple[str, ...]] = {
    Likeness.NAME: ("first_name", "last_name"),
    Likeness.FIRST_NAME: ("first_name",),
    Likeness.LAST_NAME: ("last_name",),
    Likeness.EMAIL: ("first_name", "last_name"),
    Likeness.USER_NAME: ("first_name", "last_name"),
    Likeness.URL: ("last_name",),
    Likeness.ADDRESS: ("street_name", "city"),
    Likeness.CITY: ("city",),
    Likeness.COUNTRY: ("country",),
    Likeness.COMPANY: ("company",),
    Likeness.JOB: ("job",),
    Likeness.SENTENCE: ("sentence",),
}
# Likenesses that hold a number, and how many.
_NUMBERS = {
    Likeness.EMAIL: 10**6,
    Likeness.USER_NAME: 10**6,
    Likeness.URL: 10**6,
    Likeness.PHONE: 10**6,
    Likeness.POSTCODE: 10**5,
    Likeness.ADDRESS: 9999,
}


def draw_likeness(like: Likeness, size: int, draws: Draws) -> Values:
    """Return ``size`` texts that look like ``like``; they may repeat."""
    if like is Likeness.UUID:
        return _uuids(size, draws)
    if like is Likeness.IPV4:
        return _addresses(draws.below(2**32, size).astype(np.uint64))
    pools = [_words(part) for part in _PARTS.get(like, ())]
    chosen = [pool[draws.below(len(pool), size).astype(np.intp)] for pool in pools]
    numbers = draws.below(_NUMBERS.get(like, 1), size)
    return _spell(like, chosen, numbers)


def distinct_likeness(like: Likeness, most: int, draws: Draws) -> Values:
    """Return ``most`` different texts that look like ``like``. Raises Impossible."""
    if like is Likeness.UUID:
        return _uuids(most, draws)
    if like is Likeness.IPV4:
        return _addresses(draws.distinct(2**32, most))
    pools = [_words(part) for part in _PARTS.get(like, ())]
    numbered = _NUMBERS.get(like, 1)
    total = math.prod(len(pool) for pool in pools) * numbered
    if total < most:
        raise Impossible(f"there are {total} different values like {like.value}, not {most}")
    ranks, numbers = np.divmod(draws.distinct(total, most), np.uint64(numbered))
    chosen = []
    for pool in pools:
        ranks, index = np.divmod(ranks, np.uint64(len(pool)))
        chosen.append(pool[index.astype(np.intp)])
    return _spell(like, chosen, numbers)


@cache
def _words(part: str) -> Values:
    """Return different words of one kind, in a fixed order."""
    import faker as package

    faker: Any = package.Faker("en_US")
    faker.seed_instance(0)
    words = sorted({getattr(faker, part)() for _ in range(_POOL)})
    return np.array([word.replace("\n", ", ") for word in words], dtype=object)


def _spell(like: Likeness, words: list[Any], numbers: Any) -> Values:
    spelling: Callable[..., str] = _SPELLINGS.get(like, _words_alone)
    return np.array(
        [spelling(*parts) for parts in zip(*words, map(int, numbers), strict=True)], dtype=object
    )


def _words_alone(*parts: Any) -> str:
    return " ".join(parts[:-1])


def _plain(word: str) -> str:
    return re.sub(r"[^a-z]", "", word.lower())


_SPELLINGS: dict[Likeness, Callable[..., str]] = {
    Likeness.EMAIL: lambda first, last, number: (
        f"{_plain(first)}.{_plain(last)}{number}@{_DOMAINS[number % 3]}"
    ),
    Likeness.USER_NAME: lambda first, last, number: f"{_plain(first)}{last[0].lower()}{number}",
    Likeness.URL: lambda last, number: f"https://{_plain(last)}.{_DOMAINS[number % 3]}/{number}",
    Likeness.ADDRESS: lambda street, city, number: f"{number + 1} {street}, {city}",
    Likeness.PHONE: lambda number: f"+1-555-{number // 10_000:03d}-{number % 10_000:04d}",
    Likeness.POSTCODE: lambda number: f"{number:05d}",
}


def _uuids(size: int, draws: Draws) -> Values:
    """Return random UUIDs of version 4; 122 random bits never repeat."""
    raw = draws.raw(2 * size)
    texts = [
        f"{int(high):016x}{int(low):016x}" for high, low in zip(raw[::2], raw[1::2], strict=True)
    ]
    return np.array(
        [
            f"{t[:8]}-{t[8:12]}-4{t[13:16]}-{'89ab'[int(t[16], 16) % 4]}{t[17:20]}-{t[20:]}"
            for t in texts
        ],
        dtype=object,
    )


def _addresses(numbers: Any) -> Values:
    parts = [(numbers >> np.uint64(shift)) & np.uint64(255) for shift in (24, 16, 8, 0)]
    return np.array(
        [".".join(map(str, map(int, p))) for p in zip(*parts, strict=True)], dtype=object
    )
