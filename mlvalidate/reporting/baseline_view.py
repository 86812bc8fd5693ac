"""Which runs are baselines, one a line."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from mlvalidate.core.history import RunRecord
from mlvalidate.reporting.console import write
from mlvalidate.reporting.text import plain


def print_baselines(console: Console, runs: Sequence[RunRecord], otherwise: str) -> None:
    """Print what the runs are baselines of, or ``otherwise`` where there are none."""
    for run in runs:
        commit = f" at commit {run.commit[:10]}" if run.commit else ""
        changes = " with changes" if run.is_dirty else ""
        # A person may choose any run, and should see what it is.
        verdict = "" if run.is_passed else f" ({run.status})"
        text = f"{run.scope.description}: run {run.run_id}{commit}{changes}{verdict}"
        write(console, Text(plain(text)), copyable=True)
    if not runs:
        write(console, Text(plain(otherwise)))
