"""Says where and how a text is no YAML."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlvalidate.project.problems import Fault, Position

if TYPE_CHECKING:
    import yaml


def position_of(text: str, index: int) -> Position:
    """Return the place of the character at ``index``."""
    return Position(text.count("\n", 0, index) + 1, index - text.rfind("\n", 0, index))


def excerpt(text: str, position: Position) -> str:
    """Return the line at ``position`` with a mark below the column, on lines of their own."""
    lines = text.splitlines()
    if position.line > len(lines):
        return ""
    # From a long line only what surrounds the place.
    start = max(0, position.column - 61)
    line = lines[position.line - 1][start : start + 80].replace("\t", "→")
    head = f"  {position.line} | "
    return f"\n{head}{line}\n{' ' * (len(head) + position.column - 1 - start)}^"


def syntax_fault(text: str, error: yaml.MarkedYAMLError) -> Fault:
    """Return what the parser says about broken YAML, with the line and perhaps a remedy."""
    mark = error.problem_mark or error.context_mark
    position = Position(mark.line + 1, mark.column + 1) if mark else Position(1, 1)
    context = f" {error.context}" if error.context else ""
    message = f"not valid YAML: {error.problem}{context}" + excerpt(text, position)
    lines = text.splitlines()
    line = lines[position.line - 1] if position.line <= len(lines) else ""
    return Fault(position, (), message, _syntax_hint(line, position, f"{error.problem}{context}"))


def _syntax_hint(line: str, position: Position, said: str) -> str:
    at = line[position.column - 1 : position.column]
    remedies = (
        ("\t" in line[: position.column], "indent with spaces, not with tabs"),
        ("alias" in said, 'a text that starts with * needs quotes, such as "*.csv"'),
        (
            "flow" in said and "${" in line,
            'inside { } and [ ] a variable needs quotes: "${NAME}"',
        ),
        (at in ("@", "`", "%"), f"a text that starts with {at} needs quotes"),
        ("quoted" in said, "close the quotes"),
        ("mapping values" in said, "a text with a colon and a space in it needs quotes"),
    )
    return next((remedy for applies, remedy in remedies if applies), "")
