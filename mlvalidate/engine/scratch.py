"""Throwaway folders for copy-on-write layers, outside the project and gone after the step."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil

_PREFIX = "mlvalidate-step-"


@contextlib.contextmanager
def scratch_folder() -> Iterator[Path]:
    """Make a folder and remove it with everything in it. Its name tells which process owns it."""
    folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))
    try:
        yield folder
    finally:
        _remove(folder)


def sweep_scratch() -> None:
    """Remove the folders of processes that were killed before they could do it."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        owner = folder.name.removeprefix(_PREFIX).partition("-")[0]
        if not owner.isdigit() or psutil.pid_exists(int(owner)):
            continue
        # Another mlvalidate may sweep at the same time.
        with contextlib.suppress(OSError):
            if folder.stat().st_uid == os.getuid():
                _remove(folder)


def _remove(folder: Path) -> None:
    try:
        shutil.rmtree(folder, onerror=_open_and_retry)
    except RecursionError:
        # A script can nest folders more deeply than Python's own function can follow.
        subprocess.run(["rm", "-rf", "--", folder], check=False, capture_output=True)


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
