"""Gathers what reports are made from: results, ends of logs, and where the checkout lies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from mlvalidate.core.reporters import Report
from mlvalidate.core.results import PipelineResult, Status
from mlvalidate.core.run_folder import RunFolder
from mlvalidate.core.suite import SuiteResult
from mlvalidate.reporting.logs import read_tail


def gather(
    result: SuiteResult | PipelineResult,
    root: Path,
    folder_of: Callable[[PipelineResult], RunFolder],
    environ: Mapping[str, str],
) -> Report:
    """Return the report on what was run in the project at ``root``."""
    suite = result if isinstance(result, SuiteResult) else _suite_of(result)
    tails = {}
    for run in suite.runs:
        for step in run.steps:
            if step.status in (Status.FAILED, Status.INTERRUPTED):
                logs = folder_of(run).step(step.node)
                tails[run.run_id, step.node] = (*read_tail(logs.stdout), *read_tail(logs.stderr))
    return Report(
        result=suite,
        root=root,
        repository=_repository(root, environ),
        log_tails=tails,
        source_url=_source_url(environ),
    )


def _suite_of(run: PipelineResult) -> SuiteResult:
    """Return a single run as all that was asked for."""
    return SuiteResult(
        project=run.project,
        command=run.command,
        started_at=run.started_at,
        finished_at=run.finished_at,
        runs=(run,),
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
