"""What the cache holds, and what was removed from it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from mlvalidate.core.reuse import CachedStep, Pruned
from mlvalidate.core.units import format_size
from mlvalidate.reporting.console import new_table, write
from mlvalidate.reporting.text import count


def print_cache(
    console: Console, steps: Sequence[CachedStep], limit: int, *, quiet: bool = False
) -> None:
    """Print the steps that are kept, and how much of ``limit`` bytes they take."""
    if steps and not quiet:
        table = new_table()
        for title in ("step", "of", "run", "last used"):
            table.add_column(title, overflow="fold")
        table.add_column("size", justify="right", no_wrap=True)
        for step in steps:
            used = dt.datetime.fromtimestamp(step.used_at).strftime("%Y-%m-%d %H:%M")
            cells = (step.node, step.name, step.run_id, used, format_size(step.size_bytes))
            table.add_row(*map(Text, cells))
        console.print(table)
        console.print()
    size = format_size(sum(step.size_bytes for step in steps))
    write(console, Text(f"{count(len(steps), 'step')}, {size} of {format_size(limit)}"))


def print_pruned(console: Console, pruned: Pruned) -> None:
    """Print what was removed, and what is left."""
    removed = f"{count(pruned.removed, 'step')} removed ({format_size(pruned.removed_bytes)})"
    write(console, Text(f"{removed}, {pruned.left} left ({format_size(pruned.left_bytes)})"))
