"""Regular expressions as languages: what Python's `re` parses, turned round to generate.

What can be generated: literals, classes and their negation, `.`, escapes, groups, alternation,
quantifiers, anchors at the ends, inline flags. `.` and negated classes give printable ASCII.
"""

from __future__ import annotations

import importlib
import re
import string
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from mlvalidate.data.errors import Impossible
from mlvalidate.data.languages import Chain, Characters, Choice, Language, Repeat

PRINTABLE = range(32, 127)
# How often `*` and `+` repeat beyond their least number.
EXTRA_REPEATS = 8
GREATEST_WIDTH = 10_000

_CATEGORIES = {
    "CATEGORY_DIGIT": string.digits,
    "CATEGORY_WORD": string.digits + string.ascii_letters + "_",
    "CATEGORY_SPACE": " ",
}
_ANCHORS = {
    "AT_BEGINNING": True,
    "AT_BEGINNING_STRING": True,
    "AT_END": False,
    "AT_END_STRING": False,
}
_UNSUPPORTED = {
    "GROUPREF": "a backreference",
    "GROUPREF_EXISTS": "a conditional group",
    "ATOMIC_GROUP": "an atomic group",
    "POSSESSIVE_REPEAT": "a possessive quantifier",
}


def parse_pattern(pattern: str, longest: int = 0) -> Language:
    """Return the language of ``pattern``, matched from end to end.

    Open-ended quantifiers stop at 8 more than their least number, or at ``longest`` where that is
    more. Raises Impossible, naming the construct, for what can't be generated.
    """
    # The parser is private, but its tree has been the same since Python 3.11; a parser of our own
    # would be one more dialect of regular expressions. `sre_parse`, its old name, warns.
    parsed: Any = importlib.import_module("re._parser").parse(pattern)
    extra = min(max(EXTRA_REPEATS, longest), GREATEST_WIDTH)
    try:
        return _Builder(extra).whole(parsed)
    except Impossible as problem:
        raise Impossible(f"pattern {pattern!r} has {problem}, which can't be generated") from None


class _Builder:
    """Turns the parser's tree into a language."""

    def __init__(self, extra: int) -> None:
        self._extra = extra

    def whole(self, parsed: Any) -> Language:
        """Build a parsed pattern."""
        language = self.sequence(parsed, parsed.state.flags, True, True)
        if language.width > GREATEST_WIDTH:
            raise Impossible(f"strings of more than {GREATEST_WIDTH} characters")
        return language

    def sequence(self, items: Any, flags: int, at_start: bool, at_end: bool) -> Language:
        """Build what stands side by side; the last two say what anchors would hold here."""
        parts: list[Language] = []
        nodes = list(items)
        for index, (op, argument) in enumerate(nodes):
            opens = at_start and all(str(before) == "AT" for before, _ in nodes[:index])
            closes = at_end and all(str(after) == "AT" for after, _ in nodes[index + 1 :])
            if str(op) == "AT":
                _check_anchor(str(argument), opens, closes)
            else:
                parts.append(self._node(str(op), argument, flags, opens, closes))
        return parts[0] if len(parts) == 1 else Chain(parts)

    def _node(self, op: str, argument: Any, flags: int, opens: bool, closes: bool) -> Language:
        if op in _LEAVES:
            return _LEAVES[op](argument, flags)
        match op:
            case "BRANCH":
                return Choice(
                    [self.sequence(branch, flags, opens, closes) for branch in argument[1]]
                )
            case "SUBPATTERN":
                _, added, removed, items = argument
                return self.sequence(items, (flags | added) & ~removed, opens, closes)
            case "MAX_REPEAT" | "MIN_REPEAT":
                least, most, items = argument
                return self._repeat(least, most, items, flags)
        raise Impossible(_name(op, argument))

    def _repeat(self, least: int, most: Any, items: Any, flags: int) -> Language:
        part = self.sequence(items, flags, False, False)
        if str(most) == "MAXREPEAT":
            fitting = GREATEST_WIDTH // max(part.width, 1)
            greatest = max(least, min(least + self._extra, fitting))
        else:
            greatest = int(most)
        if greatest > GREATEST_WIDTH:
            raise Impossible(f"strings of more than {GREATEST_WIDTH} characters")
        return Repeat(part, least, greatest)


def _check_anchor(anchor: str, opens: bool, closes: bool) -> None:
    if anchor not in _ANCHORS:
        raise Impossible("a word boundary")
    if not (opens if _ANCHORS[anchor] else closes):
        raise Impossible("an anchor in the middle")


def _name(op: str, argument: Any) -> str:
    if op in ("ASSERT", "ASSERT_NOT"):
        negative = "negative " if op == "ASSERT_NOT" else ""
        return f"a {negative}{'lookahead' if argument[0] > 0 else 'lookbehind'}"
    return _UNSUPPORTED.get(op, f"the construct {op}")


def _class(items: Sequence[tuple[Any, Any]], flags: int) -> Language:
    codes: dict[int, None] = {}
    negated = False
    for op, argument in items:
        match str(op):
            case "NEGATE":
                negated = True
            case "LITERAL":
                codes[argument] = None
            case "RANGE":
                codes.update(dict.fromkeys(range(argument[0], argument[1] + 1)))
            case "CATEGORY":
                codes.update(dict.fromkeys(_category(str(argument))))
    return _negated(codes, flags) if negated else _characters(codes)


def _category(name: str) -> list[int]:
    positive = name.replace("_NOT_", "_")
    codes = [ord(character) for character in _CATEGORIES[positive]]
    return codes if name == positive else [code for code in PRINTABLE if code not in codes]


def _negated(codes: Iterable[int], flags: int) -> Language:
    excluded = set(codes)
    if flags & re.IGNORECASE:
        excluded |= {ord(both) for code in excluded for both in _cases(chr(code))}
    return _characters(code for code in PRINTABLE if code not in excluded)


def _cases(character: str) -> str:
    """Return the character in both cases, without those whose other case is several letters."""
    return "".join(case for case in (character.lower(), character.upper()) if len(case) == 1)


def _characters(codes: Iterable[int]) -> Language:
    # NUL ends a string in numpy's fixed-width texts, and surrogates can't be written as UTF-8.
    usable = [code for code in codes if code and not 0xD800 <= code <= 0xDFFF]
    if not usable:
        raise Impossible("a class without any writable character")
    return Characters(usable)


_LEAVES: dict[str, Callable[[Any, int], Language]] = {
    "LITERAL": lambda code, _: _characters([code]),
    "NOT_LITERAL": lambda code, flags: _negated([code], flags),
    "ANY": lambda _, __: Characters(PRINTABLE),
    "IN": _class,
}
