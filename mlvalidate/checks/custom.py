"""F344: what the check functions of a project say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mlvalidate.checks.base import Check
from mlvalidate.checks.declared import DeclaredCheckBase
from mlvalidate.checks.evidence import CustomVerdict, Evidence
from mlvalidate.core.findings import Finding, Severity
from mlvalidate.core.suggest import did_you_mean

_KEYS = ("message", "severity", "port", "file", "column", "hint", "examples")


class CustomCheckFailed(DeclaredCheckBase):
    """A function of the project, named under `check:`, found something or could not be run.

    It runs in the step's interpreter and sandbox, with the step's tables as pandas DataFrames.

    What to do: the message is the function's own.
    """

    code = "F344"
    key = "check"

    def judge(self, evidence: Evidence, options: Any) -> Iterator[Finding]:
        verdict = evidence.custom.get(options, CustomVerdict())
        if verdict.problem:
            yield self.finding(evidence, f"check {options}: {verdict.problem}")
        for said in verdict.findings:
            yield self._as_finding(evidence, options, said)

    def nothing_for(self, evidence: Evidence, options: Any) -> str:
        return "" if options in evidence.custom else "the function was not called"

    def _as_finding(self, evidence: Evidence, name: str, said: dict[str, Any]) -> Finding:
        for key in said:
            if key not in _KEYS:
                return self.finding(
                    evidence,
                    f"check {name}: a finding has the unknown key {key!r}",
                    hint=did_you_mean(str(key), _KEYS),
                )
        severity = str(said.get("severity", self.severity.value))
        if severity not in list(Severity):
            return self.finding(
                evidence,
                f"check {name}: a finding has the unknown severity {severity!r}",
                hint="one of error, warning, info",
            )
        examples = said.get("examples") or []
        finding = self.finding(
            evidence,
            str(said.get("message", f"check {name} failed")),
            hint=str(said.get("hint", "")),
            port=_text(said.get("port")),
            file=_text(said.get("file")),
            column=_text(said.get("column")),
            examples=map(str, examples if isinstance(examples, list) else [examples]),
        )
        return finding.model_copy(update={"severity": Severity(severity)})


def _text(value: object) -> str | None:
    return None if value is None else str(value)


CHECKS: tuple[type[Check], ...] = (CustomCheckFailed,)
