"""What was thrown away of old runs."""

from __future__ import annotations

import datetime as dt

from rich.console import Console
from rich.text import Text

from mlvalidate.core.retention import Collected, Removal, Sort
from mlvalidate.core.units import format_size
from mlvalidate.reporting.console import write
from mlvalidate.reporting.text import count, plain

_TITLES = {
    Sort.DATA: "data of runs on this disk",
    Sort.JOURNALS: "folders of runs on this disk",
    Sort.RUNS: "runs in MLflow",
}


def print_collected(console: Console, collected: Collected, *, details: bool = False) -> None:
    """Print what went, or would go, and what stays for which reason; with ``details`` each run."""
    for removal in collected.removals:
        _print_removal(console, removal, details=details, dry=collected.is_dry)
    if collected.is_dry and any(removal.runs for removal in collected.removals):
        write(console, Text("nothing was deleted: --delete does it"))


def _print_removal(console: Console, removal: Removal, *, details: bool, dry: bool) -> None:
    would = "would go" if dry else "deleted"
    size = "" if removal.sort is Sort.RUNS else f" ({format_size(removal.size_bytes)})"
    title = Text(_TITLES[removal.sort], "bold")
    write(console, title.append(f": {count(len(removal.runs), 'run')} {would}{size}", "none"))
    for run in removal.runs if details else ():
        started = dt.datetime.fromtimestamp(run.started_at).strftime("%Y-%m-%d %H:%M")
        freed = "" if run.size_bytes is None else f", {format_size(run.size_bytes)}"
        write(console, Text(f"  {run.run_id} {plain(run.name)}, {started}{freed}"))
    for reason, number in removal.kept.items():
        write(console, Text(f"  {count(number, 'run')} kept: {plain(reason)}"))
    for run_id, reason in removal.failed.items():
        write(console, Text(f"  run {run_id} was not deleted: {plain(reason)}", "red"))
    if removal.note and not dry:
        write(console, Text(f"  {plain(removal.note)}"), copyable=True)
