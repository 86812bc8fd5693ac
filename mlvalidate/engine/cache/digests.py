"""Digests of contents, of files remembered for as long as the file does not change."""

from __future__ import annotations

import hashlib
import json
import os
import threading
import time
from contextlib import suppress
from pathlib import Path

# Smaller files are read faster than they are looked up.
_LEAST_REMEMBERED = 10**6
_MOST_REMEMBERED = 10_000
# A file that was written just now may be written again within the resolution of its time.
_SETTLED_SECONDS = 2.0

_Known = tuple[int, int, int, str]


def digest_text(text: str) -> str:
    """Return a digest that can't be turned back, of settings that may be secret."""
    return digest_bytes(text.encode("utf-8", "surrogatepass"))


def digest_bytes(content: bytes) -> str:
    """Return the digest of a small content that is in memory."""
    return hashlib.sha256(content).hexdigest()[:32]


class FileDigests:
    """SHA-256 of files by size, time and inode; large ones are remembered in a file for next time.

    Safe with several threads. Two processes may forget what the other one learned, nothing else.
    """

    def __init__(self, memory: Path) -> None:
        self._memory = memory
        self._lock = threading.Lock()
        self._known: dict[str, _Known] = {}
        self._is_changed = False
        with suppress(OSError, ValueError, TypeError):
            read = json.loads(memory.read_bytes())
            self._known = {str(path): tuple(known) for path, known in read.items()}

    def of(self, path: Path) -> str:
        """Return the digest of a file's whole content; OSError when it can't be read."""
        state = path.stat()
        mark = (state.st_size, state.st_mtime_ns, state.st_ino)
        with self._lock:
            known = self._known.get(str(path))
        if known is not None and known[:3] == mark:
            return known[3]
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()[:32]
        settled = time.time() - state.st_mtime > _SETTLED_SECONDS
        if settled and state.st_size >= _LEAST_REMEMBERED:
            with self._lock:
                self._known[str(path)] = (*mark, digest)
                self._is_changed = True
        return digest

    def save(self) -> None:
        """Keep what was learned. That it can't be kept costs time, and is no fault."""
        with self._lock:
            if not self._is_changed:
                return
            newest = dict(list(self._known.items())[-_MOST_REMEMBERED:])
            self._is_changed = False
        temporary = self._memory.with_name(f"{self._memory.name}.{os.getpid()}")
        with suppress(OSError):
            temporary.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_text(json.dumps(newest))
            temporary.replace(self._memory)
