"""How verdicts and reasons are worded and coloured, the same in every writer."""

from __future__ import annotations

from mlvalidate.core.errors import ExitCode
from mlvalidate.core.findings import Finding, Severity
from mlvalidate.core.plan import SkipReason
from mlvalidate.core.results import Status, StepResult
from mlvalidate.core.units import format_duration, format_size
from mlvalidate.reporting.text import count, one_line

STATUS_STYLE = {
    Status.PASSED: "green",
    Status.FAILED: "bold red",
    Status.SKIPPED: "yellow",
    Status.INTERRUPTED: "bold yellow",
    Status.INTERNAL: "bold magenta",
}
EXIT_STYLE = {
    ExitCode.PASSED: "green",
    ExitCode.FAILED: "bold red",
    ExitCode.USAGE: "bold red",
    ExitCode.INTERNAL: "bold magenta",
    ExitCode.NOTHING_RAN: "bold yellow",
    ExitCode.INTERRUPTED: "bold yellow",
}
SEVERITY_STYLE = {
    Severity.ERROR: "bold red",
    Severity.WARNING: "yellow",
    Severity.INFO: "cyan",
}
# Separates the facts of a line; also in ASCII terminals.
SEPARATOR = " | "


# What the reason is about stands in the place of the braces.
_SKIPPED = {
    SkipReason.UPSTREAM_FAILED: "{} failed",
    SkipReason.UPSTREAM_SKIPPED: "{} was skipped",
    SkipReason.UPSTREAM_REJECTED: "{} rejected its input, as expected",
    SkipReason.SMALLER_FAILED: "{} failed, on no more rows",
    SkipReason.NOT_SELECTED: "it was not selected",
    SkipReason.INTERRUPTED: "the run was interrupted",
}


def skip_reason(result: StepResult) -> str:
    """Say in words why a step did not run."""
    about = one_line(result.skip_detail)
    words = _SKIPPED.get(result.skip_reason) if result.skip_reason else None
    return about if words is None else words.format(about or "a step before it")


def time_of(result: StepResult) -> str:
    """Return the wall time of a step; empty when it did not run."""
    if result.status is Status.SKIPPED or result.reused_from:
        return ""
    return format_duration(result.usage.duration_s)


def memory_of(result: StepResult) -> str:
    """Return the peak memory of a step; empty when it was not measured."""
    if result.reused_from:
        return ""
    return format_size(result.usage.peak_rss_mb * 1e6) if result.usage.peak_rss_mb else ""


def severity_counts(findings: tuple[Finding, ...]) -> str:
    """Return ``1 error, 2 warnings``; empty when there is neither."""
    numbers = (
        (sum(finding.severity is severity for finding in findings), severity)
        for severity in (Severity.ERROR, Severity.WARNING)
    )
    return ", ".join(count(number, severity.value) for number, severity in numbers if number)


def findings_of(result: StepResult) -> str:
    """Return a step's findings as counts: ``1 warning; 1 error blamed on preprocess``."""
    by_blame: dict[str, list[Finding]] = {result.node: []}
    for finding in result.findings:
        by_blame.setdefault(finding.step or result.node, []).append(finding)
    parts = []
    for node, findings in by_blame.items():
        counts = severity_counts(tuple(findings))
        if counts:
            parts.append(counts if node == result.node else f"{counts} blamed on {node}")
    return "; ".join(parts)


def outcome_line(result: StepResult) -> str:
    """Return what a finished step came to, without its status: ``train 1.20s 140MB 600 rows``."""
    if result.status is Status.SKIPPED:
        reason = skip_reason(result)
        return f"{result.node} because {reason}" if reason else result.node
    rows = sum(result.rows.values())
    facts = (
        result.node,
        time_of(result),
        memory_of(result),
        count(rows, "row") if result.rows and not result.rejection else "",
        f"rejected: {one_line(result.rejection)}" if result.rejection else "",
        findings_of(result),
        reused(result),
    )
    return " ".join(fact for fact in facts if fact)


def reused(result: StepResult) -> str:
    """Say of which run a step is that did not run in this one; else ''."""
    return f"reused from run {result.reused_from}" if result.reused_from else ""
