"""Findings: the only currency of judgement."""

from __future__ import annotations

import hashlib
import re
from enum import StrEnum

from pydantic import Field

from mlvalidate.core.model import Model

MOST_EVIDENCE = 5


class Severity(StrEnum):
    """An error fails the run, a warning is shown, an info explains."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Finding(Model):
    """One thing the validator has to say.

    ``step`` is the node to blame; ``observed_in`` is the node where it came to light, when that is
    another one. ``location`` is ``file:line`` in the user's code.
    """

    code: str
    severity: Severity
    message: str
    step: str | None = None
    observed_in: str | None = None
    port: str | None = None
    file: str | None = None
    column: str | None = None
    location: str | None = None
    evidence: tuple[str, ...] = Field(default=(), max_length=MOST_EVIDENCE)
    hint: str = ""
    reproduce: str = ""

    @property
    def fingerprint(self) -> str:
        """Equal for the same fault in two runs: numbers and quoted values don't count."""
        normalised = re.sub(r"\d+(\.\d+)?", "#", self.message)
        parts = (self.code, self.step, self.port, self.file, self.column, normalised)
        return hashlib.sha256("\x1f".join(map(str, parts)).encode()).hexdigest()[:16]


def count_findings(findings: tuple[Finding, ...]) -> dict[str, int]:
    """Return how many findings of each severity there are, with every severity present."""
    return {
        severity.value: sum(finding.severity is severity for finding in findings)
        for severity in Severity
    }
