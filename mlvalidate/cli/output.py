"""The two streams: JSON or texts on stdout, everything for people on stderr beside JSON."""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper
from typing import TYPE_CHECKING

from mlvalidate.cli.settings import Settings
from mlvalidate.reporting.streams import silence

if TYPE_CHECKING:
    from mlvalidate.reporting.console import ReportConsole


def prepare_streams() -> None:
    """Make the standard streams such that writing to them cannot fail for want of a character.

    Where the caller has closed one, it leads nowhere from now on. Otherwise the next file to be
    opened, perhaps a journal, would take its place and get what scripts print.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    sys.stdout = sys.stdout or os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(2, "w", encoding="utf-8", closefd=False)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def console_for(settings: Settings) -> ReportConsole:
    """Return the console for people."""
    from mlvalidate.reporting.console import make_console

    return make_console(sys.stderr if settings.json else sys.stdout)


def write_out(text: str) -> None:
    """Write machine-readable text to stdout, in UTF-8 whatever the terminal speaks."""
    stream = sys.stdout
    try:
        stream.flush()
        stream.buffer.write(text.encode("utf-8", "backslashreplace") + b"\n")
        stream.flush()
    except BrokenPipeError:
        silence(stream)


def flush_output() -> None:
    """Flush stdout. A reader that has gone is no fault; a full disk raises OSError."""
    stream = sys.stdout
    try:
        stream.flush()
    except BrokenPipeError:
        silence(stream)
