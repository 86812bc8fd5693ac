"""Where in the user's code a finding is, as CI services want to know it."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from mlvalidate.core.findings import Finding
from mlvalidate.core.reporters import Report
from mlvalidate.core.results import PipelineResult

# Where a finding is that names no file: it is about what the project declares.
_PROJECT_FILE = "mlvalidate.yaml"


@dataclass(frozen=True)
class Place:
    """A file, with `/`, relative to the repository unless it lies outside; the line from 1."""

    path: str
    line: int | None = None

    def __str__(self) -> str:
        return f"{self.path}:{self.line}" if self.line else self.path


def find_place(report: Report, run: PipelineResult, finding: Finding) -> Place:
    """Return the line that a finding names, else the script of the step that it blames."""
    if finding.location:
        path, line = _split(finding.location)
        return Place(_from_repository(report, path), line)
    scripts = {step.node: step.entry_point for step in run.steps}
    script = scripts.get(finding.step or "", "")
    return Place(_from_repository(report, script if script.endswith(".py") else _PROJECT_FILE))


def link_to(report: Report, place: Place) -> str:
    """Return where the CI service shows the place, or ''."""
    outside = place.path.startswith("../") or posixpath.isabs(place.path)
    if not report.source_url or outside:
        return ""
    line = f"#L{place.line}" if place.line else ""
    return f"{report.source_url}/{quote_path(place.path)}{line}"


def quote_path(path: str) -> str:
    """Return a path as part of a URL; names of files need not be texts."""
    return quote(path, errors="backslashreplace")


def each_finding(report: Report) -> Iterator[tuple[PipelineResult, Finding]]:
    """Yield every finding with its run."""
    for run in report.result.runs:
        for finding in run.all_findings:
            yield run, finding


def _split(location: str) -> tuple[str, int | None]:
    path, colon, line = location.rpartition(":")
    if colon and line.isascii() and line.isdigit():
        # SARIF and annotations know no line 0.
        return path, max(1, int(line))
    return location, None


def _from_repository(report: Report, path: str) -> str:
    if Path(path).is_absolute() and not Path(path).is_relative_to(report.repository):
        return Path(path).as_posix()
    return Path(os.path.relpath(report.root / path, report.repository)).as_posix()
