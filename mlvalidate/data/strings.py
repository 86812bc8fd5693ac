"""Random strings out of a language: any number of them, or all different."""

from __future__ import annotations

import string
from collections.abc import Callable, Iterable, Iterator
from functools import partial

import numpy as np
import numpy.typing as npt

from mlvalidate.core.columns import Column, ColumnType
from mlvalidate.data.draws import SPARSE, Draws, Ranks
from mlvalidate.data.errors import Impossible
from mlvalidate.data.languages import MOST_NUMBERED, Characters, Choice, Language, Matrix, Repeat
from mlvalidate.data.patterns import GREATEST_WIDTH, parse_pattern
from mlvalidate.data.words import SHORTEST_TEXT, draw_texts

Strings = npt.NDArray[np.object_]

# Readers take these for missing values, so they are generated only where nothing else is left.
LOOKS_MISSING = ("", "NA", "N/A", "NaN", "nan", "None", "NULL", "null", "n/a")
DEFAULT_LENGTH = (8, 8)
# Cells of one matrix, so that long strings don't need rows x length x 4 bytes at once.
CELLS = 4_000_000
# Rounds that bring nothing new before a search is given up.
PATIENCE = 5


def draw_strings(column: Column, size: int, draws: Draws) -> Strings:
    """Return ``size`` values of a string or text column; they may repeat."""
    if is_prose(column):
        return draw_texts(size, draws, column.length)
    language = language_of(column)
    wanted = _collect(partial(draw_language, language), size, draws, _is_usable)
    if len(wanted) < size:
        rest = _collect(partial(draw_language, language), size - len(wanted), draws, _is_any)
        wanted = _join([wanted, rest])
    return wanted


def distinct_strings(column: Column, most: int, draws: Draws) -> Strings:
    """Return ``most`` different values of a string or text column, fewer where it has fewer."""
    if is_prose(column):
        return _distinct(lambda size, draws: draw_texts(size, draws, column.length), most, draws)
    language = language_of(column)
    if language.count <= max(SPARSE * most, 2**16):
        return _enumerate(language, draws)[:most]
    return _distinct(partial(_draw_evenly, language), most, draws)


def language_of(column: Column) -> Language:
    """Return the strings that a column may hold: its pattern, its length, or 8 characters."""
    if column.pattern is None:
        least, greatest = column.length or DEFAULT_LENGTH
        greatest = min(greatest, max(least, GREATEST_WIDTH))
        letters = [ord(letter) for letter in string.ascii_lowercase + string.digits]
        return Repeat(Characters(letters), max(least, min(1, greatest)), greatest)
    if column.length is None:
        return parse_pattern(column.pattern)
    least, greatest = column.length
    language = parse_pattern(column.pattern, greatest)
    by_length = language.by_length(greatest)
    fitting = [part for length, part in sorted(by_length.items()) if length >= least]
    if not fitting:
        raise Impossible(f"no match of {column.pattern!r} has {least} to {greatest} characters")
    return Choice(fitting)


def is_prose(column: Column) -> bool:
    """Tell whether a column holds sentences, which no language numbers."""
    longest = column.length[1] if column.length else SHORTEST_TEXT
    return column.type is ColumnType.TEXT and column.pattern is None and longest >= SHORTEST_TEXT


def _collect(
    make: Callable[[int, Draws], Strings],
    size: int,
    draws: Draws,
    accept: Callable[[Strings], npt.NDArray[np.bool_]],
) -> Strings:
    """Return ``size`` accepted strings, fewer when PATIENCE rounds brought none."""
    found: list[Strings] = []
    missing, patience = size, PATIENCE
    while missing > 0 and patience > 0:
        made = make(missing, draws)
        made = made[accept(made)]
        found.append(made)
        missing -= len(made)
        patience = PATIENCE if len(made) else patience - 1
    return _join(found)


def _distinct(make: Callable[[int, Draws], Strings], most: int, draws: Draws) -> Strings:
    """Return up to ``most`` different strings, fewer when PATIENCE rounds brought none."""
    seen: dict[str, None] = {}
    patience = PATIENCE
    while len(seen) < most and patience > 0:
        before = len(seen)
        seen.update(dict.fromkeys(make(max(most - before, 64), draws)))
        for unwanted in LOOKS_MISSING:
            seen.pop(unwanted, None)
        patience = PATIENCE if len(seen) > before else patience - 1
    return np.array(list(seen)[:most], dtype=object)


def _enumerate(language: Language, draws: Draws) -> Strings:
    """Return every string once, in random order, those that look missing at the end."""
    seen = dict.fromkeys(spell(language, draws.order(language.count).astype(np.uint64)))
    odd = [text for text in LOOKS_MISSING if seen.pop(text, "") is None]
    return np.array([*seen, *odd], dtype=object)


def draw_language(language: Language, size: int, draws: Draws) -> Strings:
    """Return ``size`` strings; every branch and every repetition is equally likely."""
    return _join(
        to_strings(language.draw(stop - start, draws)) for start, stop in _chunks(language, size)
    )


def _draw_evenly(language: Language, size: int, draws: Draws) -> Strings:
    """Draw so that every string is as likely as any other, which makes repetitions rare."""
    if language.count > MOST_NUMBERED:
        return draw_language(language, size, draws)
    return spell(language, draws.below(language.count, size))


def spell(language: Language, ranks: Ranks) -> Strings:
    """Return the strings of a language with these numbers."""
    return _join(
        to_strings(language.spell(ranks[start:stop]))
        for start, stop in _chunks(language, len(ranks))
    )


def _chunks(language: Language, size: int) -> Iterator[tuple[int, int]]:
    step = max(1, CELLS // max(language.width, 1))
    return ((start, min(start + step, size)) for start in range(0, size, step))


def _join(parts: Iterable[Strings]) -> Strings:
    return np.concatenate([np.empty(0, dtype=object), *parts])


def to_strings(matrix: Matrix) -> Strings:
    """Return the rows of a matrix of code points as strings, leaving out the zeros."""
    size, width = matrix.shape
    if width == 0:
        return np.full(size, "", dtype=object)
    present = matrix != 0
    if not present.all():
        # Move what is there to the left: row by row, the characters keep their order.
        packed = np.zeros_like(matrix)
        lengths = present.sum(axis=1)
        packed[np.arange(width) < lengths[:, None]] = matrix[present]
        matrix = packed
    return np.ascontiguousarray(matrix).view(f"<U{width}")[:, 0].astype(object)


def _is_usable(strings: Strings) -> npt.NDArray[np.bool_]:
    lookup = frozenset(LOOKS_MISSING)
    return np.fromiter((text not in lookup for text in strings), dtype=bool, count=len(strings))


def _is_any(strings: Strings) -> npt.NDArray[np.bool_]:
    return np.ones(len(strings), dtype=bool)
