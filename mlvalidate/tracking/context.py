"""The circumstances of a run as tags: commit, CI job, user, machine. Absent where unknown."""

from __future__ import annotations

import getpass
import os
import platform
import subprocess
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

import psutil

from mlvalidate.core.secrets import Redactor
from mlvalidate.tracking import layout

_GIT_SECONDS = 2.0

# A variable that only this CI sets, its name, and the variable with the job's address.
_CI = (
    ("GITHUB_ACTIONS", "GitHub Actions", ""),
    ("GITLAB_CI", "GitLab CI", "CI_JOB_URL"),
    ("JENKINS_URL", "Jenkins", "BUILD_URL"),
    ("BUILDKITE", "Buildkite", "BUILDKITE_BUILD_URL"),
    ("CIRCLECI", "CircleCI", "CIRCLE_BUILD_URL"),
    ("TF_BUILD", "Azure Pipelines", ""),
    ("CODEBUILD_BUILD_ARN", "AWS CodeBuild", "CODEBUILD_PUBLIC_BUILD_URL"),
    ("CI", "CI", "CI_JOB_URL"),
)
# In CI the checkout usually has no branch.
_CI_BRANCH = ("GITHUB_HEAD_REF", "GITHUB_REF_NAME", "CI_COMMIT_REF_NAME", "BRANCH_NAME")


def run_context(project: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the tags that hold for every run recorded from this project right now."""
    tags = {
        **minimal_context(),
        layout.MACHINE: machine_key(),
        layout.MLFLOW_USER: _user(),
        **_git_tags(project, environ),
        **_ci_tags(environ),
    }
    redactor = Redactor.for_environment(environ)
    return {name: redactor.redact(value) for name, value in tags.items() if value}


def minimal_context() -> dict[str, str]:
    """Return the tags of a run about whose circumstances nobody knows any more."""
    return {
        layout.RECORD: str(layout.RECORD_VERSION),
        layout.VERSION: version("mlvalidate"),
        layout.MLFLOW_SOURCE_TYPE: "LOCAL",
    }


def machine_key() -> str:
    """Return what makes timings comparable: equal machines have equal keys."""
    memory = round(psutil.virtual_memory().total / 2**30)
    return f"{platform.system()}-{platform.machine()}-{os.cpu_count()}cpu-{memory}GiB".lower()


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        # A container often runs under a number that no one has given a name.
        return str(os.getuid())


def _git_tags(project: Path, environ: Mapping[str, str]) -> dict[str, str]:
    status = _git_status(project)
    commit = status.get("branch.oid", "")
    if not commit or commit == "(initial)":
        return {}
    branch = status.get("branch.head", "")
    if branch == "(detached)":
        branch = next((environ[name] for name in _CI_BRANCH if environ.get(name)), "")
    return {
        layout.GIT_COMMIT: commit,
        layout.GIT_BRANCH: branch,
        layout.GIT_DIRTY: "true" if status["dirty"] else "false",
        layout.MLFLOW_COMMIT: commit,
        layout.MLFLOW_BRANCH: branch,
    }


def _git_status(project: Path) -> dict[str, str]:
    """Return the headers of `git status`, and `dirty`; empty outside a checkout or without git."""
    command = ["git", "-C", str(project), "--no-optional-locks", "status"]
    options = ["--porcelain=v2", "--branch", "--untracked-files=no", "--ignore-submodules"]
    try:
        output = subprocess.run(
            [*command, *options],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_GIT_SECONDS,
            check=True,
        ).stdout.decode(errors="replace")
    except (OSError, subprocess.SubprocessError):
        return {}
    lines = output.splitlines()
    headers = (line[2:].partition(" ") for line in lines if line.startswith("# "))
    dirty = any(not line.startswith("# ") for line in lines)
    return {**{name: value for name, _, value in headers}, "dirty": "yes" if dirty else ""}


def _ci_tags(environ: Mapping[str, str]) -> dict[str, str]:
    for marker, name, url in _CI:
        if environ.get(marker):
            return {layout.CI_NAME: name, layout.CI_URL: environ.get(url) or _built_url(environ)}
    return {}


def _built_url(environ: Mapping[str, str]) -> str:
    """Return the job's address where the CI only sets its parts."""
    get = environ.get
    if get("GITHUB_RUN_ID"):
        repository = f"{get('GITHUB_SERVER_URL', '')}/{get('GITHUB_REPOSITORY', '')}"
        return f"{repository}/actions/runs/{get('GITHUB_RUN_ID')}"
    if get("BUILD_BUILDID"):
        collection = get("SYSTEM_COLLECTIONURI", "")
        project = get("SYSTEM_TEAMPROJECT", "")
        return f"{collection}{project}/_build/results?buildId={get('BUILD_BUILDID')}"
    return ""
