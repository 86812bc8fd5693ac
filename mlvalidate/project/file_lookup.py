"""Looks declared paths up, and says what is wrong with those that lead nowhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path, PurePosixPath

from mlvalidate.core.suggest import nearest

# A message and a hint.
Complaint = tuple[str, str]

STAY_INSIDE = "relative paths stay inside it; an absolute path may point anywhere"


def holds(is_there: Callable[[Path], bool], path: Path) -> bool:
    """Tell whether a path satisfies a method such as ``Path.is_file``; False if nobody can tell."""
    try:
        return is_there(path)
    except (OSError, ValueError):  # no permission, a name that is too long, a NUL
        return False


def names_in(folder: Path) -> list[str]:
    """Return the names of what is in a folder; nothing when it can't be read."""
    try:
        return sorted(path.name for path in folder.iterdir())
    except (OSError, ValueError):
        return []


def home_complaint(declared: str) -> Complaint | None:
    """Say that `~` stands for itself, where a path starts with it."""
    if not declared.startswith("~"):
        return None
    return f"~ is not expanded in {declared!r}", "write the whole path, or start it with ${HOME}"


def leaves(root: Path, declared: str) -> bool:
    """Tell whether a relative path ends outside ``root``, by `..` or by a symbolic link."""
    if Path(declared).is_absolute():
        return False
    try:
        return not (root / declared).resolve().is_relative_to(root)
    except (OSError, ValueError, RuntimeError):  # a NUL, a loop of links: nothing can be there
        return False


def path_hint(root: Path, declared: str) -> str:
    """Say what is at the path instead, or suggest one that differs in its first missing part."""
    if holds(Path.exists, root / declared):
        return "that is a folder" if holds(Path.is_dir, root / declared) else "that is a file"
    folder = root
    parts = PurePosixPath(declared).parts
    for index, part in enumerate(parts):
        if not holds(Path.exists, folder / part):
            near = nearest(part, names_in(folder))
            if near in (None, part):  # a link that leads nowhere has that name itself
                return ""
            suggested = PurePosixPath(*parts[:index], near, *parts[index + 1 :])
            return f"did you mean {str(suggested)!r}?"
        folder /= part
    return ""
