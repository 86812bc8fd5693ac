"""What the texts of a column look like: a likeness, a pattern, or a length."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import groupby
from typing import Any

from mlvalidate.core.columns import Likeness
from mlvalidate.data.texts import FORMS

# Values looked at for a pattern, and the shapes and parts that one may have.
MOST_VALUES = 20_000
_MOST_SHAPES, _MOST_PARTS, _LONGEST_PART = 3, 12, 200
# What a column's name says about texts that only look like words.
_NAMED = {
    Likeness.FIRST_NAME: r"first_?names?|given_?names?|forenames?",
    Likeness.LAST_NAME: r"last_?names?|surnames?|family_?names?",
    Likeness.USER_NAME: r"user_?names?|logins?",
    Likeness.NAME: r"(?:\w+_)?names?|persons?|fullnames?",
    Likeness.CITY: r"(?:\w+_)?(?:city|town)",
    Likeness.COUNTRY: r"(?:\w+_)?country",
    Likeness.COMPANY: r"(?:\w+_)?(?:company|employer)",
    Likeness.JOB: r"job(?:_title)?|occupation|profession",
    Likeness.ADDRESS: r"(?:\w+_)?(?:address|street)",
    Likeness.PHONE: r"(?:\w+_)?(?:phone|mobile|telephone)(?:_number)?",
}
_SHAPES = {
    Likeness.PHONE: r"[-+(). 0-9/x]{6,25}",
    Likeness.USER_NAME: r"[\w.-]{2,40}",
    Likeness.ADDRESS: r"(?s).{4,200}",
    Likeness.NAME: r"[^\W\d_][\w'.-]*(?:[ ,][^\d_]*)",
}
_WORDS = r"[^\d_]{2,80}"
_CHARACTERS = ("[0-9]", "[0-9a-f]", "[0-9A-F]", "[A-Z0-9]", "[a-z0-9]", "[A-Za-z0-9]")
_CLASSES = {"9": "[0-9]", "A": "[A-Z]", "a": "[a-z]"}


def find_likeness(name: str, values: list[str]) -> Likeness | None:
    """Return what all texts look like, judged by themselves and by the column's name."""
    for likeness, pattern in FORMS.items():
        if _all_match(pattern, values):
            return likeness
    words = re.sub(r"(?<=[a-z])(?=[A-Z])|[^\w]+", "_", name).lower()
    for likeness, pattern in _NAMED.items():
        if re.fullmatch(pattern, words):
            return likeness if _all_match(_SHAPES.get(likeness, _WORDS), values) else None
    return None


def _all_match(pattern: str, values: list[str]) -> bool:
    compiled = re.compile(pattern)
    return all(compiled.fullmatch(value) for value in values)


def find_pattern(counts: Mapping[str, int], rarest: int) -> str | None:
    """Return a regular expression of codes that all texts match; None for texts of other kinds.

    ``counts`` says in how many rows each text is. What fewer than ``rarest`` rows have in common
    does not appear in it.
    """
    values = list(counts)
    if not values or not all(value.isascii() and value.isprintable() for value in values):
        return None
    pattern = _by_shapes(counts, rarest) or _by_characters(values, sum(counts.values()), rarest)
    return pattern if pattern and _all_match(pattern, values) else None


def _by_shapes(counts: Mapping[str, int], rarest: int) -> str | None:
    shapes: dict[str, list[tuple[list[str], int]]] = {}
    for value, times in counts.items():
        parts = _parts(value)
        shapes.setdefault("".join(_kind(part[0]) for part in parts), []).append((parts, times))
        if len(shapes) > _MOST_SHAPES:
            return None
    patterns = []
    for members in shapes.values():
        if sum(times for _, times in members) < rarest or len(members[0][0]) > _MOST_PARTS:
            return None
        patterns.append(
            "".join(map(_part_pattern, zip(*(parts for parts, _ in members), strict=True)))
        )
    digits = any("9" in shape for shape in shapes)
    # Words without a digit are names, not codes, unless all are equally long.
    if not digits and len({len(value) for value in counts}) > 1:
        return None
    return patterns[0] if len(patterns) == 1 else f"(?:{'|'.join(patterns)})"


def _parts(value: str) -> list[str]:
    return ["".join(part) for _, part in groupby(value, key=_kind)]


def _kind(character: str) -> str:
    if character.isdigit():
        return "9"
    if character.isalpha():
        return "A" if character.isupper() else "a"
    return character


def _part_pattern(parts: tuple[str, ...]) -> str:
    found = _CLASSES.get(_kind(parts[0][0]), re.escape(parts[0][0]))
    if len(set(parts)) == 1:
        return re.escape(parts[0])
    sizes = [len(part) for part in parts]
    return found + _times(min(sizes), max(sizes))


def _times(least: int, most: int) -> str:
    if least == most:
        return "" if least == 1 else f"{{{least}}}"
    return f"{{{least},{most}}}"


def _by_characters(values: list[str], rows: int, rarest: int) -> str | None:
    """Return a pattern such as ``[0-9a-f]{32}`` for hashes and the like."""
    sizes = {len(value) for value in values}
    if rows < rarest or min(sizes) < 4 or max(sizes) > _LONGEST_PART:
        return None
    if not any(character.isdigit() for value in values for character in value):
        return None
    times = _times(min(sizes), max(sizes))
    return next(
        (kind + times for kind in _CHARACTERS if _all_match(f"{kind}+", values)),
        None,
    )


def find_length(values: list[str]) -> tuple[int, int]:
    """Return least and greatest number of characters, rounded outward where texts are long."""
    sizes = [len(value) for value in values]
    least, most = min(sizes), max(sizes)
    step = 1 if most <= 20 else 10 if most <= 200 else 100
    return max(least // step * step, min(least, 1)), -(-most // step) * step


def is_prose(values: list[str]) -> bool:
    """Tell whether the texts are mostly sentences of several words."""
    long = sum(value.count(" ") >= 3 for value in values)
    return long > len(values) / 2


def text_declaration(name: str, counts: Mapping[str, int], rarest: int) -> dict[str, Any]:
    """Return the keys of a column with texts, apart from its nulls."""
    values = list(counts)
    head = dict(list(counts.items())[:MOST_VALUES])
    likeness = find_likeness(name, values)
    if likeness:
        return {"type": "string", "like": likeness.value}
    pattern = find_pattern(head, rarest)
    if pattern and _all_match(pattern, values):
        return {"type": "string", "pattern": pattern}
    kind = "text" if is_prose(values) else "string"
    return {"type": kind, "length": list(find_length(values))}
