"""A comparison in words, the same wherever it is shown. Texts are not escaped."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from mlvalidate.core.comparison import (
    ColumnChange,
    ComparedRun,
    Comparison,
    Difference,
    FailOn,
    FigureChange,
    StepComparison,
    TableChange,
    Timing,
)
from mlvalidate.core.findings import Finding
from mlvalidate.core.quality import ColumnDrift
from mlvalidate.core.units import format_duration, format_size
from mlvalidate.reporting.text import count, one_line

HEADER = ("step", "status", "time", "memory", "rows", "findings", "outputs")
ARROW = "->"
_MOST_LINES = 10
_LONGEST = 80
_NOTHING = "-"
_FIGURES = {"duration_s": "time", "peak_rss_mb": "memory"}


def run_line(run: ComparedRun) -> str:
    """Return which run it is: ``churn 20251009-085320-ab12cd, passed, main c0ffee1234``."""
    commit = " ".join(part for part in (run.branch, run.commit[:10]) if part)
    dirty = ", with uncommitted changes" if run.is_dirty else ""
    return ", ".join(part for part in (f"{run.name} {run.run_id}", run.status, commit) if part) + (
        dirty
    )


def cells(step: StepComparison) -> tuple[str, ...]:
    """Return the row of a step; the columns are those of `HEADER`."""
    findings = [
        f"{len(each)} {word}"
        for each, word in ((step.new_findings, "new"), (step.fixed_findings, "fixed"))
        if each
    ]
    return (
        step.node,
        _moved(step.status_before or "not there", step.status_after or "not there"),
        _timing_cell(step, "duration_s"),
        _timing_cell(step, "peak_rss_mb"),
        ", ".join(figure_words(change) for change in step.rows[:2])
        + (", ..." if len(step.rows) > 2 else ""),
        ", ".join(findings),
        _output_cell(step),
    )


def _moved(before: str, after: str) -> str:
    return before if before == after else f"{before} {ARROW} {after}"


def _timing_cell(step: StepComparison, figure: str) -> str:
    timing = step.timing(figure)
    if timing is None:
        return _NOTHING
    show = _show(timing)
    verdict = "" if timing.verdict == "cannot say" else f" {timing.verdict}"
    return f"{_moved(show(timing.before), show(timing.after))}{verdict}"


def _show(timing: Timing) -> Callable[[float], str]:
    return format_duration if timing.figure == "duration_s" else _megabytes


def _megabytes(value: float) -> str:
    return format_size(value * 1e6)


def _output_cell(step: StepComparison) -> str:
    columns = sum(len(table.columns) for table in step.tables)
    files = sum(table.change != "changed" for table in step.tables)
    drifted = sum(len(table.drifted) for table in step.tables)
    parts = (
        f"{files} files" if files > 1 else "1 file" if files else "",
        f"{count(columns, 'column')} changed" if columns else "",
        f"{drifted} drifted" if drifted else "",
    )
    told = ", ".join(part for part in parts if part)
    return told or ("other content" if step.tables else "")


def details(step: StepComparison) -> list[str]:
    """Return what has changed in a step, a line each; nothing when nothing has."""
    if not step.has_changed:
        return []
    return [
        *_of_causes(step),
        *_of_timings(step),
        *_shortened([f"rows of {figure_words(change)}" for change in step.rows]),
        *_shortened([f"metric {figure_words(change)}" for change in step.metrics]),
        *_shortened([f"new: {finding_words(finding)}" for finding in step.new_findings]),
        *_shortened([f"fixed: {finding_words(finding)}" for finding in step.fixed_findings]),
        *(line for table in step.tables for line in _of_table(table)),
    ]


def _of_causes(step: StepComparison) -> Iterator[str]:
    if step.changed:
        yield f"changed: {', '.join(step.changed)}"
    yield from _shortened([difference_words(each) for each in step.settings])


def _of_timings(step: StepComparison) -> Iterator[str]:
    if step.untimed:
        yield f"time: cannot say, it {step.untimed}"
    for timing in step.timings:
        if timing.figure == "duration_s" or timing.verdict != "cannot say":
            yield timing_words(timing)
    if step.timings and step.pool.left_out:
        left_out = [f"{number} {reason}" for reason, number in step.pool.left_out.items()]
        yield f"runs left out: {', '.join(left_out)}"


def timing_words(timing: Timing) -> str:
    """Return ``time: 1.20s -> 1.45s (1.21 times, 1.12 to 1.30), slower, by 10 and 12 runs``."""
    show = _show(timing)
    shift = f"{timing.ratio:.2f} times"
    verdict = f"{timing.verdict}: {timing.reason}" if timing.reason else timing.verdict
    if timing.low is not None and timing.high is not None:
        shift += f", {timing.low:.2f} to {timing.high:.2f}"
        verdict += f", by {len(timing.values_before)} and {len(timing.values_after)} runs"
    moved = f"{show(timing.before)} {ARROW} {show(timing.after)}"
    return f"{_FIGURES[timing.figure]}: {moved} ({shift}), {verdict}"


def figure_words(change: FigureChange) -> str:
    """Return ``auc 0.81 -> 0.79``."""
    before, after = (
        "none" if value is None else f"{value:.6g}" for value in (change.before, change.after)
    )
    return f"{change.name} {before} {ARROW} {after}"


def difference_words(change: Difference) -> str:
    """Return ``seed: 1 -> 2``; a text that is not there is none."""
    before, after = (_cut(one_line(text)) or "none" for text in (change.before, change.after))
    return f"{change.name}: {before} {ARROW} {after}"


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def finding_words(finding: Finding) -> str:
    """Return ``X201 error: exit code 1``."""
    return f"{finding.code} {finding.severity.value}: {one_line(finding.message)}"


def _of_table(table: TableChange) -> Iterator[str]:
    name = f"output {table.port}/{table.file}"
    if table.change != "changed":
        yield f"{name}: {table.change}"
        return
    yield from _shortened([f"{name}: {column_words(column)}" for column in table.columns])
    yield from _shortened([f"{name}: {drift_words(column)}" for column in table.drifted])
    if table.drift_problem:
        yield f"{name}: drift not measured: {table.drift_problem}"
    elif not table.columns and not table.drifted:
        yield f"{name}: other content, no drift"


def column_words(column: ColumnChange) -> str:
    """Return ``column age added (int64)``."""
    types = _moved(column.before, column.after) if column.change == "retyped" else (
        column.before or column.after
    )  # fmt: skip
    return f"column {column.column} {column.change} ({types})"


def drift_words(column: ColumnDrift) -> str:
    """Return ``column age has drifted (K-S p-value 0.001)``."""
    parts = []
    if column.drifted and column.score is not None:
        kind = "p-value" if column.is_p_value else "distance"
        parts.append(f"{column.test} {kind} {column.score:.3g}")
    if column.nulls_drifted:
        before, after = column.null_shares
        parts.append(f"missing values {before:.0%} {ARROW} {after:.0%}")
    return f"column {column.column} has drifted ({', '.join(parts)})"


def about_the_run(comparison: Comparison) -> list[str]:
    """Return what has changed in the run as a whole, a line each."""
    lines = [difference_words(each) for each in comparison.environment]
    lines += [f"new: {finding_words(finding)}" for finding in comparison.new_findings]
    lines += [f"fixed: {finding_words(finding)}" for finding in comparison.fixed_findings]
    if comparison.git_range:
        lines.append(f"commits {comparison.git_range}")
        lines += [f"  {line}" for line in comparison.commits]
    return lines + list(comparison.notes)


def verdict_line(comparison: Comparison, sorts: Sequence[FailOn]) -> str:
    """Return what the comparison fails on, or how many steps have changed."""
    failures = comparison.failures(tuple(sorts))
    if failures:
        told = [f"{sort.value} ({', '.join(nodes)})" for sort, nodes in failures.items()]
        return f"FAILED on {', '.join(told)}"
    changed = sum(step.has_changed for step in comparison.steps)
    number = len(comparison.steps)
    return f"{changed} of {count(number, 'step')} changed"


def _shortened(lines: list[str]) -> list[str]:
    if len(lines) <= _MOST_LINES:
        return lines
    return [*lines[:_MOST_LINES], f"and {len(lines) - _MOST_LINES} more, see --json"]
