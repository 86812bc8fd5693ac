"""What is wrong with a project file: problems with their place, and the error that lists them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass

from mlvalidate.core.errors import UsageError

MOST_SHOWN = 20
_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")

# The way from the top of the file to a value: keys of mappings, indices of lists.
KeyPath = tuple[str | int | float, ...]


@dataclass(frozen=True)
class Position:
    """A place in a text. Both numbers start at 1; line 0 stands for the whole file."""

    line: int
    column: int


WHOLE_FILE = Position(0, 0)


@dataclass(frozen=True)
class Fault:
    """Something wrong at a place of the text, before it is known which file that is."""

    position: Position
    path: KeyPath
    message: str
    hint: str = ""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a project file.

    ``line`` and ``column`` start at 1 and are 0 when the problem is with the file as a whole.
    ``key`` is empty when no key is to blame, as in broken YAML.
    """

    file: str
    line: int
    column: int
    key: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        head = ": ".join(part for part in (place, self.key, self.message) if part)
        return head + "".join(f"\n  {line}" for line in self.hint.splitlines())


class ProjectError(UsageError):
    """The project file is wrong. ``problems`` says where and how, in the order of the file."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        shown = [str(problem) for problem in self.problems[:MOST_SHOWN]]
        if len(self.problems) > MOST_SHOWN:
            shown.append(f"... and {len(self.problems) - MOST_SHOWN} more")
        super().__init__("\n".join(shown))


def key_text(path: KeyPath) -> str:
    """Return the path as people write it: ``steps.train.inputs["a b"].files``, ``gates[0]``."""
    text = ""
    for part in path:
        if isinstance(part, str) and _PLAIN_KEY.fullmatch(part):
            text += f".{part}" if text else part
        else:
            text += f"[{json.dumps(part, ensure_ascii=False)}]"
    return text


def describe(value: object) -> str:
    """Return what a value is, in words: ``'abc'``, ``the number 5``, ``a list``."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"the number {value}"
    if isinstance(value, str):
        return repr(value if len(value) <= 60 else value[:57] + "...")
    return "a mapping" if isinstance(value, dict) else "a list"
