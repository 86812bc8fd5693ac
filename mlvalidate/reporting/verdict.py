"""The last lines: what the run came to, and where it is recorded."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.text import Text

from mlvalidate.core.errors import ExitCode
from mlvalidate.core.results import PipelineResult, Status
from mlvalidate.core.run_folder import RunFolder
from mlvalidate.core.units import format_duration
from mlvalidate.reporting.console import write
from mlvalidate.reporting.text import plain
from mlvalidate.reporting.words import EXIT_STYLE, SEPARATOR, severity_counts

VERDICT_WORD = {
    ExitCode.PASSED: "PASSED",
    ExitCode.FAILED: "FAILED",
    ExitCode.USAGE: "INCOMPLETE",
    ExitCode.INTERNAL: "INTERNAL ERROR",
    ExitCode.NOTHING_RAN: "NOTHING RAN",
    ExitCode.INTERRUPTED: "INTERRUPTED",
}


def verdict_line(result: PipelineResult) -> Text:
    """Return ``FAILED pipeline churn | 3 passed, 1 failed | 2 errors | 12.3s``."""
    # Not the status: a run in which everything was skipped has not passed.
    code = result.exit_code
    facts = (
        f"{result.kind} {plain(result.name)}",
        step_counts(result),
        severity_counts(result.all_findings),
        format_duration(max(result.duration_s, 0.0)),
    )
    rest = SEPARATOR.join(fact for fact in facts if fact)
    return Text.assemble((VERDICT_WORD[code], EXIT_STYLE[code]), " ", rest)


def print_record(
    console: Console, result: PipelineResult, folder: RunFolder, sync_command: str
) -> None:
    """Say where the run can be seen or, when it is not recorded yet, why and what to do."""
    # The command first: the link of a local store leads nowhere before it runs.
    facts = (
        ("resume", result.resume_command),
        ("files", _from_here(folder.root)),
        ("open", result.open_command),
        ("run", result.run_url),
    )
    for label, value in facts:
        if value:
            write(console, Text(f"{label}: {plain(value)}"), copyable=True)
    if result.unrecorded:
        text = f"not recorded yet: {plain(result.unrecorded)}; run `{sync_command}`"
        write(console, Text(text, "yellow"))


def _from_here(path: Path) -> str:
    """Return a path below the working folder in its short form."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def step_counts(result: PipelineResult) -> str:
    """Return ``3 passed, 1 failed``."""
    numbers = ((sum(s.status is status for s in result.steps), status) for status in Status)
    reused = sum(bool(step.reused_from) for step in result.steps)
    return ", ".join(
        f"{number} {status.value}"
        # Only what has passed is ever reused.
        + (f" ({reused} reused)" if reused and status is Status.PASSED else "")
        for number, status in numbers
        if number
    )
