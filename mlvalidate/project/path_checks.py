"""Checks that the files, folders and modules of a project exist.

Relative paths are the project's and may not leave its folder; absolute ones are the user's choice.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from mlvalidate.core.contracts import Kind, Project, Step
from mlvalidate.core.datasets import REFERENCE_WORDS
from mlvalidate.core.suggest import nearest
from mlvalidate.project.file_lookup import (
    STAY_INSIDE,
    Complaint,
    holds,
    home_complaint,
    leaves,
    names_in,
    path_hint,
)
from mlvalidate.project.problems import KeyPath
from mlvalidate.project.report import Report

_MODULE = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")
_WORDS: dict[Callable[[Path], bool], str] = {
    Path.is_file: "file",
    Path.is_dir: "folder",
    Path.exists: "file or folder",
}


def check_paths(project: Project, report: Report) -> None:
    """Add to ``report`` every path that is not there, or that leaves the project's folder."""
    for path, declared in _samples(project):
        _check(path, _path_complaint(project, declared, Path.exists), report)
    for name, step in project.steps.items():
        _check_entry_point(project, ("steps", name), step, report)


def _check(path: KeyPath, complaint: Complaint | None, report: Report) -> None:
    if complaint:
        report.add(path, *complaint)


def _samples(project: Project) -> Iterator[tuple[KeyPath, str]]:
    for name, dataset in project.datasets.items():
        if dataset.sample is not None:
            yield ("datasets", name, "sample"), dataset.sample
        if dataset.reference is not None and dataset.reference not in REFERENCE_WORDS:
            yield ("datasets", name, "reference"), dataset.reference
    for name, step in project.steps.items():
        for direction, ports in (("inputs", step.inputs), ("outputs", step.outputs)):
            for port_name, port in ports.items():
                if port.sample is not None:
                    yield ("steps", name, direction, port_name, "sample"), port.sample


def _check_entry_point(project: Project, path: KeyPath, step: Step, report: Report) -> None:
    if step.script is not None:
        _check((*path, "script"), _path_complaint(project, step.script, Path.is_file), report)
    if step.module is None:
        return
    code_root = step.code_root or "."
    complaint = _path_complaint(project, code_root, Path.is_dir)
    if complaint:
        report.add((*path, "code_root"), *complaint)
    else:
        _check((*path, "module"), _module_complaint(project, step, step.module), report)


def _path_complaint(
    project: Project, declared: str, is_there: Callable[[Path], bool]
) -> Complaint | None:
    """Return what is wrong with a declared path; None when it may be used."""
    complaint = home_complaint(declared)
    if complaint:
        return complaint
    if leaves(project.root, declared):
        return f"{declared!r} leaves the project's folder", STAY_INSIDE
    if holds(is_there, project.path(declared)):
        return None
    return f"there is no {_WORDS[is_there]} {declared!r}", path_hint(project.root, declared)


def _module_complaint(project: Project, step: Step, module: str) -> Complaint | None:
    """Return what keeps a module from being run; None when nothing does."""
    if not _MODULE.fullmatch(module):
        hint = "for a file use `script`" if "/" in module or module.endswith(".py") else ""
        return f"expected a module such as package.module, found {module!r}", hint
    *packages, last = module.split(".")
    folder = project.path(step.code_root or ".")
    for depth, package in enumerate(packages):
        if not holds(Path.is_dir, folder / package):
            return _no_module(step, packages[:depth], package, folder)
        folder /= package
    # A package runs by its __main__, as with `python -m`; a function is imported from its __init__.
    inside = "__init__.py" if step.kind is Kind.CALLABLE else "__main__.py"
    if holds(Path.is_file, folder / f"{last}.py") or holds(Path.is_file, folder / last / inside):
        return None
    if holds(Path.is_dir, folder / last):
        return f"the package {module!r} has no {inside}", ""
    return _no_module(step, packages, last, folder)


def _no_module(step: Step, packages: list[str], name: str, folder: Path) -> Complaint:
    wanted = ".".join([*packages, name])
    where = "the project's folder" if step.code_root is None else repr(step.code_root)
    near = nearest(name, _modules_in(folder))
    hint = ""
    if near:
        hint = f"did you mean {'.'.join([*packages, near])!r}?"
    elif step.code_root is None:
        hint = "`code_root` names the folder that the module is imported from"
    return f"there is no module {wanted!r} below {where}", hint


def _modules_in(folder: Path) -> list[str]:
    paths = [folder / name for name in names_in(folder)]
    return [path.stem for path in paths if path.suffix == ".py" or holds(Path.is_dir, path)]
