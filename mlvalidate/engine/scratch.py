"""Throwaway folders for copy-on-write layers, outside the project and gone after the step."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from mlvalidate.engine.processes import read_process

_PREFIX = "mlvalidate-step-"


def remove_folder(folder: Path) -> None:
    """Remove a folder with everything in it, whatever the permissions in it are."""
    try:
        shutil.rmtree(folder, onerror=_open_and_retry)
    except RecursionError:
        # A script can nest folders more deeply than Python's own function can follow.
        subprocess.run(["rm", "-rf", "--", folder], check=False, capture_output=True)


@contextlib.contextmanager
def scratch_folder(remove: Callable[[Path], object] = remove_folder) -> Iterator[Path]:
    """Make a folder and remove it with everything in it.

    Its name tells which process owns it, and it is locked while it is in use. ``remove`` may leave
    the removing to another thread: the kernel takes a while to let go of mounts.
    """
    folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{_name(os.getpid())}-"))
    try:
        with _locked(folder):
            yield folder
    finally:
        remove(folder)


def sweep_scratch() -> None:
    """Remove the folders of processes that were killed before they could do it."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        # Another mlvalidate may sweep at the same time.
        with contextlib.suppress(OSError):
            if folder.stat().st_uid == os.getuid() and _is_abandoned(folder):
                remove_folder(folder)


def _is_abandoned(folder: Path) -> bool:
    """Tell whether the owner is gone; its pid may belong to another process by now."""
    pid = folder.name.removeprefix(_PREFIX).partition("-")[0]
    if not pid.isdigit() or folder.name.startswith(f"{_PREFIX}{_name(int(pid))}-"):
        return False
    # An owner in another container is alive, too, and its pid is unknown here.
    with contextlib.suppress(BlockingIOError), _locked(folder):
        return True
    return False


def _name(pid: int) -> str:
    """Return what no other process was or will be called: its pid and when it was born."""
    process = read_process(pid)
    return f"{pid}-{process.born if process else 'gone'}"


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Lock a folder; BlockingIOError when another process has."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            # Folders on NFS can't be locked; there the name has to do.
            if error.errno == errno.EWOULDBLOCK:
                raise
        yield
    finally:
        os.close(descriptor)


def _open_and_retry(_function: Callable[..., object], path: str, _error: object) -> None:
    """Overlay work folders and some scripts leave folders that even their owner can't enter."""
    with contextlib.suppress(OSError):
        for place in (Path(path).parent, Path(path)):
            if not place.is_symlink():
                place.chmod(stat.S_IRWXU)
        if Path(path).is_dir() and not Path(path).is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            Path(path).unlink()
