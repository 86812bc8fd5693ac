"""X220 and X221: whether a step did with the data of a scenario what is expected of it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from mlvalidate.checks.base import Rule, check_result
from mlvalidate.checks.evidence import Evidence
from mlvalidate.checks.limits import met_file_limit
from mlvalidate.core.findings import MOST_EVIDENCE, Finding
from mlvalidate.core.plan import PlannedCase
from mlvalidate.core.results import CheckResult
from mlvalidate.core.scenarios import Expectation, Scenario

_LONGEST_SAYING = 300
# Lines of a log that report no failure.
_CHATTER = re.compile(r"\W*(?:[\d:., T/-]+\W*)?\b(?:DEBUG|INFO|WARNING)\b|.*\w*Warning: ")


class InputAccepted(Rule):
    """The script took data that it has to reject, and ended with exit code 0.

    The data of a scenario breaks the contract of the input: a column is missing, a file is cut
    off, values are out of range. A job that goes on with it hands on garbage: what of it shows in
    the outputs is in the evidence. Where there is none, the outputs look right and can't be.

    What to do: check the input and end with an exception that says what is wrong. Where the step
    copes with such data, say so in its contract: `expect: {missing_column.age: tolerate}`.
    """

    code = "X220"


class FailureUnclear(Rule):
    """The script failed on data that it has to reject, or may, without saying what is wrong.

    Clear is an exception with a message, a line on stderr that is no mere log line of severity
    info, or a text in /opt/ml/output/failure. A signal, a timeout, running out of memory and a
    silent exit are not.

    What to do: check the input where it is read, and raise an exception that names file and
    column.
    """

    code = "X221"


def meet_expectation(
    evidence: Evidence, findings: tuple[Finding, ...]
) -> tuple[tuple[Finding, ...], str]:
    """Return the findings in the light of what is expected, and how the step rejected its data.

    ``findings`` are those that the checks made. The text is empty where nothing was rejected.
    """
    on, outcome = evidence.planned.on, evidence.outcome
    interrupted = outcome.stop is not None and outcome.stop.value == "interrupt"
    if on.expectation is Expectation.PASS or interrupted:
        return findings, ""
    if outcome.succeeded:
        accepted = on.expectation is Expectation.REJECT
        return ((_accepted(evidence, findings),) if accepted else findings), ""
    said = clear_failure(evidence)
    if said:
        return (), said
    return (_unclear(evidence, findings),), ""


def settle_checks(
    evidence: Evidence,
    checks: tuple[CheckResult, ...],
    findings: tuple[Finding, ...],
    rejection: str,
) -> tuple[CheckResult, ...]:
    """Return what the checks came to in the light of what is expected.

    ``findings`` and ``rejection`` are those of `meet_expectation`. A check whose findings gave way
    to the question whether the data was rejected is not told; that question is.
    """
    on, outcome = evidence.planned.on, evidence.outcome
    if on.expectation is Expectation.PASS:
        return checks
    told = {finding.message for finding in findings}
    kept = tuple(check for check in checks if told.issuperset(check.messages))
    if outcome.stop is not None and outcome.stop.value == "interrupt":
        return kept
    own = tuple(f for f in findings if f.code in (InputAccepted.code, FailureUnclear.code))
    code = own[0].code if own else (FailureUnclear if rejection else InputAccepted).code
    return (*kept, check_result(code, f"expect {on.expectation.value}", own))


def clear_failure(evidence: Evidence) -> str:
    """Return what a failed script said of the reason, in one line; '' when it said nothing."""
    outcome = evidence.outcome
    if outcome.stop is not None or outcome.signal is not None or outcome.start_failure:
        return ""
    if met_file_limit(evidence):
        return ""
    error = evidence.error
    if error is not None and error.type != "MemoryError":
        return _one_line(f"{error.type}: {error.message}") if error.message else ""
    if error is not None:
        return ""
    if evidence.message.strip():
        return _one_line(evidence.message)
    lines = [line for line in evidence.stderr.splitlines() if line.strip()]
    telling = [line for line in lines if not _CHATTER.match(line)]
    return _one_line(telling[-1]) if telling else ""


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_SAYING else f"{line[: _LONGEST_SAYING - 3]}..."


def _accepted(evidence: Evidence, findings: tuple[Finding, ...]) -> Finding:
    on = evidence.planned.on
    telling = [finding for finding in findings if finding.severity.value != "info"]
    said = (
        "its outputs break the contract"
        if any(finding.severity.value == "error" for finding in telling)
        else "nothing in its outputs tells of it"
    )
    return _finding(
        InputAccepted,
        evidence,
        f"the script accepts {_describe(on)}: it ended with exit code 0, and {said}",
        hint="check the input and raise an exception that says what is wrong; if the step copes "
        f"with it, declare `expect: {{{on.case.name}: tolerate}}`",
        examples=[f"{finding.code}: {finding.message}" for finding in telling],
    )


def _unclear(evidence: Evidence, findings: tuple[Finding, ...]) -> Finding:
    ways = [
        finding.message for finding in findings if finding.code.startswith(("X20", "X213", "X214"))
    ]
    how = ways[0] if ways else f"exit code {evidence.outcome.exit_code}"
    return _finding(
        FailureUnclear,
        evidence,
        f"the script does not say what is wrong with {_describe(evidence.planned.on)}: {how}",
        hint="check the input where it is read, and raise an exception with a message",
        examples=evidence.stderr.strip().splitlines()[-3:],
    )


def _finding(
    rule: type[Rule], evidence: Evidence, message: str, hint: str, examples: Iterable[str]
) -> Finding:
    on = evidence.planned.on
    return Finding(
        code=rule.code,
        severity=rule.severity,
        message=message,
        step=evidence.node,
        column=on.case.variant if on.case.is_of_a_column else None,
        evidence=tuple(_one_line(example) for example in list(examples)[:MOST_EVIDENCE]),
        hint=hint,
        reproduce=evidence.reproduce,
    )


def _describe(on: PlannedCase) -> str:
    """Return in words what is wrong with the data."""
    words = _WORDS.get(on.case.name) or _WORDS.get(on.case.scenario.value) or on.case.name
    where = f" ({', '.join(on.datasets)})" if on.datasets else ""
    return words.format(column=on.case.variant) + where


_WORDS = {
    "missing.required": "missing values where there must be none",
    Scenario.EMPTY.value: "a table without rows",
    Scenario.TYPE_MISMATCH.value: "texts in the column {column!r}",
    "malformed.truncated": "a file that breaks off in the middle",
    "malformed.ragged": "a line with too many fields",
    "malformed.encoding": "a file that is not in the declared encoding",
    "malformed.delimiter": "a file with another delimiter",
    Scenario.MISSING_COLUMN.value: "a table without the column {column!r}",
    Scenario.DUPLICATE_KEYS.value: "rows that share their key",
    Scenario.UNSEEN_CATEGORY.value: "undeclared values in the column {column!r}",
    Scenario.OUT_OF_RANGE.value: "values of the column {column!r} that are out of range",
}
