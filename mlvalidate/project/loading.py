"""Finds, reads and validates the project file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mlvalidate.core.contracts import Project
from mlvalidate.core.errors import UsageError
from mlvalidate.core.secrets import Redactor
from mlvalidate.project.construction import Constructor
from mlvalidate.project.cross_checks import check_references
from mlvalidate.project.interpreter_checks import check_interpreters
from mlvalidate.project.path_checks import check_paths
from mlvalidate.project.problems import WHOLE_FILE, Fault, Position, ProjectError
from mlvalidate.project.report import Report, problem_of
from mlvalidate.project.schemas.resolving import resolve_schemas
from mlvalidate.project.validation import validate
from mlvalidate.project.yaml_nodes import Node
from mlvalidate.project.yaml_tree import YamlError, parse_yaml

PROJECT_FILES = ("mlvalidate.yaml", "mlvalidate.yml")

_START = "start with `version: 1`, `project: <name>` and `steps:`"


def find_project_file(start: Path) -> Path:
    """Return the project file in ``start`` or in the nearest folder above it, absolute.

    ``start`` may be the file itself, whatever its name. Raises UsageError when ``start`` does not
    exist, and when there is no project file.
    """
    try:
        if start.is_file():
            return start.parent.resolve() / start.name
        if not start.is_dir():
            raise UsageError(f"{start}: no such file or folder", _start_hint())
        folder = start.resolve()
        for candidate in (up / name for up in (folder, *folder.parents) for name in PROJECT_FILES):
            if candidate.is_file():
                return candidate
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise UsageError(f"{start}: can't be read: {_reason(error)}") from None
    raise UsageError(f"no {PROJECT_FILES[0]} in {folder} or any folder above it", _start_hint())


def load_project(start: Path, environ: Mapping[str, str]) -> Project:
    """Return the project whose file is at, in or above ``start``.

    ``${NAME}`` in the file is taken from ``environ``. Raises UsageError when there is no file, and
    ProjectError, which lists everything that is wrong, when it can't be used.
    """
    file = find_project_file(start)
    shown = _shown(file)
    root, faults = _read_tree(file, shown)
    constructor = Constructor(environ)
    data = constructor.construct(root)
    report = Report(shown, root, Redactor.for_environment(constructor.used))
    report.extend(faults)
    report.extend(constructor.faults)
    data = resolve_schemas(data, file.parent, environ, report)
    project = validate(data, report)
    # What follows would blame names that only look unknown while the file is wrong otherwise.
    report.raise_if_any()
    assert project is not None
    project = project.at(file.parent)
    check_references(project, report)
    check_paths(project, report)
    check_interpreters(project, environ, report)
    report.raise_if_any()
    return project


def path_in_project(path: Path, start: Path) -> str:
    """Return how the project at or above ``start`` names a file; empty when it lies elsewhere."""
    try:
        root = find_project_file(start).parent.resolve()
        return str(path.resolve().relative_to(root))
    except (UsageError, OSError, ValueError):
        return ""


def _read_tree(file: Path, shown: str) -> tuple[Node, list[Fault]]:
    try:
        root, faults = parse_yaml(_read_text(file))
    except YamlError as error:
        fault = error.fault
    else:
        if root is not None:
            return root, faults
        fault = Fault(WHOLE_FILE, (), "the file is empty", _START)
    raise ProjectError([problem_of(fault, shown, Redactor())])


def _read_text(file: Path) -> str:
    try:
        content = file.read_bytes()
    except OSError as error:
        message = f"can't be read: {_reason(error)}"
        raise YamlError(Fault(WHOLE_FILE, (), message)) from None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        start = content.rfind(b"\n", 0, error.start) + 1
        column = len(content[start : error.start].decode("utf-8", "replace")) + 1
        position = Position(content.count(b"\n", 0, error.start) + 1, column)
        message = f"not UTF-8: the byte 0x{content[error.start]:02x}"
        raise YamlError(Fault(position, (), message, "save the file as UTF-8")) from None


def _shown(file: Path) -> str:
    """Return the path as people can click it: relative when it is below the current folder."""
    try:
        return str(file.relative_to(Path.cwd()))
    except (OSError, ValueError):
        return str(file)


def _reason(error: OSError | ValueError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _start_hint() -> str:
    return f"run mlvalidate in the folder of {PROJECT_FILES[0]}, or name that folder with -C"
