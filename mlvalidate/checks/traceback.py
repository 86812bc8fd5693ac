"""Reads a Python traceback out of a script's stderr."""

from __future__ import annotations

import re
from dataclasses import dataclass

_HEADER = "Traceback (most recent call last):"
_FRAME = re.compile(r'\s+File "(?P<file>[^"]+)", line (?P<line>\d+)(?:, in (?P<function>.+))?')
_ERROR = re.compile(r"(?P<type>[A-Za-z_][\w.]*)(?:: (?P<message>.*))?$", re.DOTALL)
_LIBRARY = re.compile(
    r"/(?:site|dist)-packages/|/lib(?:64)?/python\d|^<frozen |^<string>|/opt/mlvalidate/"
    r"|/harness/(?:call_main\.py|site/)"
)


@dataclass(frozen=True)
class Frame:
    """One line of a traceback."""

    file: str
    line: int
    function: str

    @property
    def is_user_code(self) -> bool:
        """False for frames of the standard library, of installed packages and of the harness."""
        return _LIBRARY.search(self.file) is None


@dataclass(frozen=True)
class PythonError:
    """An uncaught exception: ``type`` without its module, ``message``, frames outermost first."""

    type: str
    message: str
    frames: tuple[Frame, ...]

    @property
    def user_frame(self) -> Frame | None:
        """The innermost frame of the user's own code: where to look first."""
        own = [frame for frame in self.frames if frame.is_user_code]
        return own[-1] if own else None

    @property
    def location(self) -> str | None:
        """``file:line`` of the user's frame."""
        frame = self.user_frame
        return f"{frame.file}:{frame.line}" if frame else None


def parse_python_error(text: str) -> PythonError | None:
    """Return the last traceback in ``text``; None when there is none.

    Of chained exceptions the last one counts, which is what ended the script. A SyntaxError at
    the script's start has frames but no header.
    """
    lines = text.splitlines()
    start = next((n for n in range(len(lines) - 1, -1, -1) if _HEADER in lines[n]), None)
    if start is None:
        return _parse_headless(lines)
    return _parse_block(lines[start + 1 :])


def _parse_headless(lines: list[str]) -> PythonError | None:
    for number in range(len(lines) - 1, -1, -1):
        if _FRAME.fullmatch(lines[number]):
            error = _parse_block(lines[number:])
            return error if error and error.type.endswith("Error") else None
    return None


def _parse_block(lines: list[str]) -> PythonError | None:
    frames: list[Frame] = []
    for number, line in enumerate(lines):
        found = _FRAME.match(line)
        if found:
            frames.append(Frame(found["file"], int(found["line"]), (found["function"] or "")))
        elif line and not line[0].isspace():
            error = _ERROR.match(line)
            if error is None:
                return None
            message = [error["message"] or "", *_rest_of_message(lines[number + 1 :])]
            return PythonError(
                type=error["type"].rpartition(".")[2],
                message="\n".join(message).strip(),
                frames=tuple(frames),
            )
    return None


def _rest_of_message(lines: list[str]) -> list[str]:
    """Return the further lines of a message that has several, at most ten."""
    rest = []
    for line in lines[:10]:
        if not line.strip() or _HEADER in line:
            break
        rest.append(line)
    return rest
