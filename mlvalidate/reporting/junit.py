"""JUnit's XML: a test suite for each run, a test case for each step and each check.

Only what both Ant's and Jenkins' schema know is written, so that every reader takes it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from xml.etree import ElementTree as Xml

from mlvalidate.core.findings import Finding, Severity
from mlvalidate.core.reporters import Report
from mlvalidate.core.results import CheckOutcome, PipelineResult, Status, StepResult
from mlvalidate.reporting.places import find_place
from mlvalidate.reporting.text import plain
from mlvalidate.reporting.words import outcome_line, skip_reason

# What XML 1.0 can't hold, beside what `plain` shows as escapes.
_NOT_XML = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# Of a suite: how many of its test cases ended in each way.
_COUNTED = {"failures": "failure", "errors": "error", "skipped": "skipped"}


def render_junit(report: Report) -> str:
    """Return the runs as JUnit's XML."""
    root = Xml.Element("testsuites")
    suites = [_suite(report, run) for run in report.result.runs]
    if report.result.left_out:
        suites.append(_left_out(report))
    for number, suite in enumerate(suites):
        suite.set("id", str(number))
        root.append(suite)
    Xml.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{Xml.tostring(root, encoding="unicode")}\n'


def suite_name(run: PipelineResult) -> str:
    """Return ``pipeline churn``, with the scenario where it is not the standard one."""
    scenario = "" if run.scenario == "standard" else f" [{run.scenario}]"
    return f"{run.kind} {run.name}{scenario}"


def case_name(run: PipelineResult, step: StepResult) -> str:
    """Return the node; with the case of the data where a run has several."""
    if run.kind == "matrix":
        return f"{step.step}[{step.scenario}]"
    return f"{step.node}[{step.volume} rows]" if step.volume is not None else step.node


def _suite(report: Report, run: PipelineResult) -> Xml.Element:
    cases = [case for step in run.steps for case in _step_cases(report, run, step)]
    cases += _run_cases(report, run)
    properties = {
        "run_id": run.run_id,
        "command": run.command,
        "status": run.status.value,
        "data_source": run.data_source.value,
        "scenario": run.scenario,
        "seed": str(run.seed),
        "mlflow": run.run_url,
    }
    return _make_suite(
        report, suite_name(run), cases, run.started_at, run.duration_s, properties, run.notes
    )


def _make_suite(
    report: Report,
    name: str,
    cases: Sequence[Xml.Element],
    started_at: float,
    seconds: float,
    properties: dict[str, str],
    notes: Sequence[str] = (),
) -> Xml.Element:
    suite = Xml.Element("testsuite", name=_text(name), package=_text(report.result.project))
    suite.set("timestamp", datetime.fromtimestamp(started_at, UTC).strftime("%Y-%m-%dT%H:%M:%S"))
    # Which machine it was is in the record, and no part of the verdict.
    suite.set("hostname", "localhost")
    suite.set("tests", str(len(cases)))
    for attribute, tag in _COUNTED.items():
        suite.set(attribute, str(sum(case.find(tag) is not None for case in cases)))
    suite.set("time", _seconds(seconds))
    listed = Xml.SubElement(suite, "properties")
    for key, value in properties.items():
        if value:
            Xml.SubElement(listed, "property", name=key, value=_text(value))
    suite.extend(cases)
    Xml.SubElement(suite, "system-out").text = _text("\n".join(notes))
    Xml.SubElement(suite, "system-err")
    return suite


def _step_cases(report: Report, run: PipelineResult, step: StepResult) -> Iterator[Xml.Element]:
    name = case_name(run, step)
    seconds = 0.0 if step.reused_from else step.usage.duration_s
    case = _case(run, name, seconds)
    if step.status is Status.SKIPPED:
        _skip(case, skip_reason(step))
    elif step.status is Status.INTERRUPTED:
        _fail(case, "error", "the run was interrupted", step.status.value, "")
    elif step.status is not Status.PASSED:
        tag = "error" if step.status is Status.INTERNAL else "failure"
        _fail(case, tag, *_why_failed(report, run, step))
    yield case
    yield from _check_cases(report, run, step)


