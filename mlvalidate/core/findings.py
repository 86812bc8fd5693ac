"""Findings: the only currency of judgement."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from pydantic import Field

from mlvalidate.core.fingerprints import (
    fingerprint,
    normalise_error,
    place_of,
    without_numbers,
)
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
    another one. ``location`` is ``file:line`` in the user's code, and ``function`` the one there,
    of an exception that the code raised.
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
    function: str = ""
    evidence: tuple[str, ...] = Field(default=(), max_length=MOST_EVIDENCE)
    hint: str = ""
    reproduce: str = ""

    @property
    def fingerprint(self) -> str:
        """Equal for the same fault in two runs, see `core.fingerprints`.

        Numbers don't count; of an exception nor do quoted values, paths and the line.
        """
        about = (self.code, self.step, self.port, self.file, self.column)
        if not self.function:
            return fingerprint(*about, without_numbers(self.message))
        place = place_of(self.location, self.function)
        return fingerprint(*about, place, normalise_error(self.message))


def gravest_first(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings by their severity; those of one severity stay in their order."""
    return sorted(findings, key=lambda finding: _GRAVEST_FIRST.index(finding.severity))


_GRAVEST_FIRST = list(Severity)


def count_findings(findings: tuple[Finding, ...]) -> dict[str, int]:
    """Return how many findings of each severity there are, with every severity present."""
    return {
        severity.value: sum(finding.severity is severity for finding in findings)
        for severity in Severity
    }
