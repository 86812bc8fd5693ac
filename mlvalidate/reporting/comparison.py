"""Two runs beside each other in the terminal: a table of steps, then what has changed in each."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from mlvalidate.core.comparison import Comparison, FailOn, StepComparison
from mlvalidate.reporting import comparison_words as words
from mlvalidate.reporting.console import new_table, write
from mlvalidate.reporting.text import plain


def print_comparison(
    console: Console, comparison: Comparison, fail_on: Sequence[FailOn] = (), *, quiet: bool = False
) -> None:
    """Print the comparison; only its verdict when ``quiet``."""
    if not quiet:
        for label, run in (("before", comparison.before), ("after", comparison.after)):
            write(console, Text(f"{label:<6}  {plain(words.run_line(run))}"), hang=8)
        console.print()
        console.print(_table(comparison))
        console.print()
        for step in comparison.steps:
            _print_lines(console, step.node, words.details(step))
        _print_lines(console, "run", words.about_the_run(comparison))
    failed = bool(comparison.failures(tuple(fail_on)))
    verdict = words.verdict_line(comparison, fail_on)
    write(console, Text(plain(verdict), "bold red" if failed else ""))


def _table(comparison: Comparison) -> Table:
    table = new_table()
    for name in words.HEADER:
        table.add_column(name, overflow="fold")
    for step in comparison.steps:
        style = _style(step)
        table.add_row(*(Text(plain(cell), style) for cell in words.cells(step)))
    return table


def _style(step: StepComparison) -> str:
    if any(step.fails(sort) for sort in (FailOn.STATUS, FailOn.NEW_FINDINGS, FailOn.SLOWER)):
        return "bold red"
    return "yellow" if step.has_changed else ""


def _print_lines(console: Console, title: str, lines: Sequence[str]) -> None:
    if not lines:
        return
    write(console, Text(plain(title), "bold"))
    for line in lines:
        write(console, Text(plain(line)), indent=2, hang=2)
    console.print()
