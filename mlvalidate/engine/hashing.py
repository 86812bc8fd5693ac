"""Hashes that tell whether code, contract or data of a step are the same in two runs."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from mlvalidate.core.contracts import Kind, Project
from mlvalidate.core.plan import PlannedStep
from mlvalidate.core.results import PortSummary
from mlvalidate.engine.container import code_folder

_LENGTH = 16
_MOST_FILES = 2000


def _combine(parts: Iterable[str]) -> str:
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:_LENGTH]


def hash_contract(planned: PlannedStep, project: Project) -> str:
    """Return a hash of the step's declaration and of the datasets that it names."""
    step = planned.step
    ports = (*step.inputs.values(), *step.outputs.values())
    names = sorted({name for port in ports for name in port.files.values()})
    datasets = [
        project.datasets[name].model_dump_json() for name in names if name in project.datasets
    ]
    return _combine([step.model_dump_json(), *datasets])


def hash_data(inputs: Iterable[PortSummary]) -> str:
    """Return a hash of names and contents of everything that the step was given."""
    return _combine(f"{p.port}/{file.name}={file.digest}" for p in inputs for file in p.files)


def hash_code(planned: PlannedStep, root: Path) -> str:
    """Return a hash of the Python files that the script can import from its own folder.

    Hidden folders and virtual environments are left out. A command has no code that is known.
    """
    if planned.step.kind is Kind.COMMAND:
        return _combine(planned.step.command or ())
    folder = code_folder(planned, root)
    return _combine(
        f"{path.relative_to(folder)}={hashlib.sha256(path.read_bytes()).hexdigest()}"
        for path in python_files(folder)
    )


def python_files(root: Path) -> list[Path]:
    """Return the Python files below a folder, without hidden folders and environments."""
    found: list[Path] = []
    for folder, subfolders, names in os.walk(root):
        subfolders[:] = sorted(
            name
            for name in subfolders
            if not name.startswith((".", "__pycache__"))
            and not Path(folder, name, "pyvenv.cfg").exists()
        )
        paths = [Path(folder, name) for name in sorted(names) if name.endswith(".py")]
        # Not the dangling links with which editors lock a file.
        found += [path for path in paths if path.is_file()]
        if len(found) > _MOST_FILES:
            break
    return found[:_MOST_FILES]
