"""A run in markdown: for a comment on a pull request, and for a job's summary."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from mlvalidate.core.findings import Finding, count_findings, gravest_first
from mlvalidate.core.reporters import Report
from mlvalidate.core.results import PipelineResult, Status, StepResult
from mlvalidate.core.units import format_duration
from mlvalidate.reporting.junit import case_name, suite_name
from mlvalidate.reporting.markdown import code, escape, table
from mlvalidate.reporting.places import find_place, link_to
from mlvalidate.reporting.text import one_line
from mlvalidate.reporting.verdict import VERDICT_WORD
from mlvalidate.reporting.words import findings_of, memory_of, skip_reason, time_of

# GitHub refuses comments of more than 65,536 characters; GitLab takes a million.
COMMENT_BYTES = 65_000


def render_comment(report: Report) -> str:
    """Return the report, short enough for a comment."""
    return fit(report, COMMENT_BYTES)


def fit(report: Report, most_bytes: int) -> str:
    """Return the report with as many findings as go into that many bytes of UTF-8.

    What is left out is counted. Where even the tables are too long, lines are cut off at the end.
    """
    total = sum(len(run.all_findings) for run in report.result.runs)
    low, high = 0, total
    if _size(_render(report, total)) <= most_bytes:
        return _render(report, total)
    while low < high:
        middle = (low + high + 1) // 2
        if _size(_render(report, middle)) <= most_bytes:
            low = middle
        else:
            high = middle - 1
    text = _render(report, low)
    return text if _size(text) <= most_bytes else _cut(text, most_bytes)


def _size(text: str) -> int:
    return len(text.encode())


def _cut(text: str, most_bytes: int) -> str:
    note = "\n\nThe rest is too long to be shown here.\n"
    kept = text.encode()[: max(0, most_bytes - _size(note))].decode(errors="ignore")
    # Half a line may be half a link.
    return f"{kept.rpartition(chr(10))[0]}{note}"


def _render(report: Report, most_findings: int) -> str:
    blocks = [_heading(report), _runs(report)]
    left = most_findings
    for run in report.result.runs:
        shown = gravest_first(run.all_findings)
        blocks += [_run_heading(report, run), _steps(run), *_findings(report, run, shown[:left])]
        if len(shown) > left:
            blocks.append(f"and {len(shown) - left} more findings")
        left = max(0, left - len(shown))
        blocks.append("\n".join(f"- {escape(note)}" for note in run.notes))
        blocks.append(f"Reproduce: {code(run.command)}" if run.command else "")
    return "\n\n".join(block for block in blocks if block) + "\n"


def _heading(report: Report) -> str:
    result = report.result
    return f"## mlvalidate: {escape(result.project)} {VERDICT_WORD[result.exit_code]}"


def _runs(report: Report) -> str:
    """Return a table of the runs where there are several, or tests that were left out."""
    result = report.result
    if len(result.runs) == 1 and not result.left_out:
        return ""
    rows = [
        (
            escape(suite_name(run)),
            run.status.value,
            format_duration(run.duration_s),
            _counts(run.all_findings),
        )
        for run in result.runs
    ]
    rows += [
        (escape(f"{item.name} alone"), "not run", "", escape(item.reason))
        for item in result.left_out
    ]
    return table(("run", "status", "time", "findings"), rows)


def _run_heading(report: Report, run: PipelineResult) -> str:
    facts = [
        f"**{run.status.value.upper()}**",
        escape(suite_name(run)),
        f"{run.data_source.value} data, seed {run.seed}",
        format_duration(run.duration_s),
    ]
    if run.run_url.startswith(("http://", "https://")):
        facts.append(f"[in MLflow](<{_url(run.run_url)}>)")
    elif run.open_command:
        facts.append(f"open it with {code(run.open_command)}")
    title = f"### {escape(suite_name(run))}\n\n" if len(report.result.runs) > 1 else ""
    return f"{title}{' · '.join(facts)}"


def _steps(run: PipelineResult) -> str:
    rows = (_step_row(run, step) for step in run.steps)
    return table(("step", "status", "time", "memory", "rows", "findings"), rows)


def _step_row(run: PipelineResult, step: StepResult) -> Sequence[str]:
    status = step.status.value
    if step.status is Status.SKIPPED:
        reason = skip_reason(step)
        status += f": {escape(reason)}" if reason else ""
    elif step.reused_from:
        status += " (reused)"
    elif step.rejection:
        status += f": rejected the data, {escape(step.rejection)}"
    rows = ", ".join(f"{port} {number:,}" for port, number in step.rows.items())
    return (
        escape(case_name(run, step)),
        status,
        time_of(step),
        memory_of(step),
        escape(rows),
        escape(findings_of(step)),
    )


def _findings(report: Report, run: PipelineResult, findings: Iterable[Finding]) -> Iterator[str]:
    lines = [_finding(report, run, finding) for finding in findings]
    if lines:
        yield "\n".join(lines)


def _finding(report: Report, run: PipelineResult, finding: Finding) -> str:
    where = ".".join(part for part in (finding.step, finding.port) if part)
    subject = f" {escape(where)}:" if where else ""
    place = find_place(report, run, finding)
    url = link_to(report, place)
    shown = f"[{escape(str(place))}](<{url}>)" if url else code(str(place))
    hint = f" _{escape(finding.hint)}_" if finding.hint else ""
    return (
        f"- **{finding.code}** {finding.severity.value}{subject} "
        f"{escape(finding.message)} ({shown}){hint}"
    )


def _counts(findings: tuple[Finding, ...]) -> str:
    said = [
        f"{number} {severity}" for severity, number in count_findings(findings).items() if number
    ]
    return ", ".join(said) or "none"


def _url(url: str) -> str:
    """Return the URL such that it can't end the brackets around it."""
    return one_line(url).replace("<", "%3C").replace(">", "%3E").replace(" ", "%20")
