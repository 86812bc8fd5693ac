"""A failed run as plain text, for those who show one test after the other."""

from __future__ import annotations

from mlvalidate.core.findings import Finding, Severity
from mlvalidate.core.reporters import Report
from mlvalidate.core.results import PipelineResult, Status
from mlvalidate.reporting.junit import finding_text
from mlvalidate.reporting.text import count, plain
from mlvalidate.reporting.verdict import verdict_line
from mlvalidate.reporting.words import outcome_line, skip_reason


def describe_failure(report: Report, run: PipelineResult) -> tuple[str, str]:
    """Return why a run failed in one line, and all that was found with the ends of logs."""
    errors = [f for f in run.all_findings if f.severity is Severity.ERROR]
    summary = run.status.value
    if errors:
        more = f" (and {count(len(errors) - 1, 'more error')})" if len(errors) > 1 else ""
        summary = f"{errors[0].code} {errors[0].message}{more}"
    blocks = [summary, verdict_line(run).plain]
    if len(run.steps) > 1:
        lines = [f"{step.status.value:<11} {outcome_line(step)}" for step in run.steps]
        blocks.append("\n".join(lines))
    blocks += [finding_text(report, run, f) for f in _worth_telling(run)]
    for step in run.steps:
        tail = report.log_tails.get((run.run_id, step.node))
        if tail:
            blocks.append("\n".join((f"{step.node} printed at the end:", *tail)))
    blocks += run.notes
    blocks.append(f"reproduce: {run.command}")
    return " ".join(plain(summary).split()), plain("\n\n".join(blocks))


def _worth_telling(run: PipelineResult) -> list[Finding]:
    """Return errors, then warnings; the command for the whole run is told once, at the end."""
    return [
        finding.model_copy(update={"reproduce": ""})
        if finding.reproduce == run.command
        else finding
        for severity in (Severity.ERROR, Severity.WARNING)
        for finding in run.all_findings
        if finding.severity is severity
    ]


def skip_reasons(run: PipelineResult) -> str:
    """Return why nothing ran."""
    reasons = [skip_reason(step) for step in run.steps if step.status is Status.SKIPPED]
    return plain("; ".join(dict.fromkeys(filter(None, reasons))) or "nothing ran")
