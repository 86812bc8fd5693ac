"""The report of a finished run: table, findings, logs, notes, verdict, record."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from mlvalidate.core.results import PipelineResult
from mlvalidate.core.run_folder import RunFolder
from mlvalidate.reporting.benchmark import print_benchmark
from mlvalidate.reporting.console import write
from mlvalidate.reporting.findings import print_findings
from mlvalidate.reporting.logs import print_logs
from mlvalidate.reporting.related import related_line
from mlvalidate.reporting.table import change_lines, metrics_lines, summary_table
from mlvalidate.reporting.text import plain
from mlvalidate.reporting.verdict import print_record, verdict_line


def print_summary(
    console: Console,
    result: PipelineResult,
    folder: RunFolder,
    *,
    verbose: bool = False,
    quiet: bool = False,
    sync_command: str = "mlvalidate sync",
) -> None:
    """Print the report. ``verbose`` adds infos and the ends of logs; ``quiet`` leaves the verdict.

    ``sync_command`` is what records the run later, as the user has to type it.
    """
    if not quiet:
        console.print()
        if result.benchmark is None:
            console.print(summary_table(result))
        else:
            print_benchmark(console, result.benchmark, folder)
        metrics = [] if result.benchmark else metrics_lines(result)
        if metrics:
            write(console, Text("\nmetrics"))
        for line in metrics:
            write(console, Text(f"  {plain(line)}"))
        changes = change_lines(result, verbose=verbose)
        if changes:
            write(console, Text("\nwhy steps ran"))
        for line in changes:
            write(console, Text(f"  {plain(line)}"))
        print_findings(console, result, with_infos=verbose)
        print_logs(console, result, folder, tails=verbose)
        if result.related_issues:
            write(console, Text("\nearlier runs"))
        for issue in result.related_issues:
            write(console, Text(f"  {plain(related_line(issue))}"), hang=4)
        console.print()
        for note in result.notes:
            write(console, Text(f"note: {plain(note)}"))
    write(console, verdict_line(result))
    if not quiet:
        print_record(console, result, folder, sync_command)
