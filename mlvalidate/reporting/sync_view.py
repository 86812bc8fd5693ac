"""What `mlvalidate sync` did."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Console
from rich.text import Text

from mlvalidate.reporting.console import write
from mlvalidate.reporting.text import count, plain


def print_sync(console: Console, *, recorded: int, closed: int, pending: Mapping[str, str]) -> None:
    """Print how many runs were recorded and closed, and why others (id -> reason) still wait."""
    if closed:
        write(console, Text(f"closed {count(closed, 'run')} that had been killed"))
    if recorded:
        write(console, Text(f"recorded {count(recorded, 'run')} in MLflow"))
    for run_id, reason in pending.items():
        write(console, Text(f"run {run_id} still waits: {plain(reason)}", "yellow"))
    if not (recorded or closed or pending):
        write(console, Text("every run is recorded"))
