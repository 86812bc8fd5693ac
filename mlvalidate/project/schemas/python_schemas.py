"""Asks the user's interpreter for a schema that stands in Python code.

The code is the user's: it runs in a process of its own, in the interpreter of the scripts, without
credentials, for a limited time. What it says is kept until one of the files that it imported from
the project changes, because importing pandera takes seconds.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlvalidate.project.schemas.pandera_schemas import translate_pandera
from mlvalidate.project.schemas.translation import SchemaError, Translation

_SECONDS = 60
_STATE = Path(".mlvalidate") / "schemas"
# The rest of the environment, credentials among it, is not passed on.
_PASSED_ON = ("PATH", "LANG", "LC_ALL", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "VIRTUAL_ENV")

# Standard library and pandera only: this text runs in the user's interpreter, Python 3.8 or newer.
_DESCRIBE = r"""
import importlib, importlib.util, json, math, os, sys
root, module, name = sys.argv[1:4]
sys.path.insert(0, root)
answer = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # what the module prints is not the answer

def fail(message, hint=""):
    json.dump({"error": message, "hint": hint}, answer)
    answer.close()
    os._exit(0)

try:
    import pandera
except ImportError:
    fail("the interpreter %s has no pandera" % sys.executable,
         "install pandera there, or write the schema to a file with to_yaml()")
try:
    if module.endswith(".py"):
        path = os.path.join(root, module)
        sys.path.insert(0, os.path.dirname(path))
        spec = importlib.util.spec_from_file_location(os.path.basename(path)[:-3], path)
        found = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = found
        spec.loader.exec_module(found)
    else:
        found = importlib.import_module(module)
except ModuleNotFoundError as error:
    fail("can't import %s: there is no module %r" % (module, error.name))
except BaseException as error:
    fail("can't import %s: %s: %s" % (module, type(error).__name__, str(error)[:300]))
schema = found
for part in name.split("."):
    if not hasattr(schema, part):
        fail("%s has no %r" % (module, name))
    schema = getattr(schema, part)
if hasattr(schema, "to_schema"):
    try:
        schema = schema.to_schema()
    except Exception as error:
        fail("%s is no usable model: %s: %s" % (name, type(error).__name__, str(error)[:300]))
if not isinstance(getattr(schema, "columns", None), dict):
    fail("%s:%s is %s, not a schema" % (module, name, type(schema).__name__),
         "expected a DataFrameSchema or a DataFrameModel")

def plain(value):
    if isinstance(value, bool) or value is None or isinstance(value, (int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if hasattr(value, "item") and getattr(value, "ndim", 1) == 0:
        return plain(value.item())
    if isinstance(value, dict):
        return {str(key): plain(member) for key, member in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(member) for member in value]
    return getattr(value, "pattern", None) or str(value)

def checks(part):
    return [
        {"name": str(check.name or getattr(check, "error", None) or "custom"),
         "statistics": plain(getattr(check, "statistics", None) or {})}
        for check in (getattr(part, "checks", None) or [])
    ]

def column(part):
    return {
        "dtype": None if part.dtype is None else str(part.dtype),
        "nullable": bool(part.nullable), "unique": bool(part.unique),
        "required": bool(part.required), "regex": bool(part.regex),
        "title": part.title, "description": part.description, "checks": checks(part),
    }

index = getattr(schema, "index", None)
files = sorted({
    os.path.relpath(os.path.realpath(file), root)
    for file in (getattr(m, "__file__", None) for m in list(sys.modules.values()))
    if file and os.path.realpath(file).startswith(root + os.sep)
})
json.dump({
    "columns": {str(name): column(part) for name, part in schema.columns.items()},
    "unique": plain(getattr(schema, "unique", None)),
    "ordered": bool(getattr(schema, "ordered", False)),
    "checks": checks(schema),
    "index": [{"name": name} for name in getattr(index, "names", None) or []],
    "files": files,
}, answer)
answer.close()
os._exit(0)
"""


def read_python_schema(
    reference: str, root: Path, python: str | None, environ: Mapping[str, str]
) -> Translation:
    """Return what ``module:Schema`` or ``path/file.py:Schema`` declares. Raises SchemaError."""
    module, _, name = reference.rpartition(":")
    interpreter = _interpreter(python, root, environ)
    remembered = _Memory(root, f"{interpreter}\0{reference}")
    content = remembered.recall()
    if content is None:
        content = _ask(interpreter, root, module, name, environ)
        remembered.keep(content)
    return translate_pandera(content)


def _interpreter(python: str | None, root: Path, environ: Mapping[str, str]) -> str:
    if python is None:
        return sys.executable
    if "/" in python:
        return os.path.normpath(root / python)
    return shutil.which(python, path=environ.get("PATH", os.defpath)) or python


def _ask(
    interpreter: str, root: Path, module: str, name: str, environ: Mapping[str, str]
) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="mlvalidate-schema-") as home:
        passed_on = {key: environ[key] for key in _PASSED_ON if key in environ}
        # Another home: there are credentials in the user's own.
        environment = {**passed_on, "HOME": home, "PYTHONDONTWRITEBYTECODE": "1"}
        try:
            done = subprocess.run(
                [interpreter, "-c", _DESCRIBE, str(root), module, name],
                cwd=root,
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise SchemaError(f"importing {module} takes more than {_SECONDS} s") from None
        except (OSError, ValueError) as error:
            raise SchemaError(f"the interpreter {interpreter} does not start: {error}") from None
    try:
        content: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        last = said[-1][:200] if said else f"exit code {done.returncode}"
        raise SchemaError(f"importing {module} ended without an answer: {last}") from None
    if "error" in content:
        raise SchemaError(str(content["error"]), str(content.get("hint", "")))
    return content


class _Memory:
    """What was answered before, valid while the files that were imported are the same."""

    def __init__(self, root: Path, question: str) -> None:
        self._root = root
        digest = hashlib.sha256(f"{_DESCRIBE}\0{question}".encode()).hexdigest()[:32]
        self._file = root / _STATE / f"{digest}.json"

    def recall(self) -> dict[str, Any] | None:
        """Return the answer, or None when there is none that still holds."""
        try:
            kept: dict[str, Any] = json.loads(self._file.read_bytes())
            same = kept["digest"] == self._digest(kept["content"]["files"])
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return kept["content"] if same else None

    def keep(self, content: dict[str, Any]) -> None:
        """Write the answer down; a folder that can't be written to costs time, no more."""
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            ignore = self._root / _STATE.parent / ".gitignore"
            if not ignore.exists():
                ignore.write_text("*\n")
            text = json.dumps({"digest": self._digest(content["files"]), "content": content})
            part = self._file.with_suffix(f".{os.getpid()}")
            part.write_text(text)
            part.replace(self._file)
        except OSError:
            return

    def _digest(self, files: list[str]) -> str:
        digest = hashlib.sha256()
        for name in files:
            digest.update(name.encode() + b"\0" + (self._root / name).read_bytes() + b"\0")
        return digest.hexdigest()
