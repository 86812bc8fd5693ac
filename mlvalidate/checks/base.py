"""The base of every check.

To add a check: subclass `Check` in the module of its family, give it a code that no other check
has, write its documentation page as the class docstring (what it means, a line "What to do:"),
implement `run`, and list the class in `registry.BUILTIN`. The reference page of findings is made
from the docstrings: run `python -m mlvalidate.checks.registry > docs/reference/findings.md`.
A third-party check does the same in its own distribution and registers through the hook
`mlvalidate_checks` (see `mlvalidate.hookspecs`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from mlvalidate.checks.evidence import Evidence
from mlvalidate.checks.sight import Sight, what_is_missing
from mlvalidate.core.findings import MOST_EVIDENCE, Finding, Severity
from mlvalidate.core.results import CheckOutcome, CheckResult
from mlvalidate.core.scenarios import Trait


class Rule:
    """Something that can be found: a code, a severity, and its documentation as docstring."""

    code: ClassVar[str]
    severity: ClassVar[Severity] = Severity.ERROR


@dataclass(frozen=True)
class Judgement:
    """One thing that a check judges, before it is judged.

    ``nothing_there`` returns why there is nothing to look at, or ''; it is asked when nothing was
    found.
    """

    name: str
    judge: Callable[[], Iterator[Finding]]
    nothing_there: Callable[[], str]
    # Whether the step asks for it: then it is told also when it was skipped.
    is_declared: bool = False


class Check(Rule, ABC):
    """Looks at one executed step and says what it found."""

    # Checks of outputs say nothing when the script failed: its outputs are known to be incomplete.
    needs_success: ClassVar[bool] = True
    # What there must be for the check to have looked at something.
    looks_at: ClassVar[Sight] = Sight.EXECUTION
    # What data of a scenario may be like on purpose, so that finding it in outputs says nothing.
    excused_by: ClassVar[frozenset[Trait]] = frozenset()

    @abstractmethod
    def run(self, evidence: Evidence) -> Iterator[Finding]:
        """Yield what is wrong with the step; nothing when all is well."""

    def nothing_there(self, evidence: Evidence) -> str:
        """Return why the check had nothing to look at and so has not passed, or ''."""
        return what_is_missing(self.looks_at, evidence)

    def judgements(self, evidence: Evidence) -> Iterator[Judgement]:
        """Yield what the check judges: one thing, unless it is declared several times."""
        yield Judgement(
            type(self).__name__, partial(self.run, evidence), partial(self.nothing_there, evidence)
        )

    def finding(
        self,
        evidence: Evidence,
        message: str,
        *,
        hint: str = "",
        port: str | None = None,
        file: str | None = None,
        column: str | None = None,
        location: str | None = None,
        function: str = "",
        examples: Iterable[str] = (),
    ) -> Finding:
        """Build a finding that blames the step which ran."""
        return Finding(
            code=self.code,
            severity=self.severity,
            message=message,
            step=evidence.node,
            port=port,
            file=file,
            column=column,
            location=location,
            function=function,
            evidence=tuple(_shorten(example) for example in list(examples)[:MOST_EVIDENCE]),
            hint=hint,
            reproduce=evidence.reproduce,
        )


def check_result(
    code: str, name: str, findings: tuple[Finding, ...], reason: str = ""
) -> CheckResult:
    """Return what a check came to that found this, or that had a reason to find nothing."""
    if reason:
        return CheckResult(code=code, name=name, outcome=CheckOutcome.SKIPPED, reason=reason)
    outcome = CheckOutcome.PASSED
    if any(finding.severity is Severity.ERROR for finding in findings):
        outcome = CheckOutcome.FAILED
    elif findings:
        outcome = CheckOutcome.WARNED
    messages = tuple(dict.fromkeys(finding.message for finding in findings))
    return CheckResult(code=code, name=name, outcome=outcome, messages=messages)


def _shorten(text: str) -> str:
    return text if len(text) <= 300 else text[:297] + "..."


def join_names(names: Iterable[str], most: int = 6) -> str:
    """Return ``a, b, c and 4 more``."""
    listed = list(names)
    shown = ", ".join(listed[:most])
    return shown if len(listed) <= most else f"{shown} and {len(listed) - most} more"
