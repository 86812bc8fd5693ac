"""The code of another commit, checked out beside the project for as long as it is needed."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mlvalidate.core.contracts import Project
from mlvalidate.core.errors import InfrastructureError, UsageError
from mlvalidate.project.loading import PROJECT_FILES

_LOOK_SECONDS = 10.0
# Of a large repository on a slow disk.
_CHECKOUT_SECONDS = 600.0


@dataclass(frozen=True)
class Checkout:
    """The project's folder at another commit, and the whole name of that commit."""

    folder: Path
    commit: str


@contextmanager
def checkout(project: Project, reference: str) -> Iterator[Checkout]:
    """Yield the project at a commit, in a temporary worktree of git's that is removed afterwards.

    What the project file names and git does not keep, an interpreter or a sample, comes from the
    project's own folder. UsageError when git knows no such commit, or it has no project.
    """
    top = Path(_ask(project.root, "rev-parse", "--show-toplevel"))
    try:
        # Without an argument that could be taken for an option.
        commit = _ask(project.root, "rev-parse", "--verify", "--quiet", f"{reference}^{{commit}}")
    except UsageError:
        raise UsageError(
            f"git knows no commit {reference!r}", "name a commit, a branch or a tag"
        ) from None
    with tempfile.TemporaryDirectory(prefix="mlvalidate-") as name:
        tree = Path(name, "tree")
        _add_worktree(project.root, tree, commit)
        try:
            folder = tree / project.root.relative_to(top)
            if not any((folder / name).is_file() for name in PROJECT_FILES):
                raise UsageError(f"commit {commit[:10]} has no {PROJECT_FILES[0]} in this folder")
            _provide_missing(folder, project)
            yield Checkout(folder, commit)
        finally:
            _remove_worktree(project.root, tree)


def _provide_missing(folder: Path, project: Project) -> None:
    """Put what the project file names and only the project's own folder has into another folder."""
    interpreters = [project.defaults.python, *(step.python for step in project.steps.values())]
    for missing in _missing(interpreters, folder, project.root):
        (folder / missing).symlink_to(project.root / missing)
    # A project's data may not lie behind a link that leads out of its folder.
    samples = [dataset.sample for dataset in project.datasets.values()]
    for missing in _missing(samples, folder, project.root):
        source = project.root / missing
        if source.is_dir():
            shutil.copytree(source, folder / missing, copy_function=_link_or_copy)
        else:
            _link_or_copy(str(source), str(folder / missing))


def _missing(declared: Iterable[str | None], folder: Path, own: Path) -> Iterator[Path]:
    """Yield what a folder lacks of declared paths, as much of each as it lacks.

    The whole of an environment, that is: its interpreter looks around itself.
    """
    for name in declared:
        # An absolute path is the same from anywhere.
        if name is None or Path(name).is_absolute() or ".." in Path(name).parts:
            continue
        parts = Path(name).parts
        starts = (Path(*parts[:number]) for number in range(1, len(parts) + 1))
        missing = next((start for start in starts if not (folder / start).exists()), None)
        if missing is not None and (own / missing).exists():
            yield missing


def _link_or_copy(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        # Another file system.
        shutil.copyfile(source, target)


def _ask(folder: Path, *words: str) -> str:
    try:
        return _git(folder, _LOOK_SECONDS, *words)
    except FileNotFoundError:
        raise InfrastructureError("git is not installed") from None
    except subprocess.CalledProcessError:
        raise UsageError(
            f"{folder} is no checkout of git", "--against needs a commit to compare with"
        ) from None
    except subprocess.TimeoutExpired:
        raise InfrastructureError(f"git does not answer in {folder}") from None


def _git(folder: Path, seconds: float, *words: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(folder), *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=seconds,
        check=True,
    )
    return done.stdout.decode(errors="surrogateescape").strip()


def _add_worktree(folder: Path, tree: Path, commit: str) -> None:
    try:
        _git(folder, _CHECKOUT_SECONDS, "worktree", "add", "--detach", str(tree), commit)
    except subprocess.SubprocessError as error:
        told = getattr(error, "stderr", None) or b""
        lines = told.decode(errors="replace").strip().splitlines() or [type(error).__name__]
        raise InfrastructureError(f"git can't check out {commit[:10]}: {lines[-1]}") from error


def _remove_worktree(folder: Path, tree: Path) -> None:
    shutil.rmtree(tree, ignore_errors=True)
    try:
        _git(folder, _LOOK_SECONDS, "worktree", "prune")
    except subprocess.SubprocessError:
        # Git forgets it by itself when it tidies up the next time.
        return
