"""Modules that can't be imported."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from mlvalidate.checks.evidence import Evidence
from mlvalidate.checks.hints.advice import Advice
from mlvalidate.checks.traceback import PythonError


def missing_module(error: PythonError, evidence: Evidence) -> Advice | None:
    """Say what to install into which interpreter, and where requirements.txt asks for it."""
    if error.type not in ("ModuleNotFoundError", "ImportError"):
        return None
    python = evidence.planned.python
    lacking = re.search(
        r"cannot import name '([^']+)' from '([^']+)' \(.*-packages/", error.message
    )
    if lacking:
        return Advice(
            f"{lacking[2]} in {python} has no {lacking[1]}: it is another version than the "
            "container's"
        )
    match = re.search(r"No module named '([^']+)'", error.message)
    if match is None:
        return None
    package, _, submodule = match[1].rpartition(".")
    if package:
        return Advice(f"{package} is there, but has no {submodule}: another version, or a namesake")
    return Advice(_how_to_install(submodule, evidence))


def _how_to_install(module: str, evidence: Evidence) -> str:
    python = evidence.planned.python
    where, requirement = _requirement(module, evidence)
    if requirement:
        return f"install {requirement} into {python}: {where} asks for it"
    install = f"install {_DISTRIBUTIONS.get(module, module)} into {python}"
    if any(module in note.detail.replace("-", "_") for note in evidence.notes_of("pip")):
        return f"{install}: the script's own installation of it is not executed"
    return (
        f"{install}, or name another interpreter in `python:`; `module:` with `code_root:` makes "
        f"{module} importable if it is your own package"
    )


def relative_import(error: PythonError, _evidence: Evidence) -> Advice | None:
    """Say how to run a script that imports relative to its package."""
    if error.type != "ImportError" or "relative import" not in error.message:
        return None
    return Advice("run it as a module: `module: package.name` with `code_root:` instead of script")


# Modules that are called otherwise than what is installed.
_DISTRIBUTIONS = {
    "attr": "attrs",
    "bs4": "beautifulsoup4",
    "cv2": "opencv-python-headless",
    "dateutil": "python-dateutil",
    "dotenv": "python-dotenv",
    "Crypto": "pycryptodome",
    "MySQLdb": "mysqlclient",
    "PIL": "Pillow",
    "psycopg2": "psycopg2-binary",
    "sagemaker_training": "sagemaker-training",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "snowflake": "snowflake-connector-python",
    "yaml": "PyYAML",
}
_MOST_BYTES = 100_000


def _requirement(module: str, evidence: Evidence) -> tuple[str, str]:
    """Return the place and the text of the requirement that a module comes with; or nothing."""
    wanted = {_normalised(module), _normalised(_DISTRIBUTIONS.get(module, module))}
    for path in _requirement_files(evidence):
        try:
            lines = path.read_bytes()[:_MOST_BYTES].decode("utf-8", "replace").splitlines()
        except OSError:
            continue
        for number, line in enumerate(lines, 1):
            requirement = line.partition("#")[0].strip()
            name = re.match(r"[\w.-]+", requirement)
            if name and _normalised(name[0]) in wanted:
                return f"{path.relative_to(evidence.root)}:{number}", requirement
    return "", ""


def _requirement_files(evidence: Evidence) -> Iterator[Path]:
    """Yield where containers look: beside the script, in the source folder; then in the project."""
    step = evidence.planned.step
    folders = [evidence.root]
    if step.code_root:
        folders.insert(0, evidence.root / step.code_root)
    if step.script:
        folders.insert(0, (evidence.root / step.script).parent)
    for folder in dict.fromkeys(folders):
        if folder.is_relative_to(evidence.root):
            yield folder / "requirements.txt"


def _normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
