"""What a job on GitHub shows: annotations on lines of code, and a summary.

Workflow commands: https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

from collections.abc import Iterable

from mlvalidate.core.findings import Finding, Severity
from mlvalidate.core.reporters import Report
from mlvalidate.core.results import PipelineResult
from mlvalidate.reporting.comment import fit
from mlvalidate.reporting.places import each_finding, find_place
from mlvalidate.reporting.text import plain

# A step's summary may have 1 MiB, all that was written to it before included.
SUMMARY_BYTES = 1024 * 1024
# Of each level GitHub shows that many annotations of a step, and drops the others.
MOST_ANNOTATIONS = 10
# What the runner keeps of a message.
_MOST_MESSAGE = 4096
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def render_summary(report: Report, already: int = 0) -> str:
    """Return the summary in markdown; ``already`` is how many bytes the file has."""
    return fit(report, SUMMARY_BYTES - already) if already < SUMMARY_BYTES else ""


def render_annotations(report: Report) -> tuple[str, ...]:
    """Return workflow commands, a line each: for every finding once, as many as GitHub shows."""
    lines: list[str] = []
    for severity, level in _LEVELS.items():
        found = dict.fromkeys(
            _annotation(level, report, run, finding)
            for run, finding in each_finding(report)
            if finding.severity is severity
        )
        lines += _at_most(list(found), level)
    return tuple(lines)


def _at_most(annotations: list[str], level: str) -> Iterable[str]:
    if len(annotations) <= MOST_ANNOTATIONS:
        return annotations
    shown = annotations[: MOST_ANNOTATIONS - 1]
    more = f"{len(annotations) - len(shown)} more {level}s are in the summary of the job"
    return [*shown, f"::{level} title=mlvalidate::{more}"]


def _annotation(level: str, report: Report, run: PipelineResult, finding: Finding) -> str:
    place = find_place(report, run, finding)
    properties = {
        "file": place.path,
        "line": str(place.line or 1),
        "title": " ".join(part for part in (finding.code, finding.step) if part),
    }
    told = ",".join(f"{name}={_escape_property(value)}" for name, value in properties.items())
    message = finding.message + (f"\n{finding.hint}" if finding.hint else "")
    return f"::{level} {told}::{_escape_data(message[:_MOST_MESSAGE])}"


def _escape_data(text: str) -> str:
    return plain(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escape_property(text: str) -> str:
    return _escape_data(text).replace(":", "%3A").replace(",", "%2C")
