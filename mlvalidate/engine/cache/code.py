"""Which files of the user's a script runs with, and whether they are the same as before.

Python files count by their syntax tree: blanks and comments don't. The script counts with the
modules of its own that it imports. Where it can import what nobody sees in its text (by name, from
a pickle, from a changed `sys.path`) the files that it could import count, too.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from mlvalidate.core.contracts import Kind, Project
from mlvalidate.core.plan import PlannedStep
from mlvalidate.core.python_source import parse_python
from mlvalidate.engine.cache.digests import FileDigests, digest_bytes, digest_text
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
class _Source:
    """What is known of one Python file. ``names`` are the last parts of its texts."""

    digest: str
    imports: tuple[str, ...] = ()
    names: set[str] = field(default_factory=set)
    imports_anything: bool = False
    loads_pickles: bool = False


class CodeReader:
    """Tells the files that the steps of a project run with; each file is read but once."""

    def __init__(self, project: Project, digests: FileDigests) -> None:
        self._project = project
        self._digests = digests
        self._sources: dict[Path, _Source] = {}

    def parts(self, planned: PlannedStep, local: tuple[Path, ...] = ()) -> dict[str, str]:
        """Return digests of the files that the step runs with, by their path in the project.

        ``local`` are folders outside the project that its interpreter imports sources from.
        TooManyFilesError when there are too many, OSError when one can't be read.
        """
        project = self._project
        root, folder = project.root, code_folder(planned, project.root)
        script = script_file(project, planned)
        if planned.step.kind is Kind.COMMAND or script is None:
            # A program that is not known may read whatever is there.
            return self._everything(planned)
        places = _search_places(planned, project, folder, local)
        sources = self._follow([script, *_check_files(planned, project)], places)
        names = set().union(*(source.names for source in sources.values()))
        files = {path: source.digest for path, source in sources.items()}
        base = root if folder.is_relative_to(root) else folder
        if any(source.imports_anything for source in sources.values()):
            files |= self._digests_of(python_files(base))
        elif any(source.loads_pickles for source in sources.values()):
            scripts = {project.path(step.script) for step in project.steps.values() if step.script}
            files |= self._digests_of(p for p in python_files(folder) if p not in scripts)
        others = list(_others(folder, project, names))
        if base != folder:
            others += [p for p in _walk(base) if p.name in names and p.suffix != ".py"]
        files |= {path: _digest_other(path, self._digests) for path in others}
        return _named(files, root)

    def _everything(self, planned: PlannedStep) -> dict[str, str]:
        project, root = self._project, self._project.root
        files = self._digests_of(python_files(root))
        others = list(_others(root, project, set()))
        if planned.step.script:
            others.append(project.path(planned.step.script))
        files |= {path: _digest_other(path, self._digests) for path in others}
        return _named(files, root)

    def _digests_of(self, paths: Iterable[Path]) -> dict[Path, str]:
        return {path: self._source(path).digest for path in paths}

    def _follow(self, starts: list[Path], places: tuple[Path, ...]) -> dict[Path, _Source]:
        """Return files and the modules in ``places`` that they import, and so on."""
        found: dict[Path, _Source] = {}
        pending = list(starts)
        while pending:
            path = pending.pop()
            if path not in found:
                found[path] = self._source(path)
                for name in found[path].imports:
                    pending += _modules(name, path.parent, places)
        return found

    def _source(self, path: Path) -> _Source:
        source = self._sources.get(path)
        if source is None:
            source = self._sources[path] = _read_source(path)
        return source


def _read_source(path: Path) -> _Source:
    content = path.read_bytes()
    try:
        tree = parse_python(content)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return _Source(digest_bytes(content), imports_anything=True)
    source = _Source(digest_text(ast.dump(tree)))
    imports: dict[str, None] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            imports.update(dict.fromkeys(_imported(node)))
        else:
            _note(node, source)
    source.imports = tuple(imports)
    tops = {name.partition(".")[0] for name in imports}
    source.imports_anything |= bool(tops & _MODULES)
    source.loads_pickles = bool(tops & _PICKLES)
    return source


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


def _imported(node: ast.Import | ast.ImportFrom) -> list[str]:
    """Return the modules that a statement may import; relative ones begin with dots."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    base = "." * node.level + (node.module or "")
    joint = "" if base.endswith(".") or not base else "."
    return [base, *(f"{base}{joint}{alias.name}" for alias in node.names)]


def _note(node: ast.AST, source: _Source) -> None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        if len(node.value) < _LONGEST_NAME:
            source.names.add(PurePosixPath(node.value).name)
    elif isinstance(node, ast.Name):
        source.imports_anything |= node.id in _CALLS
    elif isinstance(node, ast.Attribute):
        of_sys = isinstance(node.value, ast.Name) and node.value.id == "sys"
        of_os = isinstance(node.value, ast.Name) and node.value.id == "os"
        source.imports_anything |= (
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
