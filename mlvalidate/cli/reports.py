"""Writes a run to the files that the user wants of it: JUnit, SARIF, markdown, GitHub's own."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlvalidate.core.errors import InfrastructureError, UsageError
from mlvalidate.core.suggest import did_you_mean

if TYPE_CHECKING:
    from mlvalidate.cli.run_options import RunOptions
    from mlvalidate.cli.settings import Settings
    from mlvalidate.core.contracts import Project
    from mlvalidate.core.reporters import Report, Reporter
    from mlvalidate.core.results import PipelineResult
    from mlvalidate.core.suite import SuiteResult

SUMMARY_VARIABLE = "GITHUB_STEP_SUMMARY"


@dataclass(frozen=True)
class ReportFiles:
    """Where reports go. They were found writable, and are not there until `write`."""

    targets: tuple[tuple[str, Reporter, Path], ...] = ()
    summary: Path | None = None

    @classmethod
    def prepare(cls, options: RunOptions) -> ReportFiles:
        """Check before anything runs that every report can be written.

        A file of an earlier run is removed, so that nobody takes it for this run's. UsageError
        for an unknown format, a file that can't be written, and two reports in one file.
        """
        wanted = options.wanted_reports
        if not (wanted or options.github):
            return cls()
        from mlvalidate.reporting.formats import all_reporters

        reporters = all_reporters()
        targets = []
        for name, path in wanted:
            if name not in reporters:
                hint = did_you_mean(name, reporters) or f"there is {', '.join(sorted(reporters))}"
                raise UsageError(f"there is no format {name!r}", hint)
            targets.append((name, reporters[name], path))
        paths = [path.resolve() for _, path in wanted]
        for path in paths:
            if paths.count(path) > 1 and _is_plain(path):
                raise UsageError(f"two reports are to be written to {path}", "name two files")
        summary = _summary_file() if options.github else None
        for path in paths:
            _clear(path)
        return cls(tuple(targets), summary)

    def write(
        self, settings: Settings, project: Project, result: SuiteResult | PipelineResult
    ) -> None:
        """Write every report. InfrastructureError, in the end, for those that could not be."""
        if not (self.targets or self.summary):
            return
        from mlvalidate import api
        from mlvalidate.reporting.gathering import gather

        report = gather(result, project.root, lambda run: api.run_folder(project, run), os.environ)
        problems = []
        for name, reporter, path in self.targets:
            try:
                path.write_text(reporter(report), encoding="utf-8", errors="backslashreplace")
            except Exception as error:
                # A writer may be a plugin's, and the others are wanted all the same.
                problems.append(f"the {name} report {path}: {type(error).__name__}: {error}")
        if self.summary is not None:
            problems += _tell_github(report, self.summary, on_stderr=settings.json)
        if problems:
            raise InfrastructureError(
                f"can't write {'; '.join(problems)}", "the run itself came to its end"
            )


def _summary_file() -> Path:
    given = os.environ.get(SUMMARY_VARIABLE)
    if not given:
        raise UsageError(
            f"--github is for jobs on GitHub: {SUMMARY_VARIABLE} is not set",
            "elsewhere --markdown FILE writes the same",
        )
    path = Path(given)
    try:
        with path.open("ab"):
            return path
    except OSError as error:
        raise UsageError(
            f"{SUMMARY_VARIABLE} names a file that can't be written: {path}: {error.strerror}"
        ) from error


def _clear(path: Path) -> None:
    """Make sure that the file can be written, and that it is not there."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab"):
            pass
        if _is_plain(path):
            path.unlink()
    except OSError as error:
        raise UsageError(
            f"can't write a report to {path}: {error.strerror or error}",
            "name a file in a folder that you can write to",
        ) from error


def _is_plain(path: Path) -> bool:
    """Tell files from what leads elsewhere, such as /dev/stdout or a pipe."""
    with suppress(OSError):
        return stat.S_ISREG(path.stat().st_mode)
    return True


def _tell_github(report: Report, summary: Path, *, on_stderr: bool) -> list[str]:
    """Print annotations and append to the summary; return what went wrong."""
    from mlvalidate.reporting.github import render_annotations, render_summary

    for line in render_annotations(report):
        # The runner looks for commands in both streams.
        click.echo(line, err=on_stderr)
    try:
        already = summary.stat().st_size if summary.exists() else 0
        with summary.open("a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(render_summary(report, already))
    except OSError as error:
        return [f"the summary {summary}: {error.strerror}"]
    return []
