"""What was generated, and how near it comes to real data."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from mlvalidate.data.fidelity import ColumnFidelity, Fidelity
from mlvalidate.data.generation import Generated
from mlvalidate.reporting.console import new_table, write
from mlvalidate.reporting.text import count, one_line


def print_generated(console: Console, generated: Generated, *, quiet: bool) -> None:
    """Print the files with their rows, and the comparison where there is one."""
    if not quiet:
        if generated.scenario != "standard":
            write(console, Text(f"scenario {one_line(generated.scenario)}", "bold"))
        for path, rows in generated.files.items():
            write(console, Text(f"{one_line(path)}: {count(rows, 'row')}"), copyable=True)
    if generated.fidelity is not None:
        _print_fidelity(console, generated.fidelity, generated.against, quiet=quiet)


def _print_fidelity(console: Console, found: Fidelity, against: str, *, quiet: bool) -> None:
    if not quiet:
        console.print()
        console.print(_table(found))
        console.print()
    real, made = count(found.real_rows, "row"), count(found.synthetic_rows, "row")
    write(console, Text(f"compared with {one_line(against)}: {real}, synthetic {made}", "bold"))
    if found.drift_share is None:
        write(console, Text("drift: no column could be compared"))
    else:
        drifted = sum(column.drifted for column in found.columns)
        of = f"{drifted} of {count(found.compared, 'column')}"
        write(console, Text(f"drift: {found.drift_share:.0%} ({of})"))
    if found.correlation_difference is not None and found.pair is not None:
        pair = " and ".join(map(one_line, found.pair))
        write(
            console,
            Text(
                f"largest difference of a correlation: {found.correlation_difference:.2f} ({pair})"
            ),
        )


def _table(found: Fidelity) -> Table:
    table = new_table()
    for title in ("column", "type", "test", "score", "threshold", "nulls real", "synthetic", ""):
        table.add_column(title, overflow="fold")
    for column in found.columns:
        table.add_row(*map(Text, _cells(column)))
    return table


def _cells(column: ColumnFidelity) -> tuple[str, ...]:
    real, made = (f"{share:.1%}" for share in column.null_shares)
    if column.score is None or column.threshold is None:
        nothing = ("", "", "", real, made, f"not compared: {column.reason}")
        return (one_line(column.column), column.type.value, *nothing)
    verdict = "drift" if column.drifted else ""
    figures = (column.test, f"{column.score:.3g}", f"{column.threshold:g}", real, made, verdict)
    return (one_line(column.column), column.type.value, *figures)
