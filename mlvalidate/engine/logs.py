"""Keeps a script's output whole up to a limit, then its head and its tail, and says so."""

from __future__ import annotations

from collections import deque
from pathlib import Path
from typing import IO

from mlvalidate.core.secrets import Redactor
from mlvalidate.core.units import format_size

# A line longer than this is redacted in pieces.
_LONGEST_LINE = 64 * 1024


class LogFile:
    """Writes one stream to a file: redacted, line by line, half the limit as head, half as tail.

    ``limit`` counts bytes of the stream. The head reaches the file as it comes, the tail when the
    log is closed. Bytes that are not UTF-8 become the replacement character.
    """

    def __init__(self, path: Path, limit: int, redactor: Redactor) -> None:
        self._file: IO[bytes] = path.open("wb")
        self._redactor = redactor
        self._head_room = limit // 2
        self._tail_limit = limit - limit // 2
        self._tail: deque[bytes] = deque()
        self._tail_size = 0
        self._pending = b""
        self.dropped = 0
        self.size = 0

    def feed(self, data: bytes) -> None:
        """Take a piece of the stream."""
        self.size += len(data)
        if self._head_room > 0:
            data = self._feed_head(data)
        if data:
            self._feed_tail(data)

    def _feed_head(self, data: bytes) -> bytes:
        """Write complete lines; return what does not belong to the head any more."""
        head, rest = data[: self._head_room], data[self._head_room :]
        self._head_room -= len(head)
        lines, newline, pending = (self._pending + head).rpartition(b"\n")
        self._write(lines + newline)
        self._pending = pending
        if len(self._pending) > _LONGEST_LINE or self._head_room == 0:
            self._write(self._pending)
            self._pending = b""
        self._file.flush()
        return rest

    def _feed_tail(self, data: bytes) -> None:
        self._tail.append(data)
        self._tail_size += len(data)
        while self._tail_size - len(self._tail[0]) >= self._tail_limit:
            dropped = self._tail.popleft()
            self._tail_size -= len(dropped)
            self.dropped += len(dropped)

    def _write(self, data: bytes) -> None:
        if data:
            text = data.decode("utf-8", errors="replace")
            self._file.write(self._redactor.redact(text).encode("utf-8", errors="replace"))

    def close(self) -> None:
        """Write the tail and close the file."""
        self._write(self._pending)
        tail = b"".join(self._tail)
        surplus = max(0, len(tail) - self._tail_limit)
        self.dropped += surplus
        if self.dropped:
            self._file.write(
                f"\n[mlvalidate: {format_size(self.dropped)} left out here]\n".encode()
            )
        self._write(tail[surplus:])
        self._file.close()
