"""What `mlvalidate sync` did."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Console
from rich.text import Text

from mlvalidate.reporting.console import write
from mlvalidate.reporting.text import count, plain


def print_sync(
    console: Console,
    *,
    recorded: int,
    closed: int,
    pending: Mapping[str, str],
    reports: Mapping[str, str],
) -> None:
    """Print how many runs were recorded and closed, and why others (id -> reason) still wait.

    ``reports`` says what came of reports that were recorded belatedly, by run.
    """
    if closed:
        write(console, Text(f"closed {count(closed, 'run')} that had been killed"))
    if recorded:
        write(console, Text(f"recorded {count(recorded, 'run')} in MLflow"))
    for run_id, summary in reports.items():
        write(console, Text(f"reports of run {run_id}: {plain(summary)}"))
    for run_id, reason in pending.items():
        write(console, Text(f"run {run_id} still waits: {plain(reason)}", "yellow"))
    if not (recorded or closed or pending or reports):
        write(console, Text("every run is recorded"))
