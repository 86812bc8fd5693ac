"""Processes of ours beside the engine, which import what would slow it down."""

from __future__ import annotations

import fcntl
import subprocess
import sys
from pathlib import Path


def start_beside(module: str, *arguments: str, lock: Path | None = None) -> subprocess.Popen[bytes]:
    """Start a module of ours in a session of its own, with a pipe to its stdin.

    ``lock`` is held from now on for as long as it lives. OSError when it can't be started.
    """
    # Without -P a folder `evidently` in the user's working directory would be imported.
    command = [sys.executable, "-P", "-m", module, *arguments]
    if lock is None:
        return _start(command)
    with lock.open("ab") as held:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # The lock belongs to the open file, which the process inherits.
        return _start(command, held.fileno())


def _start(command: list[str], *descriptors: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=descriptors,
        start_new_session=True,
    )


def is_held(lock: Path) -> bool:
    """Tell whether the process that was started with this lock still lives."""
    try:
        with lock.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False
