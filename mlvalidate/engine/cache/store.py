"""The cache on disk: entries by node and key, the least recently used of which go first.

.mlvalidate/cache/
    lock                        held shared by who reads entries, exclusively by who changes them
    digests.json                digests of large files, by size and time
    entries/<node>/<key>/       entry.json, whose time is that of its last use, and the files
    pipelines/<name>.json       what was found between the steps, for runs in which none runs
    new/<process>-<random>/     entries that are being written or deleted
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from mlvalidate.core.reuse import CachedStep, Pruned
from mlvalidate.engine.cache.entry import Entry, link_files, read_entry, write_entry
from mlvalidate.engine.cache.key import digest_parts

_ENTRY = "entry.json"


@dataclass(frozen=True)
class Kept:
    """An entry and the folder that its files lie in."""

    entry: Entry
    folder: Path

    @property
    def used_at(self) -> float:
        """Seconds since the epoch of its last use; 0 when it is gone."""
        try:
            return (self.folder / _ENTRY).stat().st_mtime
        except OSError:
            return 0.0

    @property
    def summary(self) -> CachedStep:
        """What people want to know of it."""
        return CachedStep(
            node=self.entry.node,
            run_id=self.entry.run_id,
            name=self.entry.name,
            kept_at=self.entry.at,
            used_at=self.used_at,
            size_bytes=self.entry.size,
        )


class Store:
    """The cache of one project. Safe with several threads and processes."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._entries = root / "entries"
        self._new = root / "new"

    def find(self, node: str, key: str) -> Kept | None:
        """Return the entry of a node with just this key."""
        folder = self._entries / node / key
        entry = read_entry(folder / _ENTRY)
        return Kept(entry, folder) if entry else None

    def of_node(self, node: str) -> list[Kept]:
        """Return the entries of a node, the last used first."""
        return self._read(self._entries / node)

    def all(self) -> list[Kept]:
        """Return every entry, the last used first."""
        if not self._entries.is_dir():
            return []
        found = [kept for node in self._entries.iterdir() for kept in self._read(node)]
        return sorted(found, key=lambda kept: kept.used_at, reverse=True)

    def _read(self, folder: Path) -> list[Kept]:
        if not folder.is_dir():
            return []
        read = ((read_entry(place / _ENTRY), place) for place in folder.iterdir())
        found = [Kept(entry, place) for entry, place in read if entry is not None]
        return sorted(found, key=lambda kept: kept.used_at, reverse=True)

    def put(self, entry: Entry, source: Path) -> Path:
        """Keep an entry whose files lie below ``source``; it replaces one of the same key.

        It appears in one piece or not at all. OSError when it can't be written.
        """
        temporary = self._temporary()
        target = self._entries / entry.node / digest_parts(entry.parts)
        try:
            link_files(entry, source, temporary)
            write_entry(entry, temporary / _ENTRY)
            with self._lock(fcntl.LOCK_EX):
                target.parent.mkdir(parents=True, exist_ok=True)
                self._take_away(target)
                temporary.rename(target)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
        return target

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Keep entries from being removed for as long as they are read."""
        with self._lock(fcntl.LOCK_SH):
            yield

    def touch(self, kept: Kept) -> None:
        """Note that an entry has been used now."""
        with suppress(OSError):
            os.utime(kept.folder / _ENTRY)

    def drop(self, kept: Kept) -> None:
        """Remove an entry; that it is gone already is no fault."""
        with self._lock(fcntl.LOCK_EX):
            self._take_away(kept.folder)

    def prune(self, limit: int, spared: Collection[Path] = ()) -> Pruned:
        """Remove the entries that were not used longest until the others fit into ``limit`` bytes.

        ``spared`` are folders of entries that stay in any case.
        """
        removed = freed = 0
        with self._lock(fcntl.LOCK_EX):
            self._sweep()
            entries = self.all()
            size = sum(kept.entry.size for kept in entries)
            for kept in reversed(entries):
                if size - freed <= limit:
                    break
                if kept.folder not in spared:
                    self._take_away(kept.folder)
                    removed += 1
                    freed += kept.entry.size
        return Pruned(
            removed=removed,
            removed_bytes=freed,
            left=len(entries) - removed,
            left_bytes=size - freed,
        )

    def clear(self) -> Pruned:
        """Remove every entry."""
        return self.prune(-1)

    def _take_away(self, folder: Path) -> None:
        """Remove a folder so that nobody sees a part of it."""
        if folder.exists():
            grave = self._temporary()
            grave.rmdir()
            folder.rename(grave)
            shutil.rmtree(grave, ignore_errors=True)

    def _sweep(self) -> None:
        """Remove what killed processes left behind, and what can't be read as an entry."""
        for place in self._new.iterdir() if self._new.is_dir() else ():
            owner = place.name.partition("-")[0]
            if not owner.isdigit() or not psutil.pid_exists(int(owner)):
                shutil.rmtree(place, ignore_errors=True)
        for place in self._entries.glob("*/*"):
            if read_entry(place / _ENTRY) is None:
                self._take_away(place)

    def _temporary(self) -> Path:
        folder = self._new / f"{os.getpid()}-{threading.get_ident()}-{secrets.token_hex(4)}"
        folder.mkdir(parents=True, mode=0o700)
        return folder

    @contextmanager
    def _lock(self, how: int) -> Iterator[None]:
        self._root.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Opened anew each time: threads that share a descriptor would share the lock.
        with (self._root / "lock").open("ab") as file:
            fcntl.flock(file, how)
            yield
