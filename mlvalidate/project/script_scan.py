"""Reads scripts without running them: what they import, read, mention and offer."""

from __future__ import annotations

import ast
from pathlib import Path

from mlvalidate.core.python_source import parse_python
from mlvalidate.project.argparse_scan import ignores_unknown, read_options
from mlvalidate.project.script_facts import Function, Import, Literal, Read, ScriptFacts

# A script larger than this is data, or was made by a program.
MOST_BYTES = 2 * 10**6
# Modules of its own that a script imports are followed up to this many.
MOST_MODULES = 50
_ROOT = "/opt/ml"


def scan_script(script: Path, code_root: Path, project_root: Path) -> ScriptFacts:
    """Return what is known of a script and of the modules below ``code_root`` that it imports.

    Places are relative to ``project_root``. Never raises on what a file holds: what can't be read
    has no facts.
    """
    facts = ScriptFacts(file=_relative(script, project_root))
    pending, seen = [script], {script.resolve()}
    while pending and len(seen) <= MOST_MODULES:
        path = pending.pop(0)
        tree = _parse(path)
        if tree is None:
            facts.readable = facts.readable and path != script
            continue
        _Visitor(facts, _relative(path, project_root), is_script=path == script).read(tree)
        for module in _imported_names(tree):
            found = _find_module(module, (script.parent, code_root, path.parent))
            if found is not None and found.resolve() not in seen:
                seen.add(found.resolve())
                pending.append(found)
    facts.runs_nothing = facts.runs_nothing and len(seen) == 1
    own = {found.stem for found in seen} | {found.parent.name for found in seen}
    facts.imports = [each for each in facts.imports if each.module not in own]
    return facts


def _relative(path: Path, root: Path) -> str:
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)


