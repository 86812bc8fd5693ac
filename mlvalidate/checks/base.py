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
from collections.abc import Iterable, Iterator
from typing import ClassVar

from mlvalidate.checks.evidence import Evidence
from mlvalidate.core.findings import MOST_EVIDENCE, Finding, Severity
from mlvalidate.core.scenarios import Trait


class Rule:
    """Something that can be found: a code, a severity, and its documentation as docstring."""

    code: ClassVar[str]
    severity: ClassVar[Severity] = Severity.ERROR


class Check(Rule, ABC):
    """Looks at one executed step and says what it found."""

    # Checks of outputs say nothing when the script failed: its outputs are known to be incomplete.
    needs_success: ClassVar[bool] = True
    # What data of a scenario may be like on purpose, so that finding it in outputs says nothing.
    excused_by: ClassVar[frozenset[Trait]] = frozenset()

    @abstractmethod
    def run(self, evidence: Evidence) -> Iterator[Finding]:
        """Yield what is wrong with the step; nothing when all is well."""

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
            evidence=tuple(_shorten(example) for example in list(examples)[:MOST_EVIDENCE]),
            hint=hint,
            reproduce=evidence.reproduce,
        )


def _shorten(text: str) -> str:
    return text if len(text) <= 300 else text[:297] + "..."


def join_names(names: Iterable[str], most: int = 6) -> str:
    """Return ``a, b, c and 4 more``."""
    listed = list(names)
    shown = ", ".join(listed[:most])
    return shown if len(listed) <= most else f"{shown} and {len(listed) - most} more"
