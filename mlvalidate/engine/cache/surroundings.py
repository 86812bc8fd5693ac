"""What is around a script and not of it: interpreter, distributions, machine, mlvalidate itself."""

from __future__ import annotations

import hashlib
import json
import os
import platform
from contextlib import suppress
from functools import cache
from importlib import metadata
from pathlib import Path

import mlvalidate
from mlvalidate.engine.cache.digests import digest_text
from mlvalidate.engine.interpreter import Interpreter

_KINDS = (".dist-info", ".egg-info")
# The first of an interpreter's paths are its own folders, see `interpreter._PROBE`.
_OWN_FOLDERS = 5


def interpreter_parts(interpreter: Interpreter) -> dict[str, str]:
    """Return what the interpreter is."""
    return {"version": interpreter.version, "path": str(interpreter.executable)}


def machine_parts(*, sandboxed: bool) -> dict[str, str]:
    """Return what scripts see of the machine."""
    return {
        "processors": str(os.cpu_count()),
        "architecture": platform.machine(),
        "sandbox": "yes" if sandboxed else "no",
    }


def package_parts(interpreter: Interpreter) -> dict[str, str]:
    """Return the versions of the distributions that the interpreter can import.

    One that was not installed from an index (a folder, a commit) has its files' digests as well.
    """
    found: dict[str, str] = {}
    folders = dict.fromkeys((*interpreter.packages, *interpreter.paths[_OWN_FOLDERS:]))
    for folder in folders:
        with suppress(OSError):
            for entry in sorted(os.listdir(folder)):  # noqa: PTH208 - names only, many of them
                if entry.endswith(_KINDS):
                    name, _, version = entry.rpartition(".")[0].partition("-")
                    found.setdefault(name.lower(), version + _source_of(folder / entry))
    return found


def _source_of(folder: Path) -> str:
    """Return a mark of a distribution whose version does not tell its content; else ''."""
    origin = folder / "direct_url.json"
    if not origin.is_file():
        return ""
    with suppress(OSError):
        record = (folder / "RECORD").read_text(errors="replace")
        return f" {digest_text(origin.read_text(errors='replace') + record)}"
    return " unknown"


def local_sources(interpreter: Interpreter) -> tuple[Path, ...]:
    """Return the folders outside its own that the interpreter imports from.

    Such are editable installations, whose content changes and whose version does not.
    """
    own = {path.resolve() for path in interpreter.paths[:_OWN_FOLDERS]}
    found: dict[Path, None] = {}
    for path in interpreter.paths[_OWN_FOLDERS:]:
        if path.is_dir() and not any(path.resolve().is_relative_to(place) for place in own):
            found[path] = None
            if (path / "src").is_dir():
                found[path / "src"] = None
    return tuple(found)


@cache
def mlvalidate_parts() -> dict[str, str]:
    """Return what judges: mlvalidate, and the plugins that bring checks."""
    plugins = {
        distribution.metadata["Name"]: distribution.version
        for distribution in metadata.distributions()
        for entry in distribution.entry_points
        if entry.group == "mlvalidate"
    }
    return {"version": mlvalidate.__version__, "source": _own_source(), **plugins}


def _own_source() -> str:
    digest = hashlib.sha256()
    for path in sorted(Path(mlvalidate.__file__).parent.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:32]


def digest_json(value: object) -> str:
    """Return the digest of something that JSON can hold."""
    return digest_text(json.dumps(value, sort_keys=True, default=str))
