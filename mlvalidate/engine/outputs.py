"""Looks at what a script left: which files, of what content; packs models as SageMaker does.

The files were written by a script that is not trusted: links are not followed out of the port,
and nothing but regular files is opened.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import stat
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from mlvalidate.core.contracts import CONTAINER_ROOT, Step
from mlvalidate.core.run_folder import StepFolder

# What a training job leaves in these folders reaches the next job as an archive.


# Folders nested more deeply than this are a mistake of the script, or an attack.
DEEPEST = 100
MOST_DIGESTED = 10**9
_PART = 64 * 2**20


@dataclass(frozen=True)
class FoundFile:
    """A file of a port. ``problem`` says why it can't be read (a link that leads elsewhere, ...)"""

    name: str
    path: Path
    size: int
    problem: str = ""


def find_files(folder: Path, ml: Path, left_out: tuple[Path, ...] = ()) -> tuple[FoundFile, ...]:
    """Return what lies below ``folder`` except folders, by name; ``left_out`` is not entered.

    ``ml`` is the folder that the script saw as /opt/ml: absolute links are read in its terms.
    """
    return tuple(sorted(_find(folder, ml, left_out), key=lambda file: file.name))


def is_own_folder(folder: Path, root: Path) -> bool:
    """Tell whether a folder below ``root`` is one, and not a link that a script put in its way."""
    try:
        return folder.is_dir() and folder.resolve() == root.resolve() / folder.relative_to(root)
    except (OSError, RuntimeError):
        return False


def _find(root: Path, ml: Path, left_out: tuple[Path, ...]) -> Iterator[FoundFile]:
    if not is_own_folder(root, ml):
        if os.path.lexists(root):
            yield FoundFile(".", root, 0, "is reached through a link, or is no folder any more")
        return
    for path in _walk(root, left_out):
        found = _look_at(path, root, ml)
        if found is not None:
            yield found


def _walk(root: Path, left_out: tuple[Path, ...] = ()) -> Iterator[Path]:
    """Yield what lies below a folder except folders; what is nested too deeply as a folder."""
    pending = [root]
    while pending:
        folder = pending.pop()
        for path in sorted(folder.iterdir()):
            if path in left_out:
                continue
            is_folder = path.is_dir() and not path.is_symlink()
            if is_folder and len(path.relative_to(root).parts) <= DEEPEST:
                pending.append(path)
            else:
                yield path


def _look_at(path: Path, root: Path, ml: Path) -> FoundFile | None:
    """Return the file; None for a link to a folder of the same port, which is found by itself."""
    shown = os.fsencode(path.relative_to(root)).decode(errors="backslashreplace")
    state = path.lstat()
    if shown != str(path.relative_to(root)):
        return FoundFile(shown, path, state.st_size, "has a name that is not UTF-8")
    if stat.S_ISLNK(state.st_mode):
        target = _follow(path, ml)
        if target is None or not target.is_relative_to(root.resolve()) or not target.exists():
            return FoundFile(shown, path, 0, f"is a link to {path.readlink()}")
        return None if target.is_dir() else FoundFile(shown, target, target.stat().st_size)
    return FoundFile(shown, path, state.st_size, _problem(path, state.st_mode))


def _problem(path: Path, mode: int) -> str:
    if stat.S_ISDIR(mode):
        return f"is nested more than {DEEPEST} folders deep"
    if not stat.S_ISREG(mode):
        return "is no regular file"
    return "" if os.access(path, os.R_OK) else "can't be read (its mode forbids it)"


def _follow(link: Path, ml: Path) -> Path | None:
    """Return where a link leads, with /opt/ml read as the script saw it; None without an end."""
    text = PurePosixPath(link.readlink())
    if text.is_relative_to(CONTAINER_ROOT):
        text = PurePosixPath(ml / text.relative_to(CONTAINER_ROOT))
    try:
        return Path(link.parent, text).resolve()
    except (OSError, RuntimeError):
        return None


def digest_file(path: Path) -> str:
    """Return the first 32 hex digits of the SHA-256 of a file's content.

    Of a file above 1 GB size, head and tail are hashed, and the digest begins with ``~``.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        if size <= MOST_DIGESTED:
            return hashlib.file_digest(file, "sha256").hexdigest()[:32]
        digest = hashlib.sha256(str(size).encode())
        digest.update(file.read(_PART))
        file.seek(-_PART, os.SEEK_END)
        digest.update(file.read(_PART))
    return f"~{digest.hexdigest()[:31]}"


def on_host(folder: StepFolder, container_path: str) -> Path:
    """Return where a path below /opt/ml lies in the step's folder."""
    return folder.ml / PurePosixPath(container_path).relative_to(CONTAINER_ROOT)


def packed_archive(folder: StepFolder, step: Step, output: str) -> Path | None:
    """Return the archive that an output becomes, or None when it is passed on as files."""
    name = step.archive_name(output)
    return folder.outputs / output / name if name else None


def output_folder(folder: StepFolder, step: Step, output: str) -> Path:
    """Return the folder with what an output port hands to its consumers."""
    archive = packed_archive(folder, step, output)
    return archive.parent if archive else on_host(folder, step.container_path("output", output))


def pack(source: Path, archive: Path) -> None:
    """Write a tar.gz of a folder, as SageMaker does with a training job's model.

    Equal content gives equal bytes: members are sorted and carry no times and no owner.
    """
    archive.parent.mkdir(parents=True, exist_ok=True)
    with (
        archive.open("wb") as file,
        # Level 1: the archive lives as long as the run, and time is what users wait for.
        gzip.GzipFile(filename="", mode="wb", fileobj=file, compresslevel=1, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w") as tar,
    ):
        for path in sorted(_walk(source)):
            if path.is_symlink() or path.is_file():
                name = str(path.relative_to(source))
                tar.add(path, arcname=name, recursive=False, filter=_anonymous)


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mtime = 0
    return member
