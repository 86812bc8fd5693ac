"""Inputs that made a step fail and were kept: `.mlvalidate/cases/STEP/ID/PORT/FILE`.

`case.json` beside the ports says what was found. The id is made of the content, so that the same
input is kept once.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import shutil
from collections.abc import Mapping
from pathlib import Path

from mlvalidate.core.contracts import Project
from mlvalidate.core.errors import UsageError
from mlvalidate.core.findings import Finding
from mlvalidate.core.model import Model
from mlvalidate.core.plan import Origin, PlannedStep
from mlvalidate.core.suggest import did_you_mean

_ABOUT = "case.json"


class KeptCase(Model):
    """What is told of a kept input: by which search it was found, and what it led to."""

    step: str
    found_at: str
    seed: int
    tries: int
    findings: tuple[Finding, ...]


def keep_case(project: Project, about: KeptCase, folders: Mapping[str, Path], step: str) -> str:
    """Copy the input ports of a failing input, and return the id under which it is kept."""
    digest = hashlib.sha256()
    for port, folder in sorted(folders.items()):
        for file in sorted(folder.rglob("*")):
            digest.update(f"{port}/{file.relative_to(folder)}\0".encode())
            digest.update(file.read_bytes())
    name = digest.hexdigest()[:8]
    target = _folder(project, step) / name
    shutil.rmtree(target, ignore_errors=True)
    for port, folder in folders.items():
        shutil.copytree(folder, target / port)
    (target / _ABOUT).write_text(about.model_dump_json(indent=2), encoding="utf-8")
    return name


def now() -> str:
    """Return the moment for a case that is kept now."""
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")


def kept_cases(project: Project, step: str) -> tuple[str, ...]:
    """Return the ids of the inputs that are kept for a step, the oldest first."""
    found = (file for file in _folder(project, step).glob(f"*/{_ABOUT}"))
    return tuple(file.parent.name for file in sorted(found, key=lambda f: f.stat().st_mtime_ns))


def with_kept_input(project: Project, step: PlannedStep, case: str) -> PlannedStep:
    """Return the step on a kept input. UsageError when there is none of that id."""
    known = kept_cases(project, step.step_name)
    if case not in known:
        raise UsageError(
            f"no input {case!r} is kept for step {step.step_name}",
            did_you_mean(case, known) if known else "`--explore N` looks for one",
        )
    folder = _folder(project, step.step_name) / case
    return with_folders(step, {port.name: port for port in folder.iterdir() if port.is_dir()})


def with_folders(step: PlannedStep, folders: Mapping[str, Path]) -> PlannedStep:
    """Return the step with folders for some of its inputs, by port."""
    inputs = tuple(
        item.model_copy(update={"origin": Origin.FOLDER, "folder": folders[item.port], "files": ()})
        if item.port in folders
        else item
        for item in step.inputs
    )
    return step.model_copy(update={"inputs": inputs})


def _folder(project: Project, step: str) -> Path:
    return project.state_folder / "cases" / step
