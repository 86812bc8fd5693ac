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
from mlvalidate.data.draws import Domain, Draws, Ranks, Values
from mlvalidate.data.errors import Impossible

_POOL = 1000
# Rounds in which texts that occur twice are drawn anew.
_PATIENCE = 20
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
        return _addresses(draws.below(2**32, size))
    chosen = [draws.below(len(_words(part)), size).astype(np.intp) for part in _PARTS.get(like, ())]
    return _spell(like, chosen, draws.below(_NUMBERS.get(like, 1), size))


def distinct_likeness(like: Likeness, most: int, draws: Draws) -> Values:
    """Return ``most`` different texts that look like ``like``. Raises Impossible."""
    domain = numbered_likeness(like)
    if domain is None:
        return _uuids(most, draws)
    if domain.count < most:
        raise Impossible(f"there are {domain.count} different values like {like.value}, not {most}")
    found = dict.fromkeys(domain.at(draws.distinct(domain.count, most)))
    patience = _PATIENCE
    while len(found) < most and patience > 0:  # two numbers may give one text
        found.update(dict.fromkeys(domain.at(draws.below(domain.count, most - len(found)))))
        patience -= 1
    return np.array(list(found), dtype=object)


def numbered_likeness(like: Likeness) -> Domain | None:
    """Return the texts that look like ``like`` with numbers; None for UUIDs, too many of them."""
    if like is Likeness.UUID:
        return None
    if like is Likeness.IPV4:
        return Domain(2**32, _addresses)
    sizes = [len(_words(part)) for part in _PARTS.get(like, ())]
    numbers = _NUMBERS.get(like, 1)

    def at(ranks: Ranks) -> Values:
        ranks, number = np.divmod(ranks, np.uint64(numbers))
        chosen = []
        for size in sizes:
            ranks, index = np.divmod(ranks, np.uint64(size))
            chosen.append(index.astype(np.intp))
        return _spell(like, chosen, number)

    # Words of which only letters are left may be the same.
    return Domain(math.prod(sizes) * numbers, at, is_exact=len(sizes) < 2 and like not in _PLAIN)


@cache
def _words(part: str) -> Any:
    """Return different words of one kind, in a fixed order, as an Arrow array."""
    import faker as package
    import pyarrow as pa

    faker: Any = package.Faker("en_US")
    faker.seed_instance(0)
    words = sorted({getattr(faker, part)() for _ in range(_POOL)})
    return pa.array([word.replace("\n", ", ") for word in words], pa.large_string())


@cache
def _letters(part: str) -> Any:
    """Return the same words as they stand in addresses: lower case, letters only."""
    import pyarrow as pa

    words = _words(part).to_pylist()
    return pa.array([re.sub(r"[^a-z]", "", word.lower()) for word in words], pa.large_string())


def _spell(like: Likeness, chosen: list[Any], numbers: Ranks) -> Values:
    """Return texts made of the words with the numbers ``chosen`` and of ``numbers``."""
    parts = _PARTS.get(like, ())
    if like in _PLAIN:
        words = [_letters(part).take(index) for part, index in zip(parts, chosen, strict=True)]
        return _SPELLINGS[like](*words, numbers)
    words = [_words(part).take(index) for part, index in zip(parts, chosen, strict=True)]
    if like in _SPELLINGS:
        return _SPELLINGS[like](*words, numbers)
    return _joined(*words, between=" ")


def _email(first: Any, last: Any, numbers: Ranks) -> Values:
    return _joined(first, ".", last, _digits(numbers), "@", _domains(numbers))


def _user_name(first: Any, last: Any, numbers: Ranks) -> Values:
    import pyarrow.compute as pc

    return _joined(first, pc.utf8_slice_codeunits(last, 0, 1), _digits(numbers))


def _url(last: Any, numbers: Ranks) -> Values:
    return _joined("https://", last, ".", _domains(numbers), "/", _digits(numbers))


def _address(street: Any, city: Any, numbers: Ranks) -> Values:
    return _joined(_digits(numbers + np.uint64(1)), " ", street, ", ", city)


def _phone(numbers: Ranks) -> Values:
    area, line = np.divmod(numbers, np.uint64(10_000))
    return _joined("+1-555-", _digits(area, 3), "-", _digits(line, 4))


def _postcode(numbers: Ranks) -> Values:
    return _joined(_digits(numbers, 5))


_PLAIN = (Likeness.EMAIL, Likeness.USER_NAME, Likeness.URL)
_SPELLINGS: dict[Likeness, Callable[..., Values]] = {
    Likeness.EMAIL: _email,
    Likeness.USER_NAME: _user_name,
    Likeness.URL: _url,
    Likeness.ADDRESS: _address,
    Likeness.PHONE: _phone,
    Likeness.POSTCODE: _postcode,
}


def _digits(numbers: Ranks, width: int = 0) -> Any:
    """Return numbers as texts, with zeros in front up to ``width`` characters."""
    import pyarrow as pa
    import pyarrow.compute as pc

    texts = pa.array(numbers).cast(pa.large_string())
    return pc.utf8_lpad(texts, width, "0") if width else texts


def _domains(numbers: Ranks) -> Any:
    import pyarrow as pa

    return pa.array(_DOMAINS, pa.large_string()).take(numbers % np.uint64(len(_DOMAINS)))


def _joined(*parts: Any, between: str = "") -> Values:
    """Return texts put together of Arrow arrays and of what is the same in each."""
    import pyarrow as pa
    import pyarrow.compute as pc

    texts = [
        pa.scalar(part, pa.large_string()) if isinstance(part, str) else part for part in parts
    ]
    joined = pc.binary_join_element_wise(*texts, pa.scalar(between, pa.large_string()))
    found: Values = joined.to_numpy(zero_copy_only=False).astype(object)
    return found


def _uuids(size: int, draws: Draws) -> Values:
    """Return random UUIDs of version 4; 122 random bits never repeat."""
    octets = draws.raw(2 * size).astype(">u8").view(np.uint8).reshape(size, 16)
    digits = np.empty((size, 32), dtype=np.uint8)
    digits[:, ::2], digits[:, 1::2] = octets >> 4, octets & 15
    digits[:, 12] = 4
    digits[:, 16] = 8 + digits[:, 16] % 4
    letters = np.frombuffer(b"0123456789abcdef-", dtype=np.uint8)
    places = np.full((size, 36), 16, dtype=np.uint8)
    for start, end, target in ((0, 8, 0), (8, 12, 9), (12, 16, 14), (16, 20, 19), (20, 32, 24)):
        places[:, target : target + end - start] = digits[:, start:end]
    matrix = letters[places].astype(np.uint32)
    return matrix.view("<U36").reshape(size).astype(object)


def _addresses(numbers: Ranks) -> Values:
    parts = [(numbers >> np.uint64(shift)) & np.uint64(255) for shift in (24, 16, 8, 0)]
    return _joined(*map(_digits, parts), between=".")
