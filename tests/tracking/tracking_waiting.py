"""Waiting for what other processes do."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from mlvalidate.core.run_folder import RunFolder


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def is_logged(folder: RunFolder, text: str) -> bool:
    return folder.tracking_log.exists() and text in folder.tracking_log.read_text()


def is_gone(pid: int) -> bool:
    """Tell whether a process has ended; ours stays a zombie until it is asked for."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True
