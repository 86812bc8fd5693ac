"""Writes a run to the files that the user wants of it: JUnit, SARIF, markdown, GitHub's own."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
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

    def write(self, settings: Settings, project: Project, result: SuiteResult) -> None:
        """Write every report. InfrastructureError, in the end, for those that could not be."""
        if not (self.targets or self.summary):
            return
        report = _make_report(project, result)
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


def suite_of(result: PipelineResult) -> SuiteResult:
    """Return a single run as all that was asked for."""
    from mlvalidate.core.suite import SuiteResult

    return SuiteResult(
        project=result.project,
        command=result.command,
        started_at=result.started_at,
        finished_at=result.finished_at,
        runs=(result,),
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


def _make_report(project: Project, result: SuiteResult) -> Report:
    from mlvalidate import api
    from mlvalidate.core.reporters import Report
    from mlvalidate.core.results import Status
    from mlvalidate.reporting.logs import read_tail

    tails = {}
    for run in result.runs:
        folder = api.run_folder(project, run)
        for step in run.steps:
            if step.status in (Status.FAILED, Status.INTERRUPTED):
                files = folder.step(step.node)
                tails[run.run_id, step.node] = (*read_tail(files.stdout), *read_tail(files.stderr))
    return Report(
        result=result,
        root=project.root,
        repository=_repository(project.root, os.environ),
        log_tails=tails,
        source_url=_source_url(os.environ),
    )


def _repository(root: Path, environ: Mapping[str, str]) -> Path:
    """Return the checkout that holds the project: what CI services tell paths from."""
    for variable in ("GITHUB_WORKSPACE", "CI_PROJECT_DIR", "WORKSPACE"):
        given = environ.get(variable)
        if given and root.is_relative_to(given):
            return Path(given)
    return next((folder for folder in (root, *root.parents) if (folder / ".git").exists()), root)


def _source_url(environ: Mapping[str, str]) -> str:
    """Return where GitHub or GitLab shows the files of this commit, or ''."""
    server, repository, commit = (
        environ.get(f"GITHUB_{name}") for name in ("SERVER_URL", "REPOSITORY", "SHA")
    )
    if server and repository and commit:
        return f"{server}/{repository}/blob/{commit}"
    project, commit = environ.get("CI_PROJECT_URL"), environ.get("CI_COMMIT_SHA")
    return f"{project}/-/blob/{commit}" if project and commit else ""
