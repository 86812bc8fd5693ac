"""All tests of a project: what is shown while they run, and the report at the end."""

from __future__ import annotations

from collections.abc import Callable

from rich.console import Console
from rich.table import Table
from rich.text import Text

from mlvalidate.core.errors import ExitCode
from mlvalidate.core.events import ChecksFinished, DriftMeasured, Event, RunFinished, RunStarted
from mlvalidate.core.plan import Plan
from mlvalidate.core.results import PipelineResult, StepResult
from mlvalidate.core.run_folder import RunFolder
from mlvalidate.core.suite import LeftOut, SuitePlan, SuiteResult
from mlvalidate.core.units import format_duration
from mlvalidate.reporting.console import new_table, write
from mlvalidate.reporting.findings import print_findings
from mlvalidate.reporting.logs import print_logs
from mlvalidate.reporting.progress import Progress
from mlvalidate.reporting.text import count, plain
from mlvalidate.reporting.verdict import VERDICT_WORD, step_counts
from mlvalidate.reporting.words import EXIT_STYLE, SEPARATOR, severity_counts


class SuiteProgress:
    """Hands the events of all runs to one handler, under names that tell the runs apart."""

    def __init__(self, progress: Progress, suite: SuitePlan, at: float) -> None:
        self._progress = progress
        self._prefixes: dict[str, str] = {}
        names = [_prefix(plan) + step.node for plan in suite.plans for step in plan.steps]
        progress.begin(_heading(suite), names, at)

    def handle(self, run_id: str, event: Event) -> None:
        """Show an event of one of the runs."""
        if isinstance(event, RunStarted):
            self._prefixes[run_id] = _prefix(event.plan)
        elif not isinstance(event, RunFinished):
            self._progress.handle(_renamed(event, self._prefixes[run_id]))


def _heading(suite: SuitePlan) -> str:
    pipelines = sum(plan.kind == "pipeline" for plan in suite.plans)
    facts = (
        f"all tests of {suite.project}",
        count(pipelines, "pipeline"),
        f"{count(len(suite.plans) - pipelines, 'step')} alone",
    )
    return plain(SEPARATOR.join(facts))


def _prefix(plan: Plan) -> str:
    """Steps alone keep their names; nodes get their pipeline's in front."""
    return f"{plan.name}/" if plan.kind == "pipeline" else ""


def _renamed(event: Event, prefix: str) -> Event:
    if isinstance(event, ChecksFinished | DriftMeasured):
        return event.model_copy(update={"result": _renamed_result(event.result, prefix)})
    assert not isinstance(event, RunStarted | RunFinished)
    return event.model_copy(update={"node": prefix + event.node})


def _renamed_result(result: StepResult, prefix: str) -> StepResult:
    findings = tuple(
        finding.model_copy(update={"step": prefix + finding.step}) if finding.step else finding
        for finding in result.findings
    )
    return result.model_copy(update={"node": prefix + result.node, "findings": findings})


def print_suite_plan(
    console: Console, suite: SuitePlan, print_plan: Callable[[Console, Plan], None]
) -> None:
    """Print what would run: each plan, and the steps that have no test of their own."""
    write(console, Text(f"plan of {_heading(suite)}", "bold"))
    for plan in suite.plans:
        console.print()
        print_plan(console, plan)
    _print_left_out(console, suite.left_out)
    write(console, Text(f"\nto run all of it: {plain(suite.command)}"), copyable=True)


def print_suite_summary(
    console: Console,
    result: SuiteResult,
    folder_of: Callable[[PipelineResult], RunFolder],
    *,
    verbose: bool = False,
    quiet: bool = False,
    sync_command: str = "mlvalidate sync",
) -> None:
    """Print the report, see `print_summary`: one table, then what there is to say run by run."""
    if not quiet:
        console.print()
        console.print(_table(result))
        for run in result.runs:
            _print_run(console, run, folder_of(run), verbose=verbose)
        _print_left_out(console, result.left_out)
        console.print()
    write(console, _verdict_line(result))
    if not quiet:
        _print_record(console, result, sync_command)


def _table(result: SuiteResult) -> Table:
    table = new_table()
    table.add_column("run", overflow="fold")
    table.add_column("status", no_wrap=True)
    table.add_column("steps", overflow="fold")
    table.add_column("time", no_wrap=True, justify="right")
    table.add_column("findings", overflow="fold")
    for run in result.runs:
        table.add_row(
            Text(_name(run)),
            Text(VERDICT_WORD[run.exit_code], EXIT_STYLE[run.exit_code]),
            step_counts(run),
            format_duration(max(run.duration_s, 0.0)),
            severity_counts(run.all_findings),
        )
    return table


def _name(run: PipelineResult) -> str:
    return plain(f"pipeline {run.name}" if run.kind == "pipeline" else run.name)


def _print_run(console: Console, run: PipelineResult, folder: RunFolder, *, verbose: bool) -> None:
    has_news = severity_counts(run.all_findings) or run.exit_code is not ExitCode.PASSED
    if has_news or verbose:
        console.print()
        write(console, Text(f"== {_name(run)}", "bold"))
        print_findings(console, run, with_infos=verbose)
        print_logs(console, run, folder, tails=verbose)
    for note in run.notes:
        write(console, Text(f"note on {_name(run)}: {plain(note)}"))


def _print_left_out(console: Console, left_out: tuple[LeftOut, ...]) -> None:
    if left_out:
        console.print()
    for item in left_out:
        where = f"; run by pipeline {', '.join(item.covered_by)}" if item.covered_by else ""
        style = "" if item.covered_by else "bold yellow"
        write(console, Text(f"no run of {plain(item.name)}: {plain(item.reason)}{where}", style))
        if item.hint:
            write(console, Text(f"hint: {plain(item.hint)}"), indent=2, hang=2)


def _verdict_line(result: SuiteResult) -> Text:
    """Return ``FAILED all tests of churn | 3 of 4 runs passed | 2 errors | 12.3s``."""
    code = result.exit_code
    passed = sum(run.exit_code is ExitCode.PASSED for run in result.runs)
    uncovered = sum(not item.covered_by for item in result.left_out)
    facts = (
        f"all tests of {plain(result.project)}",
        f"{passed} of {count(len(result.runs), 'run')} passed",
        f"{uncovered} without any run" if uncovered else "",
        severity_counts(result.all_findings),
        format_duration(max(result.duration_s, 0.0)),
    )
    rest = SEPARATOR.join(fact for fact in facts if fact)
    return Text.assemble((VERDICT_WORD[code], EXIT_STYLE[code]), " ", rest)


def _print_record(console: Console, result: SuiteResult, sync_command: str) -> None:
    """Say where the runs can be seen: how to open them once, then a link each."""
    for command in dict.fromkeys(run.open_command for run in result.runs if run.open_command):
        write(console, Text(f"open: {plain(command)}"), copyable=True)
    for run in result.runs:
        if run.run_url:
            write(console, Text(f"{_name(run)}: {plain(run.run_url)}"), copyable=True)
    waiting = {run.unrecorded for run in result.runs if run.unrecorded}
    for reason in sorted(waiting):
        text = f"not recorded yet: {plain(reason)}; run `{sync_command}`"
        write(console, Text(text, "yellow"))
