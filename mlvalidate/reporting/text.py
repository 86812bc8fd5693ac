"""Text for people: user text made harmless, counts in words. Standard library only."""

from __future__ import annotations

import os
import re
from pathlib import Path

# Whole escape sequences go: CSI (colours, cursor), OSC (titles, links), other strings, charset
# choices and the two-character ones. What is left of a broken one is shown as an escape.
_ESCAPE_SEQUENCE = re.compile(
    r"\x1b(?:"
    r"\[[0-?]*[ -/]*[@-~]"
    r"|\][^\x07\x1b]*(?:\x07|\x1b\\)"
    r"|[PX^_][^\x1b]*\x1b\\"
    r"|[ -/]+[0-~]"
    r"|[0-OQ-WYZ`-~])"
)
# Everything that moves the cursor, rings, reorders the line or cannot be encoded.
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)


def plain(text: str) -> str:
    """Return ``text`` without anything that a terminal would obey; line breaks stay."""
    text = _ESCAPE_SEQUENCE.sub("", text.replace("\r\n", "\n"))
    return _UNPRINTABLE.sub(_show, text).expandtabs(4)


def one_line(text: str) -> str:
    """Return ``text`` made plain and put on a single line."""
    return " ".join(plain(text).split())


def count(number: int, noun: str) -> str:
    """Return ``1 error``, ``2 errors``, ``12,000 rows``."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def short_path(path: Path) -> str:
    """Return the path from the current folder, where that is shorter."""
    return min(str(path), os.path.relpath(path), key=len)


def _show(match: re.Match[str]) -> str:
    code = ord(match.group())
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
