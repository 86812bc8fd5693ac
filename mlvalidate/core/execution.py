"""How the execution of one script ended, before anybody judges it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from mlvalidate.core.plan import ColdStart


class Stop(StrEnum):
    """Why the engine ended a script before it ended itself."""

    TIMEOUT = "timeout"
    MEMORY = "memory"
    DISK = "disk"
    PROCESSES = "processes"
    INTERRUPT = "interrupt"


@dataclass(frozen=True)
class Change:
    """A file that a script changed in a copy-on-write area: added, modified or deleted."""

    area: str
    path: str
    change: str


@dataclass(frozen=True)
class Outcome:
    """How a script ended. ``stop`` says that, and why, the engine ended it."""

    exit_code: int | None
    signal: int | None
    stop: Stop | None
    start_failure: str
    duration_s: float
    cpu_s: float
    peak_rss: int
    read_bytes: int
    written_bytes: int
    leftovers: tuple[str, ...]
    changes: tuple[Change, ...]
    read_only: tuple[str, ...]
    # Seconds that building the sandbox took.
    setup_s: float = 0.0
    # What counts against the limits: bytes with files in memory among them, processes and threads,
    # bytes on disk.
    peak_memory: int = 0
    peak_tasks: int = 0
    disk_bytes: int = 0
    # None: it was forked from an interpreter that was ready.
    cold: ColdStart | None = None

    @property
    def succeeded(self) -> bool:
        """True when the script ended by itself with exit code 0."""
        return self.exit_code == 0 and self.stop is None


@dataclass(frozen=True)
class Note:
    """Something that a stand-in of the harness saw: a refused connection, a call of pip."""

    kind: str
    detail: str
    location: str
