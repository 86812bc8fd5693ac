"""The console that everything for people is written to, and how long texts wrap on it."""

from __future__ import annotations

import os
import shutil
from typing import IO

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from mlvalidate.reporting.streams import silence

# The width of a log in CI and of a file, where nothing says how wide the reader's window is.
_WIDTH_OF_PIPES = 120


class ReportConsole(Console):
    """A console that falls silent when its reader goes away, so that a run survives ``| head``."""

    def on_broken_pipe(self) -> None:
        """Send the rest to nowhere; rich would end the process here."""
        silence(self.file)
        self.quiet = True


def make_console(stream: IO[str], *, width: int | None = None) -> ReportConsole:
    """Return a console on ``stream``. NO_COLOR, TERM=dumb, FORCE_COLOR and COLUMNS are respected.

    Nothing is read as markup: texts come from users.
    """
    if width is None and not stream.isatty():
        width = shutil.get_terminal_size((_WIDTH_OF_PIPES, 24)).columns
    return ReportConsole(file=stream, width=width, markup=False, emoji=False, highlight=False)


def can_redraw(console: Console) -> bool:
    """Tell whether lines may be drawn over: on a terminal, but not on the one of a CI service."""
    in_ci = os.environ.get("CI", "").lower() not in ("", "0", "false")
    return console.is_terminal and not console.is_dumb_terminal and not in_ci


def new_table() -> Table:
    """Return an empty table as all ours look: a line below the header, and no frame."""
    return Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False)


def write(
    console: Console, text: Text, *, indent: int = 0, hang: int = 0, copyable: bool = False
) -> None:
    """Print a text that may be long, indented, and never cropped.

    On a terminal it wraps; every line but the first is indented by ``hang`` more. In a pipe, and
    where people will copy it, a line stays a line: it can be searched for and pasted.
    """
    lines = text.split("\n")
    if console.is_terminal and not copyable:
        room = max(console.width - indent - hang, 20)
        lines = text.wrap(console, room, justify="left", overflow="fold")
    for number, line in enumerate(lines):
        line.rstrip()
        margin = " " * (indent + (hang if number else 0))
        console.print(Text(margin).append_text(line), soft_wrap=True)
