"""The summary table: one line per step."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from mlvalidate.core.results import PipelineResult, Status, StepResult
from mlvalidate.core.reuse import RunReason
from mlvalidate.reporting.console import new_table
from mlvalidate.reporting.text import one_line, plain
from mlvalidate.reporting.words import (
    STATUS_STYLE,
    findings_of,
    memory_of,
    skip_reason,
    time_of,
)

# A step with more tables than this has a line of its own in `result.json`, not in a terminal.
_MOST_PORTS = 4
# What a script said on rejecting a case; all of it is in `result.json`.
_LONGEST_REJECTION = 90


def summary_table(result: PipelineResult) -> Table:
    """Return the table of a run's steps, or of the cases of one, in the order of the plan."""
    if result.kind == "matrix":
        return _matrix(result)
    table = new_table()
    table.add_column("step", overflow="fold")
    table.add_column("status", no_wrap=True)
    table.add_column("time", no_wrap=True, justify="right")
    table.add_column("memory", no_wrap=True, justify="right")
    table.add_column("rows", overflow="fold")
    table.add_column("findings", overflow="fold")
    for step in result.steps:
        table.add_row(
            Text(step.node),
            Text(step.status.value.upper(), STATUS_STYLE[step.status]),
            time_of(step),
            memory_of(step),
            _rows(step),
            _remark(step),
        )
    return table


def _matrix(result: PipelineResult) -> Table:
    table = new_table()
    table.add_column("case", overflow="fold", min_width=24)
    table.add_column("expected", no_wrap=True)
    table.add_column("what happened", overflow="fold")
    table.add_column("time", no_wrap=True, justify="right")
    table.add_column("findings", overflow="fold")
    for step in result.steps:
        table.add_row(
            Text(step.scenario),
            Text(step.expectation.value),
            _happened(step),
            time_of(step),
            Text("; ".join(text for text in (findings_of(step), _reused(step)) if text)),
        )
    return table


def _happened(step: StepResult) -> Text:
    style = STATUS_STYLE[step.status]
    if step.status is Status.SKIPPED:
        return Text(f"skipped: {plain(skip_reason(step))}", style)
    if step.status is not Status.PASSED:
        return Text(step.status.value.upper(), style)
    said = one_line(step.rejection)
    return Text(f"rejected: {_cut(said)}" if said else "passed", style)


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_REJECTION else f"{text[: _LONGEST_REJECTION - 3]}..."


def metrics_lines(result: PipelineResult) -> list[str]:
    """Return the metrics that steps declare, a line each: ``evaluate: auc 0.83, brier 0.2``."""
    return [
        f"{step.node}: " + ", ".join(f"{name} {value:.4g}" for name, value in step.metrics.items())
        for step in result.steps
        if step.metrics
    ]


def change_lines(result: PipelineResult, *, verbose: bool = False) -> list[str]:
    """Return why steps ran that are kept from earlier runs, a line each.

    What needs no word is left out, unless ``verbose``: that there was nothing to reuse, and that
    the user wanted the step to run.
    """
    quiet = () if verbose else (RunReason.NEW, RunReason.CACHE_OFF, RunReason.FORCED)
    return [
        f"{step.node}: {one_line(step.run_detail)}"
        for step in result.steps
        if step.run_reason is not None and step.run_reason not in quiet
    ]


def _rows(step: StepResult) -> Text:
    """Return rows by output port. No blanks within a port: lines break between ports only."""
    shown = [f"{port}:{rows:,}" for port, rows in step.rows.items()]
    if len(shown) > _MOST_PORTS:
        shown = [*shown[:_MOST_PORTS], f"+{len(shown) - _MOST_PORTS} more"]
    return Text(" ".join(shown))


def _remark(step: StepResult) -> Text:
    """Return the counts of findings or, for a step that did not run, why."""
    if step.status is Status.SKIPPED:
        return Text(plain(skip_reason(step)), STATUS_STYLE[step.status])
    rejected = f"rejected: {one_line(step.rejection)}" if step.rejection else findings_of(step)
    return Text("; ".join(text for text in (rejected, _reused(step)) if text))


def _reused(step: StepResult) -> str:
    """Return that a step did not run; of which run it is stands in a note."""
    return "reused" if step.reused_from else ""
