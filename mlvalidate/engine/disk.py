"""Watches how much a script writes to disk, and how much room is left there."""

from __future__ import annotations

import contextlib
import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path

_LOOK_SECONDS = 0.1
# Adding up the files may take this share of one core, in slices of so many seconds.
_SHARE, _SLICE = 0.003, 0.0003
# The slice, when so much room has gone that the limit may be passed.
_URGENT_SLICE = 0.01
_LEAST_INTERVAL = 0.25
# A script is ended before the disk is so full that other programs suffer.
_RESERVE = 10**9
_RESERVED_FILES = 10_000
_BLOCK = 512


class DiskWatch:
    """Adds up what lies in ``folders``, a little at a time; ``limit`` is in bytes.

    What was there at the start does not count. Room is that of the file systems of ``folders``
    and of ``others``, which the script may write to and which are not added up.
    """

    def __init__(
        self, folders: tuple[Path, ...], limit: int, others: tuple[Path, ...] = ()
    ) -> None:
        self._folders = folders
        self._limit = limit
        systems = {path.stat().st_dev: path for path in (*folders, *others)}
        self._floors = {path: _floor(path) for path in systems.values()}
        self._at_start = sum(size for folder in folders for size in _sizes(folder))
        self.written = 0
        self._room = self._room_at_count = sum(_room(path)[0] for path in self._floors)
        self._count: Iterator[int] = iter(())
        self._counted = 0
        self._spent = 0.0
        self._next_look = self._next_count = 0.0
        # There is so little room left that the script must end.
        self.is_full = False
        self._is_counting = False

    def look(self) -> None:
        """Go on adding up, and see how much room is left; ten times a second, no oftener."""
        if time.perf_counter() < self._next_look:
            return
        self._next_look = time.perf_counter() + _LOOK_SECONDS
        self._look_at_room()
        # Gone room may be another program's doing, but it is worth a look.
        is_urgent = self.written + self._room_at_count - self._room > self._limit
        now = time.perf_counter()
        if not self._is_counting:
            if now < self._next_count and not is_urgent:
                return
            self._begin_count()
        if self._advance(now + (_URGENT_SLICE if is_urgent else _SLICE)):
            self._end_count()
        self._spent += time.perf_counter() - now

    @property
    def is_over(self) -> bool:
        """True when the script has written more than its limit."""
        return self.written > self._limit

    def _begin_count(self) -> None:
        self._is_counting = True
        self._room_at_count = self._room
        self._counted = 0
        self._spent = 0.0
        self._count = (size for folder in self._folders for size in _sizes(folder))

    def _advance(self, deadline: float) -> bool:
        """Add up until the deadline; tell whether it is done."""
        for size in self._count:
            self._counted += size
            if time.perf_counter() > deadline:
                return False
        return True

    def _end_count(self) -> None:
        self._is_counting = False
        self.written = max(0, self._counted - self._at_start)
        self._next_count = time.perf_counter() + max(_LEAST_INTERVAL, self._spent / _SHARE)

    def _look_at_room(self) -> None:
        rooms = {path: _room(path) for path in self._floors}
        self._room = sum(left for left, _ in rooms.values())
        self.is_full = any(
            left < least
            for path, floor in self._floors.items()
            for left, least in zip(rooms[path], floor, strict=True)
        )


def _room(path: Path) -> tuple[int, int]:
    """Return how many bytes and how many files still fit where a folder lies."""
    state = os.statvfs(path)
    # Some file systems don't count files.
    files = state.f_favail if state.f_files else _RESERVED_FILES
    return state.f_bavail * state.f_frsize, files


def _floor(path: Path) -> tuple[int, int]:
    """Return how much room must be left; a disk that is nearly full already lends half of it."""
    left, files = _room(path)
    return min(_RESERVE, left // 2), min(_RESERVED_FILES, files // 2)


def _sizes(folder: Path) -> Iterator[int]:
    """Yield the bytes on disk of everything below a folder, while a script changes it.

    A file with several names counts once.
    """
    seen: set[int] = set()
    pending = [str(folder)]
    while pending:
        # What is gone, or out of reach, does not count.
        with contextlib.suppress(OSError), os.scandir(pending.pop()) as entries:
            for entry in entries:
                state = entry.stat(follow_symlinks=False)
                if stat.S_ISDIR(state.st_mode):
                    pending.append(entry.path)
                elif state.st_nlink > 1:
                    if state.st_ino in seen:
                        continue
                    seen.add(state.st_ino)
                yield state.st_blocks * _BLOCK
