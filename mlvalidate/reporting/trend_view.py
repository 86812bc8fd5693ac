"""Writes a trend for people: bars for each series, what changed, and how often what failed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from rich.console import Console
from rich.table import Table
from rich.text import Text

from mlvalidate.core.findings import Severity
from mlvalidate.core.trend import Change, Reliability, Series, Trend
from mlvalidate.core.units import format_duration, format_size
from mlvalidate.reporting.console import new_table, write
from mlvalidate.reporting.sparkline import sparkline
from mlvalidate.reporting.text import count, one_line
from mlvalidate.reporting.words import SEPARATOR, SEVERITY_STYLE

# Of a line of bars on a narrow terminal, and on any other.
_LEAST_BARS, _MOST_BARS = 20, 50


def print_trend(console: Console, trend: Trend, *, quiet: bool = False) -> None:
    """Write a trend; when ``quiet`` only what has changed, and what is flaky."""
    if not quiet:
        write(console, Text(_headline(trend), "bold"))
        console.print()
        console.print(_series_table(console, trend))
        console.print()
    said = [*_changes(trend), *_flips(trend)]
    for text in said:
        write(console, text, hang=2)
    if quiet:
        return
    if said:
        console.print()
    unreliable = [each for each in trend.reliability if each.failed]
    if unreliable:
        console.print(_reliability_table(unreliable, trend))
        console.print()
    if trend.findings:
        console.print(_findings_table(trend))
        console.print()
    for line in _remarks(trend):
        write(console, Text(line, "dim"), hang=2)


def format_value(metric: str, value: float) -> str:
    """Return a value of a metric with its unit: ``1.24s``, ``140MB``, ``0.813``, ``12,000``."""
    if metric.endswith("_s"):
        return format_duration(value) if value >= 0 else f"{value:.4g}s"
    if metric.endswith("_mb"):
        return format_size(value * 1e6) if value >= 0 else f"{value:.4g}MB"
    whole = value == int(value) and abs(value) < 1e15
    return f"{int(value):,}" if whole else f"{value:.4g}"


def change_words(series: Series, change: Change) -> str:
    """Return ``from 1.20s to 1.61s (+34 %)``; from zero without a share."""
    levels = (
        f"from {format_value(series.metric, change.before)} "
        f"to {format_value(series.metric, change.after)}"
    )
    return levels if change.ratio is None else f"{levels} ({100 * change.ratio:+.3g} %)"


def name_of(trend: Trend, series: Series) -> str:
    """Return what a series is of; of a whole run the name of the pipeline."""
    return series.node or trend.name


def _headline(trend: Trend) -> str:
    days = [f"{datetime.fromtimestamp(at):%Y-%m-%d}" for at in (trend.began_at, trend.ended_at)]
    return one_line(
        SEPARATOR.join(
            (
                f"trend of {trend.kind} {trend.name}",
                trend.metric,
                f"{count(trend.runs, 'run')}, {' to '.join(dict.fromkeys(days))}",
            )
        )
    )


def _series_table(console: Console, trend: Trend) -> Table:
    several = len({series.metric for series in trend.series}) > 1
    table = new_table()
    table.add_column("step" if trend.kind == "step" else "", overflow="fold")
    if several:
        table.add_column("metric", overflow="fold")
    for title in ("runs", "first", "last", "lowest", "highest"):
        table.add_column(title, no_wrap=True, justify="right")
    table.add_column("trend", no_wrap=True)
    names = [one_line(name_of(trend, series)) for series in trend.series]
    room = console.width - max(map(len, names)) - (24 if several else 0) - 45
    for name, series in zip(names, trend.series, strict=True):
        values = [point.value for point in series.points]
        shown = [
            format_value(series.metric, value)
            for value in (values[0], values[-1], min(values), max(values))
        ]
        table.add_row(
            Text(name),
            *([Text(one_line(series.metric))] if several else []),
            str(len(values)),
            *shown,
            Text(_bars(series, min(max(room, _LEAST_BARS), _MOST_BARS), console.encoding)),
        )
    return table


def _bars(series: Series, width: int, encoding: str) -> str:
    ids = [point.run_id for point in series.points]
    changes = [ids.index(change.run_id) for change in series.changes]
    values = [point.value for point in series.points]
    return sparkline(values, changes=changes, width=width, encoding=encoding)


def _changes(trend: Trend) -> Iterator[Text]:
    for series in trend.series:
        for change in series.changes:
            yield Text.assemble(
                ("CHANGED  ", "bold yellow"),
                one_line(
                    f"{name_of(trend, series)} {series.metric} {change_words(series, change)} "
                    f"in run {change.run_id}{_commits(change)}"
                ),
            )


def _commits(change: Change) -> str:
    if not change.commit:
        return ""
    if change.commit == change.commit_before:
        return f", at commit {change.commit[:10]} as the run before"
    before = f"; the run before was at {change.commit_before[:10]}" if change.commit_before else ""
    return f", at commit {change.commit[:10]}{before}"


def _flips(trend: Trend) -> Iterator[Text]:
    for each in trend.reliability:
        if each.is_flaky:
            last = each.flips[-1]
            yield Text.assemble(
                ("FLAKY    ", "bold yellow"),
                one_line(
                    f"{each.node or trend.name} changed its verdict "
                    f"{count(len(each.flips), 'time')} on equal code, contract and data; "
                    f"last: {last.status_before} in {last.run_before}, "
                    f"{last.status} in {last.run_id}"
                ),
            )


def _reliability_table(unreliable: list[Reliability], trend: Trend) -> Table:
    table = new_table()
    table.add_column("failures of", overflow="fold")
    table.add_column("failed", no_wrap=True, justify="right")
    table.add_column("runs", no_wrap=True, justify="right")
    table.add_column("rate", no_wrap=True, justify="right")
    for each in unreliable:
        table.add_row(
            Text(one_line(each.node or trend.name)),
            str(each.failed),
            str(each.runs),
            f"{100 * each.failure_rate:.3g} %",
        )
    return table


def _findings_table(trend: Trend) -> Table:
    table = new_table()
    table.add_column("runs", no_wrap=True, justify="right")
    table.add_column("code", no_wrap=True)
    table.add_column("finding", overflow="fold")
    table.add_column("last in run", no_wrap=True)
    for each in trend.findings:
        where = f"{each.node}: " if each.node else ""
        table.add_row(
            str(each.runs),
            Text(each.code, SEVERITY_STYLE[Severity(each.severity)]),
            Text(one_line(f"{where}{each.message}")),
            Text(one_line(each.last_run)),
        )
    return table


def _remarks(trend: Trend) -> Iterator[str]:
    """Yield what the runs of the series have in common, and how many others were left out."""
    if trend.runs_read < trend.runs_with_findings:
        with_any = f"{count(trend.runs_with_findings, 'run')} that have any"
        yield f"findings: of the newest {trend.runs_read} of {with_any}"
    yield from _by_series(
        trend,
        "comparable: ",
        lambda series: [f"{name} {value}" for name, value in series.conditions.items()],
    )
    yield from _by_series(
        trend,
        "left out: ",
        lambda series: [f"{number} {reason}" for reason, number in series.left_out.items()],
    )


def _by_series(trend: Trend, title: str, facts_of: Callable[[Series], list[str]]) -> Iterator[str]:
    """Yield the facts of all series in one line, then others, with the names of their series."""
    names_of: dict[str, list[str]] = {}
    for series in trend.series:
        for fact in facts_of(series):
            names_of.setdefault(fact, []).append(name_of(trend, series))
    by_names: dict[str, list[str]] = {}
    for fact, names in names_of.items():
        of_all = len(names) == len(trend.series)
        by_names.setdefault("" if of_all else ", ".join(dict.fromkeys(names)), []).append(fact)
    for shared, facts in sorted(by_names.items()):
        yield one_line(f"{title}{f'{shared}: ' if shared else ''}{', '.join(facts)}")
