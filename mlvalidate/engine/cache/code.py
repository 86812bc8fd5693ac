"""Which files of the user's a script runs with, and whether they are the same as before.

Python files count by their syntax tree: blanks and comments don't. The script counts with the
modules of its own that it imports. Where it can import what nobody sees in its text (by name, from
a pickle, from a changed `sys.path`) the files that it could import count, too.
"""

from __future__ import annotations

import ast
import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from mlvalidate.core.contracts import Kind, Project
from mlvalidate.core.plan import PlannedStep
from mlvalidate.engine.cache.digests import FileDigests
from mlvalidate.engine.container import code_folder
from mlvalidate.engine.hashing import python_files
from mlvalidate.engine.static_checks import script_file

_PROJECT_FILE = "mlvalidate.yaml"
# What is written for people only.
_DOCUMENTS = (".md", ".rst", ".ipynb")
# Where MLflow keeps runs by default: a run writes there.
_RECORDS = ("mlruns", "mlartifacts", "mlflow.db")
# Larger files beside the code count by size and time.
_MOST_READ = 50 * 10**6
_MOST_FILES = 5000
_LONGEST_NAME = 200

_CALLS = {"__import__", "import_module", "exec", "eval", "compile", "execfile"}
_MODULES = {"runpy", "subprocess", "pkgutil", "imp"}
_PICKLES = {"pickle", "joblib", "cloudpickle", "dill", "torch"}


class TooManyFilesError(Exception):
    """There are more files beside the code than can be compared."""


@dataclass
class _Reading:
    """What was seen in the files that were followed."""

    files: dict[Path, str] = field(default_factory=dict)
    # Last parts of the texts: a file of such a name may be read.
    names: set[str] = field(default_factory=set)
    imports_anything: bool = False
    loads_pickles: bool = False


def code_parts(
    planned: PlannedStep, project: Project, digests: FileDigests, local: tuple[Path, ...] = ()
) -> dict[str, str]:
    """Return digests of the files that the step runs with, by their path in the project.

    ``local`` are folders outside the project that its interpreter imports sources from.
    TooManyFilesError when there are too many, OSError when one can't be read.
    """
    root, folder = project.root, code_folder(planned, project.root)
    script = script_file(project, planned)
    if planned.step.kind is Kind.COMMAND or script is None:
        # A program that is not known may read whatever is there.
        files = {path: _digest_python(path) for path in python_files(root)}
        files |= {path: _digest_other(path, digests) for path in _others(root, project, set())}
        if planned.step.script:
            path = project.path(planned.step.script)
            files[path] = digests.of(path)
        return _named(files, root)
    places = _search_places(planned, project, folder, local)
    reading = _follow([script, *_check_files(planned, project)], places)
    base = root if folder.is_relative_to(root) else folder
    if reading.imports_anything:
        _add(reading, python_files(base))
    elif reading.loads_pickles:
        scripts = {project.path(step.script) for step in project.steps.values() if step.script}
        _add(reading, (path for path in python_files(folder) if path not in scripts))
    files = dict(reading.files)
    for path in _others(folder, project, reading.names):
        files[path] = _digest_other(path, digests)
    if base != folder:
        for path in _walk(base):
            if path.name in reading.names and path not in files and path.suffix != ".py":
                files[path] = _digest_other(path, digests)
    return _named(files, root)


def _named(files: dict[Path, str], root: Path) -> dict[str, str]:
    return {
        str(path.relative_to(root) if path.is_relative_to(root) else path): digest
        for path, digest in files.items()
    }


def _search_places(
    planned: PlannedStep, project: Project, folder: Path, local: tuple[Path, ...]
) -> tuple[Path, ...]:
    words = [word for word in planned.env.get("PYTHONPATH", "").split(os.pathsep) if word]
    return (folder, *(project.root / word for word in words), *local, project.root)


def _check_files(planned: PlannedStep, project: Project) -> Iterator[Path]:
    """Yield the files of the check functions that the step declares."""
    for declared in planned.step.checks:
        if declared.check is None:
            continue
        place = declared.check.partition(":")[0]
        for path in (project.path(place), project.root.joinpath(*place.split("."))):
            if path.is_file():
                yield path
            for module in (path.with_suffix(".py"), path / "__init__.py"):
                if module.is_file():
                    yield module


def _add(reading: _Reading, paths: Iterable[Path]) -> None:
    for path in paths:
        if path not in reading.files:
            reading.files[path] = _digest_python(path)


