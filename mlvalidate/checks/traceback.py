"""Reads a Python traceback out of a script's stderr."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

_HEADER = "Traceback (most recent call last):"
# Of a message that has several lines.
_MOST_LINES = 10
_FRAME = re.compile(r'\s+File "(?P<file>[^"]+)", line (?P<line>\d+)(?:, in (?P<function>.+))?')
# A class that was defined inside a function is `function.<locals>.Class`.
_ERROR = re.compile(r"(?P<type>[A-Za-z_](?:[\w.]|<locals>)*)(?:: (?P<message>.*))?$", re.DOTALL)
# Compiled Cython code names its sources: pandas/_libs/parsers.pyx.
_LIBRARY = re.compile(
    r"/(?:site|dist)-packages/|/lib(?:64)?/python\d|^<|/opt/mlvalidate/"
    r"|/harness/(?:call_main\.py|site/)|\.(?:pyx|pxi|pxd)$"
)
# What a group of exceptions (PEP 654) puts in front of its own lines, and of its members'.
_GROUP_HEADER = re.compile(r"\s*\+ Exception Group Traceback")
_GROUP_MARGIN = re.compile(r"^\s*\| ?")
_MEMBER = re.compile(r"^ {4}\| (?!Traceback|Exception Group)([A-Za-z_][\w.]*(?:: .*)?)$")
_CHAINED = (
    "The above exception was the direct cause of the following exception:",
    "During handling of the above exception, another exception occurred:",
)
# Lines that come after a traceback and are no part of the message: of logging, of warnings.
_LOG_LINE = re.compile(
    r"\W?(?:DEBUG|INFO|WARNING|ERROR|CRITICAL)\b|\[?\d{4}-\d\d-\d\d[ T]|\S+:\d+: \w*Warning: "
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
    """An uncaught exception: ``type`` without its module, ``message``, frames outermost first.

    ``after`` are the lines that came later: there are some where a script logged its exception and
    went on.
    """

    type: str
    message: str
    frames: tuple[Frame, ...]
    after: tuple[str, ...] = ()
    # What was raised first, when this one was raised because of it or while it was handled.
    cause: PythonError | None = None

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

    @property
    def function(self) -> str:
        """The function of the user's frame; empty where there is none."""
        frame = self.user_frame
        return (frame.function or "<module>") if frame else ""


def parse_python_error(text: str) -> PythonError | None:
    """Return the last traceback in ``text``; None when there is none.

    Of chained exceptions the last one counts, which is what ended the script; of a group the group
    itself, with its members in the message. A SyntaxError at the script's start has frames but no
    header.
    """
    lines = text.splitlines()
    for number in range(len(lines) - 1, -1, -1):
        if _HEADER not in lines[number]:
            continue
        if _GROUP_HEADER.match(lines[number]):
            return _parse_group(lines[number + 1 :])
        if not _GROUP_MARGIN.match(lines[number]):
            error = _parse_block(lines[number + 1 :])
            return replace(error, cause=_parse_cause(lines[:number])) if error else None
    return _parse_headless(lines)


def _parse_cause(before: list[str]) -> PythonError | None:
    said = [line for line in before[-3:] if line.strip()]
    return parse_python_error("\n".join(before)) if said and said[-1] in _CHAINED else None


def _parse_headless(lines: list[str]) -> PythonError | None:
    for number in range(len(lines) - 1, -1, -1):
        if _FRAME.fullmatch(lines[number]):
            error = _parse_block(lines[number:])
            return error if error and error.type.endswith("Error") else None
    return None


def _parse_group(lines: list[str]) -> PythonError | None:
    error = _parse_block([_GROUP_MARGIN.sub("", line) for line in lines])
    if error is None:
        return None
    members = [found[1] for line in lines if (found := _MEMBER.match(line))]
    summary, *_ = error.message.splitlines() or [""]
    return replace(error, message="\n".join([summary, *members[:_MOST_LINES]]), after=())


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
            kind = error["type"].rpartition(".")[2]
            # A KeyError shows its key as Python would write it: that is one line.
            rest = [] if kind == "KeyError" else _rest_of_message(lines[number + 1 :])
            return PythonError(
                type=kind,
                message="\n".join([error["message"] or "", *rest]).strip(),
                frames=tuple(frames),
                after=tuple(line for line in lines[number + 1 + len(rest) :] if line.strip()),
            )
    return None


def _rest_of_message(lines: list[str]) -> list[str]:
    """Return the further lines of a message that has several, up to an empty one."""
    rest = []
    for line in lines[:_MOST_LINES]:
        if not line.strip() or _HEADER in line or _LOG_LINE.match(line):
            break
        rest.append(line)
    return rest
