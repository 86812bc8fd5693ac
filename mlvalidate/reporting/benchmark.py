"""What a benchmark came to: a table of volumes, and a line on the growth of each figure."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rich.console import Console
from rich.table import Table
from rich.text import Text

from mlvalidate.checks.growth import bounds, format_megabytes
from mlvalidate.core.benchmarks import Benchmark, Estimate, Growth, Profile, ProfileKind
from mlvalidate.core.run_folder import RunFolder
from mlvalidate.core.units import format_count, format_duration
from mlvalidate.reporting.console import new_table, write
from mlvalidate.reporting.text import one_line, plain, short_path

Show = Callable[[float], str]
_SHOWN_OF_PROJECT = 6
_SHOWN_OF_OTHERS = 4
# Of the greatest entry: what has less does not matter.
_LEAST_SHARE = 0.01


def print_benchmark(console: Console, benchmark: Benchmark, folder: RunFolder) -> None:
    """Print the table of volumes, the growth, and why there is none where too little is known."""
    console.print(volume_table(benchmark))
    console.print()
    for line in growth_lines(benchmark):
        write(console, Text(line))
    for profile in benchmark.profiles:
        console.print()
        write(console, Text(profile_title(profile)))
        if profile.entries:
            console.print(profile_table(profile))
        for file in profile.files:
            write(console, Text(plain(short_path(folder.root / file))), copyable=True)


def volume_table(benchmark: Benchmark) -> Table:
    """Return the table of volumes: medians, and in brackets where they lie with 95 %."""
    table = new_table()
    for name in ("rows", "runs", "time", "cpu", "memory"):
        table.add_column(name, justify="right")
    for volume in benchmark.volumes:
        table.add_row(
            f"{volume.rows:,}",
            str(volume.measurements),
            _shown(volume.duration_s, format_duration),
            _shown(volume.cpu_s, format_duration),
            _shown(volume.peak_rss_mb, format_megabytes),
        )
    return table


def growth_lines(benchmark: Benchmark) -> Iterator[str]:
    """Yield how time and memory grow, and what that makes in production."""
    for name, growth, limit, show in (
        ("time", benchmark.duration_s, benchmark.timeout_s, format_duration),
        ("memory", benchmark.peak_rss_mb, benchmark.memory_mb, format_megabytes),
    ):
        if growth is None:
            yield f"{name}: growth needs at least three volumes and four measurements that passed"
            continue
        yield f"{name} {growth_words(growth, show)}"
        if growth.predicted is not None and benchmark.volume is not None:
            predicted = _shown(growth.predicted, show)
            rows = format_count(benchmark.volume)
            yield f"{name} for {rows} rows: {predicted}, the limit is {show(limit)}"


def profile_title(profile: Profile) -> str:
    """Return what was profiled, of which run and by which tool; or why it was not."""
    name = {ProfileKind.CPU: "time by function", ProfileKind.MEMORY: "memory by line"}[profile.kind]
    failed = f"; {profile.node} failed with the profiler" if profile.step_failed else ""
    if profile.problem:
        return f"{name}: {one_line(profile.problem)}{failed}"
    peak = "" if profile.peak_mb is None else f", {format_megabytes(profile.peak_mb)} at the peak"
    return f"{name} of {profile.node} ({profile.tool}{peak}){failed}"


def profile_table(profile: Profile) -> Table:
    """Return the entries that count most: first those of the project, then the libraries'."""
    show = format_duration if profile.kind is ProfileKind.CPU else format_megabytes
    table = new_table()
    for name in ("total", "own"):
        table.add_column(name, justify="right")
    for name in ("function", "place"):
        table.add_column(name, overflow="fold")
    least = max((entry.total for entry in profile.entries), default=0.0) * _LEAST_SHARE
    shown = [entry for entry in profile.entries if entry.total >= least]
    of_project = [entry for entry in shown if entry.is_of_project]
    others = [entry for entry in shown if not entry.is_of_project]
    for entry in (*of_project[:_SHOWN_OF_PROJECT], *others[:_SHOWN_OF_OTHERS]):
        place = f"{entry.file}:{entry.line}" if entry.line else entry.file
        cells = (show(entry.total), show(entry.own), entry.function, place)
        table.add_row(*(Text(plain(cell)) for cell in cells))
    return table


def growth_words(growth: Growth, show: Show) -> str:
    """Return ``grows with n^2 (97 % sure): exponent 1.98 (1.91 to 2.05), 310ms to start``."""
    sure = f"{100 * growth.confidence:.0f} % sure"
    if growth.kind == "constant":
        return f"does not grow ({sure}): exponent at most {growth.exponent.high:.2f}"
    return (
        f"grows with {growth.kind} ({sure}): exponent {growth.exponent.value:.2f} "
        f"({bounds(growth.exponent)}), {show(growth.start)} to start"
    )


def _shown(estimate: Estimate, show: Show) -> str:
    interval = bounds(estimate, show)
    return show(estimate.value) + (f" ({interval})" if interval else "")