def _parse(path: Path) -> ast.Module | None:
    try:
        if path.stat().st_size > MOST_BYTES:
            return None
        return parse_python(path.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _imported_names(tree: ast.Module) -> list[str]:
    names: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            names += [base, *(f"{base}.{alias.name}".strip(".") for alias in node.names)]
    return list(dict.fromkeys(filter(None, names)))


def _find_module(name: str, folders: tuple[Path, ...]) -> Path | None:
    parts = name.split(".")
    for folder in folders:
        base = folder.joinpath(*parts)
        for path in (base.with_suffix(".py"), base / "__init__.py"):
            if path.is_file():
                return path
    return None


class _Visitor(ast.NodeVisitor):
    """Collects facts from one file."""

    def __init__(self, facts: ScriptFacts, file: str, *, is_script: bool) -> None:
        self._facts, self._file, self._is_script = facts, file, is_script
        # How the code that is being looked at is reached.
        self._depth = 0
        self._guarded = 0
        self._main = False

    def read(self, tree: ast.Module) -> None:
        options = read_options(tree)
        if options is not None:
            # Two files with a parser: which one reads the command line is not known.
            known = self._facts.options
            self._facts.options = options if known is None else None
            self._facts.ignores_unknown = ignores_unknown(tree)
        if self._is_script:
            self._facts.functions = {
                node.name: _signature(node)
                for node in tree.body
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            }
            self._facts.names = {name for node in tree.body for name in _bound_names(node)}
            self._facts.runs_nothing = bool(self._facts.functions) and not any(
                map(_runs, tree.body)
            )
        self.visit(tree)

    @property
    def _certain(self) -> bool:
        return self._depth == 0 and self._guarded == 0

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._visit_nested(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self._visit_nested(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._visit_nested(node)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._visit_nested(node)

    def _visit_nested(self, node: ast.AST) -> None:
        self._depth += 1
        self.generic_visit(node)
        self._depth -= 1

    def visit_Try(self, node: ast.Try) -> None:
        self._guarded += 1
        self.generic_visit(node)
        self._guarded -= 1

    def visit_If(self, node: ast.If) -> None:
        self.visit(node.test)
        # What the `__main__` block of the script does is certain; another condition is not.
        certain = self._is_script and self._depth == 0 and _is_main_test(node.test)
        if not certain:
            self._guarded += 1
        for child in (*node.body, *node.orelse):
            self.visit(child)
        if not certain:
            self._guarded -= 1

    def visit_IfExp(self, node: ast.IfExp) -> None:
        self._guarded += 1
        self.generic_visit(node)
        self._guarded -= 1

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self._import(alias.name, node.lineno)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        if node.level == 0 and node.module:
            self._import(node.module, node.lineno)

    def _import(self, name: str, line: int) -> None:
        top = name.partition(".")[0]
        self._facts.imports.append(Import(top, self._file, line, self._certain))

    def visit_Subscript(self, node: ast.Subscript) -> None:
        key = node.slice
        if isinstance(node.ctx, ast.Load) and _is_environ(node.value):
            self._read(self._facts.environment, key)
        if isinstance(node.ctx, ast.Load) and _is_environ_vars(node.value):
            self._read(self._facts.environ_vars, key)
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        function = node.func
        if isinstance(function, ast.Attribute) and node.args:
            is_get = function.attr == "get"
            if function.attr == "getenv" or (is_get and _is_environ(function.value)):
                self._read(self._facts.optional_environment, node.args[0])
            elif is_get and _is_environ_vars(function.value):
                self._read(self._facts.environ_vars, node.args[0])
        self.generic_visit(node)

    def _read(self, reads: list[Read], key: ast.expr) -> None:
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            reads.append(Read(key.value, self._file, key.lineno, self._certain))

    def visit_Attribute(self, node: ast.Attribute) -> None:
        is_read = isinstance(node.ctx, ast.Load) and isinstance(node.value, ast.Name)
        if is_read and node.value.id == "job_args":  # type: ignore[attr-defined]
            self._facts.job_args.append(
                Read(node.attr, self._file, node.lineno, self._guarded == 0)
            )
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str):
            self._text(node.value, node.lineno, is_prefix=False)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        first = node.values[0] if node.values else None
        if isinstance(first, ast.Constant) and isinstance(first.value, str):
            self._text(first.value, node.lineno, is_prefix=len(node.values) > 1)
        for value in node.values[1:]:
            self.visit(value)

    def _text(self, text: str, line: int, *, is_prefix: bool) -> None:
        if len(text) < 200:
            self._facts.texts.add(text)
        if text.startswith(_ROOT) and "\n" not in text and " " not in text:
            self._facts.literals.append(Literal(text, self._file, line, is_prefix))


def _is_environ(node: ast.expr) -> bool:
    if isinstance(node, ast.Attribute):
        return node.attr == "environ"
    return isinstance(node, ast.Name) and node.id == "environ"


def _is_environ_vars(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "environ_vars"


def _is_main_test(node: ast.expr) -> bool:
    return any(isinstance(part, ast.Name) and part.id == "__name__" for part in ast.walk(node))


def _runs(node: ast.stmt) -> bool:
    """Tell whether a statement at the top of a script does something when the script is run."""
    quiet = (
        ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Assign,
        ast.AnnAssign, ast.AugAssign, ast.Pass, ast.Delete,
    )  # fmt: skip
    if isinstance(node, ast.Expr):
        return not isinstance(node.value, ast.Constant)
    return not isinstance(node, quiet)


def _bound_names(node: ast.stmt) -> list[str]:
    """Return the names that an import or an assignment at the top binds."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        return [alias.asname or alias.name.partition(".")[0] for alias in node.names]
    if isinstance(node, ast.Assign):
        return [target.id for target in node.targets if isinstance(target, ast.Name)]
    return []


def _signature(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Function:
    arguments = node.args
    positional = [*arguments.posonlyargs, *arguments.args]
    names = tuple(each.arg for each in (*positional, *arguments.kwonlyargs))
    keyword_required = sum(default is None for default in arguments.kw_defaults)
    return Function(
        line=node.lineno,
        parameters=names,
        required=len(positional) - len(arguments.defaults) + keyword_required,
        takes_any=arguments.vararg is not None or arguments.kwarg is not None,
    )
