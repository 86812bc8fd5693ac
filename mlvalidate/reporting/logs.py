"""The end of what a failed step printed."""

from __future__ import annotations

import os
from pathlib import Path

from rich.console import Console
from rich.text import Text

from mlvalidate.core.results import PipelineResult, Status, StepResult
from mlvalidate.core.run_folder import RunFolder
from mlvalidate.reporting.console import write
from mlvalidate.reporting.text import count, plain, short_path

TAIL_LINES = 30
# Enough for thirty long lines. A log may have megabytes; only its end is read.
_TAIL_BYTES = 64 * 1024
_MOST_LINE = 2000


def print_logs(console: Console, result: PipelineResult, folder: RunFolder, *, tails: bool) -> None:
    """Say where the logs of failed steps are and, with ``tails``, print their ends."""
    for step in result.steps:
        if step.status is not Status.FAILED:
            continue
        logs = folder.step(step.node)
        if not logs.logs.is_dir():
            continue
        console.print()
        where = Text.assemble((f"{step.node} printed: ", "bold"), plain(short_path(logs.logs)))
        write(console, where, copyable=True)
        if tails:
            _print_tails(console, step, folder)


def read_tail(path: Path, lines: int = TAIL_LINES) -> tuple[str, ...]:
    """Return the last lines of a log, as a terminal would have shown them; none when unreadable."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _TAIL_BYTES))
            text = file.read().decode(errors="replace")
    except OSError:
        return ()
    text = text.replace("\r\n", "\n").rstrip("\n")
    return tuple(_printed(line) for line in text.split("\n")[-lines:]) if text else ()


def _print_tails(console: Console, step: StepResult, folder: RunFolder) -> None:
    files = folder.step(step.node)
    for name, path in (("stdout", files.stdout), ("stderr", files.stderr)):
        tail = read_tail(path)
        if not tail:
            continue
        console.print(Text(f"  {name}, last {count(len(tail), 'line')}:", "dim"))
        for line in tail:
            write(console, Text(line), indent=4, copyable=True)


def _printed(line: str) -> str:
    """Return what is left of a line on the screen: a progress bar overwrites itself."""
    left = plain(line.rstrip("\r").rpartition("\r")[2])
    if len(left) <= _MOST_LINE:
        return left
    return f"{left[:_MOST_LINE]}... ({count(len(left) - _MOST_LINE, 'character')} more)"