def _follow(starts: list[Path], places: tuple[Path, ...]) -> _Reading:
    """Read files and the modules in ``places`` that they import, and so on."""
    reading = _Reading()
    pending = list(starts)
    while pending:
        path = pending.pop()
        if path in reading.files:
            continue
        content = path.read_bytes()
        tree = _parse(content)
        reading.files[path] = _digest_tree(tree, content)
        if tree is None:
            reading.imports_anything = True
            continue
        for name in _look_at(tree, reading):
            pending += _modules(name, path.parent, places)
    return reading


def _look_at(tree: ast.Module, reading: _Reading) -> Iterator[str]:
    """Note what a file does, and yield the modules that it imports: relative ones with dots."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            joint = "" if base.endswith(".") or not base else "."
            names = [base, *(f"{base}{joint}{alias.name}" for alias in node.names)]
        else:
            names = []
            _note(node, reading)
        tops = {name.partition(".")[0] for name in names}
        reading.imports_anything |= bool(tops & _MODULES)
        reading.loads_pickles |= bool(tops & _PICKLES)
        yield from names


def _note(node: ast.AST, reading: _Reading) -> None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        if len(node.value) < _LONGEST_NAME:
            reading.names.add(PurePosixPath(node.value).name)
    elif isinstance(node, ast.Name):
        reading.imports_anything |= node.id in _CALLS
    elif isinstance(node, ast.Attribute):
        of_sys = isinstance(node.value, ast.Name) and node.value.id == "sys"
        of_os = isinstance(node.value, ast.Name) and node.value.id == "os"
        reading.imports_anything |= (
            (of_sys and node.attr == "path")
            or (of_os and node.attr in ("system", "popen"))
            or node.attr in ("import_module", "spec_from_file_location")
        )


def _modules(name: str, own: Path, places: tuple[Path, ...]) -> list[Path]:
    """Return the files that an import runs, the packages' own on the way included."""
    dots = len(name) - len(name.lstrip("."))
    if dots:
        own = own.joinpath(*[".."] * (dots - 1))
        places = (Path(os.path.normpath(own)),)
    else:
        places = (*places, own)
    parts = [part for part in name.split(".") if part]
    for place in places:
        found = _in_place(place, parts)
        if found:
            return found
    return []


def _in_place(place: Path, parts: list[str]) -> list[Path]:
    found: list[Path] = []
    base = place
    if not parts and (base / "__init__.py").is_file():
        found.append(base / "__init__.py")
    for part in parts:
        base = base / part
        steps = (base.with_name(f"{part}.py"), base / "__init__.py")
        found += [path for path in steps if path.is_file()]
    return found


def _parse(content: bytes) -> ast.Module | None:
    try:
        return ast.parse(content)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _digest_tree(tree: ast.Module | None, content: bytes) -> str:
    text = content if tree is None else ast.dump(tree).encode("utf-8", "surrogatepass")
    return hashlib.sha256(text).hexdigest()[:32]


def _digest_python(path: Path) -> str:
    content = path.read_bytes()
    return _digest_tree(_parse(content), content)


def _digest_other(path: Path, digests: FileDigests) -> str:
    state = path.stat()
    if state.st_size > _MOST_READ:
        return f"{state.st_size} bytes of {state.st_mtime_ns}"
    return digests.of(path)


def _others(folder: Path, project: Project, mentioned: set[str]) -> Iterator[Path]:
    """Yield the files beside the code that a script may read, but for samples and documents."""
    samples = _samples(project)
    for path in _walk(folder):
        if path.suffix == ".py" or (path.name == _PROJECT_FILE and path.parent == project.root):
            continue
        is_aside = (
            path.suffix in _DOCUMENTS
            or any(map(path.is_relative_to, samples))
            or any(part in _RECORDS for part in path.relative_to(folder).parts)
        )
        if path.name in mentioned or not is_aside:
            yield path


def _samples(project: Project) -> list[Path]:
    """Return what is declared as a sample: a step is given it as its input, by another name."""
    declared = [dataset.sample for dataset in project.datasets.values()]
    declared += [port.sample for step in project.steps.values() for port in step.inputs.values()]
    return [project.path(sample) for sample in declared if sample]


def _walk(folder: Path) -> Iterator[Path]:
    """Yield the regular files below a folder, without hidden ones, environments and bytecode."""
    number = 0
    for place, subfolders, names in os.walk(folder):
        subfolders[:] = sorted(
            name
            for name in subfolders
            if not name.startswith((".", "__pycache__"))
            and not Path(place, name, "pyvenv.cfg").exists()
        )
        for name in sorted(names):
            path = Path(place, name)
            if name.startswith(".") or name.endswith(".pyc") or not path.is_file():
                continue
            number += 1
            if number > _MOST_FILES:
                raise TooManyFilesError(f"there are more than {_MOST_FILES} files below {folder}")
            yield path
