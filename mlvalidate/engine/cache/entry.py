"""What is kept of a step that passed, and how its files get from folder to folder.

Files are linked, not copied: nobody writes to them. Scripts see what other steps wrote through a
copy-on-write layer, or get a copy. A file that was changed all the same is noticed by its digest.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic import ValidationError

from mlvalidate.core.contracts import Reports, Step
from mlvalidate.core.model import Model
from mlvalidate.core.plan import RunKind
from mlvalidate.core.results import StepResult
from mlvalidate.core.run_folder import StepFolder
from mlvalidate.engine.outputs import digest_file, is_own_folder, on_host

ENTRY_VERSION = 1


class KeptFile(Model):
    """A file of an entry. ``link``: a symbolic link with this text; it has no digest then."""

    size: int
    digest: str = ""
    link: str = ""


class Entry(Model):
    """A step that passed: what it ran with, what it came to, and its files by their path.

    ``run_id`` is the run in which its script ran, ``kind`` and ``name`` what that run was of.
    """

    version: int = ENTRY_VERSION
    node: str
    run_id: str
    kind: RunKind
    name: str
    at: float
    parts: dict[str, dict[str, str]]
    # Why it may be no more than handed on in a run of other steps; empty when it may be reused.
    barred: str = ""
    reports: Reports
    result: StepResult
    files: dict[str, KeptFile]
    folders: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files.values())


class DamagedError(Exception):
    """A file of an entry is not there, or not as it was kept; the text names it."""


def read_entry(path: Path) -> Entry | None:
    """Read an entry; None when there is none, or one of another version."""
    try:
        entry = Entry.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None
    return entry if entry.version == ENTRY_VERSION else None


def write_entry(entry: Entry, path: Path) -> None:
    """Write an entry in one piece."""
    temporary = path.with_suffix(".tmp")
    temporary.write_text(entry.model_dump_json(), encoding="utf-8")
    temporary.replace(path)


def list_files(
    folder: StepFolder, step: Step, known: Mapping[Path, str]
) -> tuple[dict[str, KeptFile], tuple[str, ...]] | None:
    """Return what is to be kept of a step's folder: files, and folders that may be empty.

    ``known`` are digests that need not be computed again. None when something can't be kept, such
    as a pipe, or a port that is reached through a link. OSError when a file can't be read.
    """
    ports = [on_host(folder, step.container_path("output", name)) for name in step.outputs]
    roots = [*ports, folder.root / "outputs", folder.logs, folder.samples, folder.baseline]
    files: dict[str, KeptFile] = {}
    folders: dict[str, None] = {}
    for root in roots:
        if not is_own_folder(root, folder.root):
            if os.path.lexists(root):
                return None
            continue
        for path in _walk(root):
            name = str(path.relative_to(folder.root))
            if path.is_symlink():
                files[name] = KeptFile(size=0, link=os.readlink(path))  # noqa: PTH115 - a text
            elif path.is_dir():
                folders[name] = None
            elif path.is_file():
                digest = known.get(path) or digest_file(path)
                files[name] = KeptFile(size=path.stat().st_size, digest=digest)
            else:
                return None
    return files, tuple(folders)


def _walk(root: Path) -> Iterator[Path]:
    """Yield a folder and all that is below it, links not followed."""
    yield root
    for place, folders, names in os.walk(root):
        for name in (*folders, *names):
            yield Path(place, name)


def check_files(entry: Entry, root: Path) -> None:
    """Raise DamagedError when a file of the entry is not as it was kept below ``root``."""
    for name, kept in entry.files.items():
        path = root / name
        try:
            if kept.link:
                same = os.readlink(path) == kept.link  # noqa: PTH115 - a text
            else:
                is_file = not path.is_symlink() and path.stat().st_size == kept.size
                same = is_file and digest_file(path) == kept.digest
        except OSError as error:
            raise DamagedError(f"{name}: {error.strerror or error}") from error
        if not same:
            raise DamagedError(f"{name} is not as it was written")


def link_files(entry: Entry, source: Path, target: Path) -> None:
    """Make the files of an entry, which lie below ``source``, appear below ``target`` as well.

    OSError when one is gone, or the disk is full.
    """
    for name in entry.folders:
        (target / name).mkdir(parents=True, exist_ok=True)
    for name, kept in entry.files.items():
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if kept.link:
            path.symlink_to(kept.link)
        else:
            _link_or_copy(source / name, path)


def _link_or_copy(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise
    except OSError:
        shutil.copy2(source, target)
