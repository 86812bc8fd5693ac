"""The run's description in MLflow: a short report in markdown.

MLflow's UI renders tables, strips raw HTML and folds the text after about three lines, so the
verdict comes first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mlvalidate.core.findings import Finding, Severity, count_findings, gravest_first
from mlvalidate.core.results import PipelineResult, Status, StepResult
from mlvalidate.core.units import format_duration
from mlvalidate.reporting.markdown import code, escape, table
from mlvalidate.reporting.related import related_line

_MOST_FINDINGS = 20


def run_report(result: PipelineResult) -> str:
    """Return the report on a whole run."""
    facts = (
        f"{result.kind} {escape(result.name)}",
        f"{result.data_source.value} data, scenario {result.scenario}, seed {result.seed}",
        format_duration(result.duration_s),
        _count(result.all_findings),
    )
    blocks = [
        f"**{result.status.value.upper()}** · " + " · ".join(facts),
        _step_table(result),
        _findings(result.all_findings),
        "\n".join(f"- {escape(related_line(issue))}" for issue in result.related_issues),
        "\n".join(f"- {escape(note)}" for note in result.notes),
        _reproduce(result.command),
    ]
    return _join(blocks)


def step_report(result: StepResult, command: str, link: str = "") -> str:
    """Return the report on one node; `command` runs the whole of which it is a part.

    ``link`` is the page of the run that a reused step is of, where it is known.
    """
    facts = (
        f"step {escape(result.step)} ({result.kind}, {code(result.entry_point)})",
        format_duration(result.usage.duration_s),
        _count(result.findings),
    )
    blocks = [
        f"**{result.status.value.upper()}** · " + " · ".join(facts),
        f"rejected, as expected: {escape(result.rejection)}" if result.rejection else "",
        _reuse(result, link),
        escape(result.message),
        _findings(result.findings),
        _reproduce(command),
    ]
    return _join(blocks)


def _reuse(result: StepResult, link: str) -> str:
    """Return of which run a step is that did not run, or why it ran although it had run before."""
    if not result.reused_from:
        return f"ran because: {escape(result.run_detail)}" if result.run_detail else ""
    run = escape(result.reused_from)
    text = f"reused from run [{run}]({link})" if link else f"reused from run {run}"
    return f"{text}; since then: {escape(result.run_detail)}" if result.run_detail else text


def _join(blocks: Iterable[str]) -> str:
    return "\n\n".join(block for block in blocks if block) + "\n"


def _step_table(result: PipelineResult) -> str:
    if result.kind == "matrix":
        of_cases = ("case", "expected", "what happened", "time", "findings")
        return table(of_cases, map(_case_cells, result.steps))
    of_nodes = ("node", "status", "time", "peak memory", "rows", "findings")
    return table(of_nodes, map(_cells, result.steps))


def _case_cells(step: StepResult) -> tuple[str, ...]:
    happened = f"rejected: {step.rejection}" if step.rejection else step.status.value
    if step.status is Status.SKIPPED:
        happened = f"skipped: {step.skip_detail}"
    time = "" if step.status is Status.SKIPPED else format_duration(step.usage.duration_s)
    count = "" if step.status is Status.SKIPPED else _count(step.findings)
    return (escape(step.scenario), step.expectation.value, escape(happened), time, count)


def _cells(step: StepResult) -> tuple[str, ...]:
    if step.status is Status.SKIPPED:
        reason = step.skip_reason.value if step.skip_reason else ""
        detail = " ".join(part for part in (reason, step.skip_detail) if part)
        return (escape(step.node), f"skipped: {escape(detail)}" if detail else "skipped", *[""] * 4)
    return (
        escape(step.node),
        f"{step.status.value} (reused)" if step.reused_from else step.status.value,
        format_duration(step.usage.duration_s),
        f"{step.usage.peak_rss_mb:.0f} MB",
        escape(", ".join(f"{port} {rows}" for port, rows in step.rows.items())),
        _count(step.findings),
    )


def _count(findings: Sequence[Finding]) -> str:
    counts = count_findings(tuple(findings))
    parts = [
        f"{number} {severity}{'s' if number > 1 and severity != Severity.INFO else ''}"
        for severity, number in counts.items()
        if number
    ]
    return ", ".join(parts) or "no findings"


def _findings(findings: Sequence[Finding]) -> str:
    worst_first = gravest_first(findings)
    lines = [_finding(finding) for finding in worst_first[:_MOST_FINDINGS]]
    if len(worst_first) > _MOST_FINDINGS:
        lines.append(f"- and {len(worst_first) - _MOST_FINDINGS} more in `result.json`")
    return "\n".join(lines)


def _finding(finding: Finding) -> str:
    where = ".".join(part for part in (finding.step, finding.port) if part)
    place = f" {escape(where)}:" if where else ""
    location = f" ({code(finding.location)})" if finding.location else ""
    hint = f" _{escape(finding.hint)}_" if finding.hint else ""
    return (
        f"- **{finding.code}** {finding.severity.value}{place} "
        f"{escape(finding.message)}{location}{hint}"
    )


def _reproduce(command: str) -> str:
    return f"Reproduce: {code(command)}" if command else ""
