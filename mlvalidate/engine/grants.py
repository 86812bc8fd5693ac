"""What a step is given of this machine beyond its sandbox: folders to write to, variables."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from mlvalidate.core.contracts import Project
from mlvalidate.core.errors import UsageError
from mlvalidate.core.suggest import nearest

# Of the kernel, and what is the step's own.
_NEVER = ("/proc", "/sys", "/dev", "/opt/ml", "/opt/mlvalidate")


def writable_folders(project: Project, step: str) -> tuple[Path, ...]:
    """Return the folders under `writes` of a step, absolute and with their links followed.

    UsageError when one is missing, or would let the step write to what is not its own.
    """
    return tuple(_writable_folder(project, step, text) for text in project.steps[step].writes)


def _writable_folder(project: Project, step: str, text: str) -> Path:
    folder = project.path(str(Path(text).expanduser())).resolve()
    if not folder.is_dir():
        raise UsageError(
            f"step {step} may write to {text}, and there is no such folder",
            "make it, or correct `writes`: paths are absolute or relative to the project",
        )
    state = project.state_folder.resolve()
    below = next((name for name in (*_NEVER, str(state)) if folder.is_relative_to(name)), None)
    if below is not None:
        raise UsageError(
            f"step {step} can't be given {text} to write to: it is part of {below}",
            "name another folder in `writes`",
        )
    kept = {
        "the project's folder": project.root,
        "your home folder": Path.home(),
        "the folder of temporary files": Path(tempfile.gettempdir()),
        "the interpreter of mlvalidate": Path(sys.prefix),
    }
    held = next((what for what, path in kept.items() if path.resolve().is_relative_to(folder)), "")
    if held:
        raise UsageError(
            f"step {step} can't be given {text} to write to: it holds {held}",
            "name a folder in `writes` that holds nothing else",
        )
    return folder


def check_passed(step: str, names: Iterable[str], environ: Mapping[str, str]) -> None:
    """Raise UsageError when a variable under `pass_env` is not set here."""
    missing = [name for name in names if name not in environ]
    if missing:
        found = nearest(missing[0], environ)
        raise UsageError(
            f"`pass_env` of step {step} names {', '.join(missing)}, not set in this environment",
            f"did you mean {found!r}?"
            if found
            else f"export {missing[0]}=..., or take it out of `pass_env`",
        )
