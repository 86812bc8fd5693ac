"""Reads off a script what it surely imports first, and what it does to how things are imported."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from mlvalidate.core.python_source import parse_python
from mlvalidate.project.script_scan import MOST_BYTES, MOST_MODULES

# What a call that changes the environment is made on, and by which name.
_SETTERS = ("setdefault", "update", "putenv", "pop", "unsetenv")
ANY = "*"


@dataclass(frozen=True)
class ImportedModule:
    """A module that is imported, and the names taken from it: some may be modules below it."""

    name: str
    names: tuple[str, ...] = ()


@dataclass
class StartFacts:
    """What a script and the modules of its own that it imports do while they are imported.

    ``modules`` are imported whatever happens, in this order; those of the project are left out and
    followed. ``sets`` are environment variables that the code sets anywhere, `*` for names that are
    not written out. ``moves_path``: it touches `sys.path`, `sys.modules` or `sys.meta_path`.
    """

    modules: list[ImportedModule] = field(default_factory=list)
    sets: set[str] = field(default_factory=set)
    moves_path: bool = False


def scan_start(script: Path, code_root: Path, *, runs_main: bool) -> StartFacts:
    """Return what a script does at its start.

    ``runs_main``: it is run as a program, so that its `__main__` block counts. Never raises on what
    a file holds: what can't be read has no facts.
    """
    scan = _Scan((script.parent, code_root))
    scan.read(script, runs_main=runs_main)
    return scan.facts


class _Scan:
    """Follows the imports of a script in the order in which they happen."""

    def __init__(self, folders: tuple[Path, ...]) -> None:
        self.facts = StartFacts()
        self._folders = folders
        self._seen: set[Path] = set()

    def read(self, path: Path, *, runs_main: bool = False) -> None:
        if path.resolve() in self._seen or len(self._seen) > MOST_MODULES:
            return
        self._seen.add(path.resolve())
        try:
            source = path.read_bytes()
            tree = parse_python(source) if len(source) <= MOST_BYTES else None
        except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
            return
        if tree is not None:
            self._look_at_effects(tree)
            self._follow(tree.body, path, runs_main)

    def _follow(self, body: Iterable[ast.stmt], path: Path, runs_main: bool) -> None:
        for node in body:
            if isinstance(node, ast.Import):
                for alias in node.names:
                    self._import(alias.name, ())
            elif isinstance(node, ast.ImportFrom):
                names = tuple(alias.name for alias in node.names)
                if node.level:
                    self._import_relative(path, node.level, node.module or "", names)
                elif node.module:
                    self._import(node.module, names)
            elif isinstance(node, ast.If) and runs_main and _is_main_test(node.test):
                self._follow(node.body, path, runs_main)

    def _import(self, name: str, names: tuple[str, ...]) -> None:
        top = name.partition(".")[0]
        for folder in self._folders:
            if any((folder / f"{top}{ending}").exists() for ending in (".py", "")):
                self._read_own(folder, name, names)
                return
        self.facts.modules.append(ImportedModule(name, names))

    def _import_relative(self, path: Path, level: int, name: str, names: tuple[str, ...]) -> None:
        if level <= len(path.parents):
            self._read_own(path.parents[level - 1], name, names)

    def _read_own(self, folder: Path, name: str, names: tuple[str, ...]) -> None:
        """Read a module of the project, the packages around it and modules taken from it."""
        parts = name.split(".") if name else []
        places = [folder.joinpath(*parts[: depth + 1]) for depth in range(len(parts))] or [folder]
        for place in (*places, *(places[-1] / each for each in names)):
            for file in (place / "__init__.py", place.with_name(f"{place.name}.py")):
                if file.is_file():
                    self.read(file)
                    break

    def _look_at_effects(self, tree: ast.Module) -> None:
        for node in ast.walk(tree):
            if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store | ast.Del):
                if _is_environ(node.value):
                    self._set(node.slice)
                self.facts.moves_path |= _is_import_state(node.value)
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                self._look_at_call(node, node.func)
            elif isinstance(node, ast.Assign | ast.AugAssign):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                self.facts.moves_path |= any(map(_is_import_state, targets))

    def _look_at_call(self, node: ast.Call, function: ast.Attribute) -> None:
        is_changed = function.attr in _SETTERS and _is_environ(function.value)
        if function.attr == "update" and is_changed:
            self._set_many(node)
        elif is_changed or function.attr in ("putenv", "unsetenv"):
            self._set(node.args[0] if node.args else None)
        self.facts.moves_path |= _is_import_state(function.value)

    def _set_many(self, node: ast.Call) -> None:
        for keyword in node.keywords:
            self.facts.sets.add(keyword.arg or ANY)
        for argument in node.args:
            for key in argument.keys if isinstance(argument, ast.Dict) else [None]:
                self._set(key)

    def _set(self, name: ast.expr | None) -> None:
        if isinstance(name, ast.Constant) and isinstance(name.value, str):
            self.facts.sets.add(name.value)
        else:
            self.facts.sets.add(ANY)


def _is_environ(node: ast.expr) -> bool:
    if isinstance(node, ast.Attribute):
        return node.attr == "environ"
    return isinstance(node, ast.Name) and node.id == "environ"


def _is_import_state(node: ast.expr) -> bool:
    """Tell whether an expression is `sys.path` or another thing that decides on imports."""
    return (
        isinstance(node, ast.Attribute)
        and node.attr in ("path", "modules", "meta_path", "path_hooks")
        and isinstance(node.value, ast.Name)
        and node.value.id == "sys"
    )


def _is_main_test(node: ast.expr) -> bool:
    return any(isinstance(part, ast.Name) and part.id == "__name__" for part in ast.walk(node))
