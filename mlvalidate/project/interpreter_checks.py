"""Checks that the interpreters that a project names can be started."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from mlvalidate.core.contracts import Project
from mlvalidate.project.file_lookup import (
    STAY_INSIDE,
    Complaint,
    holds,
    home_complaint,
    path_hint,
)
from mlvalidate.project.problems import KeyPath
from mlvalidate.project.report import Report


def check_interpreters(project: Project, environ: Mapping[str, str], report: Report) -> None:
    """Add to ``report`` every `python:` that is no program; a bare name is looked up on PATH."""
    for path, python in _interpreters(project):
        if "/" in python:
            complaint = _file_complaint(project, python)
        else:
            complaint = _command_complaint(python, environ)
        if complaint:
            report.add(path, *complaint)


def _interpreters(project: Project) -> Iterator[tuple[KeyPath, str]]:
    if project.defaults.python is not None:
        yield ("defaults", "python"), project.defaults.python
    for name, step in project.steps.items():
        if step.python is not None:
            yield ("steps", name, "python"), step.python


def _file_complaint(project: Project, python: str) -> Complaint | None:
    complaint = home_complaint(python)
    if complaint:
        return complaint
    # Only `..` counts: a virtual environment's interpreter is a link to one elsewhere.
    relative = os.path.normpath(python)
    if relative == os.pardir or relative.startswith(os.pardir + os.sep):
        return f"{python!r} leaves the project's folder", STAY_INSIDE
    path = project.path(python)
    if not holds(Path.is_file, path):
        return f"there is no interpreter {python!r}", path_hint(project.root, python)
    if not os.access(path, os.X_OK):
        return f"{python!r} is not executable", f"chmod +x {python}"
    return None


def _command_complaint(python: str, environ: Mapping[str, str]) -> Complaint | None:
    if python and shutil.which(python, path=environ.get("PATH", os.defpath)):
        return None
    return f"there is no {python!r} on PATH", "for a file in the project write ./ before its name"
