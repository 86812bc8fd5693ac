"""What is known of the interpreter that runs a script: version, and the folders it needs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

from mlvalidate.core.errors import InfrastructureError, UsageError
from mlvalidate.core.model import Model

_PROBE_SECONDS = 30

# Standard library only: this text runs in the user's interpreter. An editable installation lies
# outside the interpreter's folders and is named in direct_url.json (PEP 610).
_PROBE = r"""
import glob, json, os, sys, sysconfig
paths = [sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix]
paths.append(os.path.dirname(os.path.realpath(sys.executable)))
paths += [entry for entry in sys.path if entry and os.path.isabs(entry)]
packages = sorted({sysconfig.get_path(name) for name in ("purelib", "platlib")})
for folder in packages:
    for name in glob.glob(os.path.join(glob.escape(folder), "*.dist-info", "direct_url.json")):
        try:
            with open(name) as file:
                origin = json.load(file)
        except (OSError, ValueError):
            continue
        if origin.get("dir_info", {}).get("editable") and origin["url"].startswith("file://"):
            paths.append(origin["url"][7:])
print(json.dumps({
    "executable": sys.executable,
    "version": ".".join(map(str, sys.version_info[:3])),
    "paths": paths,
    "packages": packages,
}))
"""


class Interpreter(Model):
    """An interpreter: ``paths`` are the folders it reads, ``packages`` its site-packages."""

    executable: Path
    version: str
    paths: tuple[Path, ...]
    packages: tuple[Path, ...]


def find_interpreter(declared: str | None, root: Path) -> Path:
    """Return the absolute path of ``python:``; without one, of the interpreter running now.

    UsageError when it does not exist. Symbolic links are kept: a virtual environment is known by
    the path of its interpreter.
    """
    if declared is None:
        return Path(sys.executable)
    if os.sep in declared:
        path = Path(os.path.normpath(root / declared))
        if not (path.is_file() and os.access(path, os.X_OK)):
            raise UsageError(
                f"the interpreter {declared} is not there",
                "`python:` names an executable, such as .venv/bin/python; leave it out to use the "
                "interpreter that runs mlvalidate",
            )
        return path
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
        path = Path(folder) / declared
        if path.is_file() and os.access(path, os.X_OK):
            return path
    raise UsageError(
        f"the interpreter {declared} is not on PATH",
        "give its path, such as .venv/bin/python",
    )


@cache
def inspect_interpreter(executable: Path) -> Interpreter:
    """Ask an interpreter for its folders. InfrastructureError when it does not start."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("PYTHON")
    }
    try:
        done = subprocess.run(
            [executable, "-c", _PROBE],
            capture_output=True,
            text=True,
            timeout=_PROBE_SECONDS,
            env=environment,
            cwd="/",
            check=True,
        )
        answer = json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        detail = (getattr(error, "stderr", None) or str(error)).strip() or "it says nothing"
        last = detail.splitlines()[-1][:200]
        raise InfrastructureError(
            f"the interpreter {executable} does not start: {last}",
            "check that it is a Python 3.8 or newer: run it with --version",
        ) from None
    return Interpreter(**answer)
