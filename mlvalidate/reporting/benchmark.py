"""What a benchmark came to: a table of volumes, and a line on the growth of each figure."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from mlvalidate.checks.growth import bounds, format_megabytes
from mlvalidate.core.benchmarks import Benchmark, Estimate, Growth
from mlvalidate.core.units import format_count, format_duration
from mlvalidate.reporting.console import write

Show = Callable[[float], str]


def print_benchmark(console: Console, benchmark: Benchmark) -> None:
    """Print the table of volumes, the growth, and why there is none where too little is known."""
    console.print(volume_table(benchmark))
    console.print()
    for line in growth_lines(benchmark):
        write(console, Text(line))


def volume_table(benchmark: Benchmark) -> Table:
    """Return the table of volumes: medians, and in brackets where they lie with 95 %."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False)
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
