"""`${NAME}` and `${NAME:-default}` in the texts of a project file."""

from __future__ import annotations

import re
from collections.abc import Mapping

from mlvalidate.core.suggest import nearest

_REFERENCE = re.compile(
    r"(?P<escape>\$\$\{)"
    r"|\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}"
    r"|(?P<malformed>\$\{[^}]*\}?)"
)


class InterpolationError(Exception):
    """A reference is malformed, or its variable is not set."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def refers(text: str) -> bool:
    """Tell whether interpolation would change the text."""
    return "${" in text


def referenced_names(text: str) -> set[str]:
    """Return the names of the variables that the text refers to."""
    return {match["name"] for match in _REFERENCE.finditer(text) if match["name"]}


def interpolate(text: str, environ: Mapping[str, str]) -> str:
    """Return ``text`` with the values of the variables that it names.

    As in a shell, a default stands in for a variable that is not set or is empty. ``$${`` is a
    literal ``${``. Values are not interpolated again. Raises InterpolationError for a variable
    that is not set, and for a ``${`` that no name and brace follow.
    """

    def replace(match: re.Match[str]) -> str:
        if match["escape"]:
            return "${"
        if match["malformed"]:
            raise InterpolationError(
                f"expected ${{NAME}} or ${{NAME:-default}}, found {match['malformed']!r}",
                "write $${ for a literal ${",
            )
        name, default = match["name"], match["default"]
        value = environ.get(name)
        if default is not None:
            return value or default
        if value is None:
            raise InterpolationError(
                f"the environment variable {name} is not set", _missing_hint(name, environ)
            )
        return value

    return _REFERENCE.sub(replace, text)


def _missing_hint(name: str, environ: Mapping[str, str]) -> str:
    similar = nearest(name, environ)
    start = f"did you mean {similar!r}? " if similar else ""
    return f"{start}set it, or give a default: ${{{name}:-...}}"
