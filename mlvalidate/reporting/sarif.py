"""SARIF 2.1.0: the findings as results of a static analysis, for code scanning and editors.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

import inspect
import json
import posixpath
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from mlvalidate import __version__
from mlvalidate.checks.base import Rule
from mlvalidate.checks.registry import all_rules
from mlvalidate.core.findings import Finding, Severity
from mlvalidate.core.reporters import Report
from mlvalidate.core.results import PipelineResult
from mlvalidate.reporting.places import Place, each_finding, find_place, quote_path
from mlvalidate.reporting.text import plain

_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def render_sarif(report: Report) -> str:
    """Return the findings of all runs as one run of SARIF; the same finding of several is one."""
    found: dict[tuple[str, Place], list[tuple[PipelineResult, Finding]]] = {}
    for run, finding in each_finding(report):
        key = (finding.fingerprint, find_place(report, run, finding))
        found.setdefault(key, []).append((run, finding))
    codes = sorted({finding.code for same in found.values() for _, finding in same})
    rules = all_rules()
    content = {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "mlvalidate",
                        "version": __version__,
                        "rules": [_rule(code, rules) for code in codes],
                    }
                },
                "automationDetails": {"id": f"mlvalidate/{plain(report.result.project)}/"},
                "columnKind": "unicodeCodePoints",
                "invocations": [_invocation(report)],
                "results": [_result(place, same, codes) for (_, place), same in found.items()],
            }
        ],
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _rule(code: str, rules: Mapping[str, type[Rule]]) -> dict[str, Any]:
    """Return what is known of a code; of a plugin that is gone, nothing but the code."""
    rule = rules.get(code)
    if rule is None:
        return {"id": code}
    text = inspect.cleandoc(rule.__doc__ or rule.__name__)
    return {
        "id": code,
        "name": rule.__name__,
        "shortDescription": {"text": " ".join(text.split("\n\n")[0].split())},
        "fullDescription": {"text": text},
        "help": {"text": text, "markdown": text},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
    }


def _invocation(report: Report) -> dict[str, Any]:
    result = report.result
    return {
        "commandLine": plain(result.command),
        "startTimeUtc": _utc(result.started_at),
        "endTimeUtc": _utc(result.finished_at),
        "exitCode": int(result.exit_code),
        # Findings are what it is run for: only a run that broke off has not succeeded.
        "executionSuccessful": int(result.exit_code) in (0, 1),
    }


def _result(
    place: Place, same: Sequence[tuple[PipelineResult, Finding]], codes: Sequence[str]
) -> dict[str, Any]:
    _, finding = same[0]
    hint = f"\n{finding.hint}" if finding.hint else ""
    return {
        "ruleId": finding.code,
        "ruleIndex": codes.index(finding.code),
        "level": _LEVELS[finding.severity],
        "message": {"text": plain(f"{finding.message}{hint}")},
        "locations": [_location(place, finding)],
        "partialFingerprints": {"mlvalidate/v1": finding.fingerprint},
        "occurrenceCount": len(same),
        "properties": {
            "runs": [run.run_id for run, _ in same],
            "evidence": [plain(example) for example in finding.evidence],
            "reproduce": plain(finding.reproduce),
        },
    }


def _location(place: Place, finding: Finding) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": _artifact(place.path)}
    # Code scanning wants a line of every result.
    physical["region"] = {"startLine": place.line or 1}
    parts = [part for part in (finding.step, finding.port, finding.file, finding.column) if part]
    location: dict[str, Any] = {"physicalLocation": physical}
    if parts:
        location["logicalLocations"] = [
            {"name": plain(parts[-1]), "fullyQualifiedName": plain("/".join(parts))}
        ]
    return location


def _artifact(path: str) -> dict[str, str]:
    if posixpath.isabs(path):
        return {"uri": f"file://{quote_path(path)}"}
    return {"uri": quote_path(path), "uriBaseId": "%SRCROOT%"}


def _utc(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