def _check_cases(report: Report, run: PipelineResult, step: StepResult) -> Iterator[Xml.Element]:
    """Yield a case for each check of a step, then for what was found by none, such as drift."""
    name = case_name(run, step)
    for check in step.checks:
        case = _case(run, f"{name}: {check.code} {check.name}", 0.0)
        if check.outcome is CheckOutcome.SKIPPED:
            _skip(case, check.reason)
        _judge(case, report, run, [f for f in step.findings if check.has(f)])
        yield case
    others = [f for f in step.findings if not any(check.has(f) for check in step.checks)]
    yield from _code_cases(report, run, name, others)


def _why_failed(report: Report, run: PipelineResult, step: StepResult) -> tuple[str, str, str]:
    """Return message, type and text of a step that failed."""
    errors = [f for f in step.findings if f.severity is Severity.ERROR]
    blocks = [finding_text(report, run, f) for f in step.findings]
    tail = report.log_tails.get((run.run_id, step.node))
    if tail:
        blocks.append("\n".join(("The end of what it printed:", *tail)))
    message = errors[0].message if errors else outcome_line(step)
    if len(errors) > 1:
        message += f" (and {len(errors) - 1} more)"
    return message, errors[0].code if errors else step.status.value, "\n\n".join(blocks)


def _run_cases(report: Report, run: PipelineResult) -> Iterator[Xml.Element]:
    """Yield the cases of a run as a whole: its gates, for example."""
    yield from _code_cases(report, run, run.name, run.findings)
    if run.status in (Status.INTERRUPTED, Status.INTERNAL):
        case = _case(run, f"{run.name} comes to its end", 0.0)
        _fail(case, "error", "; ".join(run.notes) or run.status.value, run.status.value, "")
        yield case


def _code_cases(
    report: Report, run: PipelineResult, name: str, findings: Sequence[Finding]
) -> Iterator[Xml.Element]:
    """Yield a case for each kind of finding."""
    for code in dict.fromkeys(finding.code for finding in findings):
        case = _case(run, f"{name}: {code}", 0.0)
        _judge(case, report, run, [finding for finding in findings if finding.code == code])
        yield case


def _judge(
    case: Xml.Element, report: Report, run: PipelineResult, findings: Sequence[Finding]
) -> None:
    """Let a case fail with the errors among the findings."""
    errors = [finding for finding in findings if finding.severity is Severity.ERROR]
    if errors:
        said = "\n\n".join(finding_text(report, run, finding) for finding in findings)
        _fail(case, "failure", errors[0].message, errors[0].code, said)


def _left_out(report: Report) -> Xml.Element:
    """Return a suite of the tests that were not begun, so that nobody takes them for passed."""
    cases = []
    for item in report.result.left_out:
        case = Xml.Element("testcase", classname=_text(report.result.project), time="0.000")
        case.set("name", _text(item.name))
        covered = f"; covered by {', '.join(item.covered_by)}" if item.covered_by else ""
        if item.covered_by:
            _skip(case, f"{item.reason}{covered}")
        else:
            # Nothing runs it: an interrupted run, or a step that no pipeline has either.
            _fail(case, "error", item.reason, "not run", item.hint)
        cases.append(case)
    return _make_suite(report, "not run", cases, report.result.started_at, 0.0, {})


def finding_text(report: Report, run: PipelineResult, finding: Finding) -> str:
    """Return a finding in full, as plain text."""
    blamed = f" in {finding.step}" if finding.step else ""
    lines = [
        f"{finding.severity.value} {finding.code}{blamed}: {finding.message}",
        f"  at {find_place(report, run, finding)}",
        *([f"  observed in {finding.observed_in}"] if finding.observed_in else []),
        *(f"  > {example}" for example in finding.evidence),
    ]
    if finding.hint:
        lines.append(f"  hint: {finding.hint}")
    if finding.reproduce:
        lines.append(f"  reproduce: {finding.reproduce}")
    return "\n".join(lines)


def _case(run: PipelineResult, name: str, seconds: float) -> Xml.Element:
    return Xml.Element(
        "testcase",
        classname=_text(f"{run.project}.{run.name}"),
        name=_text(name),
        time=_seconds(seconds),
    )


def _skip(case: Xml.Element, reason: str) -> None:
    Xml.SubElement(case, "skipped", message=_text(reason))


def _fail(case: Xml.Element, tag: str, message: str, kind: str, text: str) -> None:
    failure = Xml.SubElement(case, tag, message=_text(message), type=_text(kind))
    failure.text = _text(text)


def _seconds(seconds: float) -> str:
    return f"{max(0.0, seconds):.3f}"


def _text(text: str) -> str:
    """Return the text without what XML can't hold."""
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", plain(text))
