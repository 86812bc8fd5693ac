"""The one place where text becomes markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mlvalidate.reporting.text import one_line


def escape(text: str) -> str:
    """Return the text on one line, without what markdown would make of it: fit for a table cell."""
    line = one_line(text)
    for character in "\\`*_[]<>|~":
        line = line.replace(character, f"\\{character}")
    return line


def code(text: str) -> str:
    """Return the text as code on one line; a backtick in it would end it."""
    return f"`{one_line(text).replace('`', chr(39))}`"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table. Cells are markdown: texts of users are escaped by the caller."""
    lines = (header, ["---"] * len(header), *rows)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
