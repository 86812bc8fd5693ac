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
    log is closed. Both are cut between lines, so that no secret is cut in two and escapes the
    redactor. Bytes that are not UTF-8 become the replacement character.
    """

    def __init__(self, path: Path, limit: int, redactor: Redactor) -> None:
        self._file: IO[bytes] = path.open("wb")
        self._redactor = redactor
        self._head_room = limit // 2
        self._tail_limit = limit - limit // 2
        self._tail: deque[bytes] = deque()
        self._tail_size = 0
        self._byte_before_tail = b"\n"
        self._pending = b""
        self.dropped = 0
        self.size = 0
        # The redactor had something to mask.
        self.had_secrets = False

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
        self._pending += head
        end = self._pending.rfind(b"\n") + 1
        if len(self._pending) - end > _LONGEST_LINE:
            end = _place_to_cut(self._pending)
        self._write(self._pending[:end])
        self._pending = self._pending[end:]
        self._file.flush()
        if self._head_room > 0:
            return b""
        # The line that the head ends in goes to the tail, with the room that it takes.
        begun, self._pending = self._pending, b""
        self._tail_limit += len(begun)
        return begun + rest

    def _feed_tail(self, data: bytes) -> None:
        self._tail.append(data)
        self._tail_size += len(data)
        while self._tail_size - len(self._tail[0]) >= self._tail_limit:
            dropped = self._tail.popleft()
            self._byte_before_tail = dropped[-1:]
            self._tail_size -= len(dropped)
            self.dropped += len(dropped)

    def _write(self, data: bytes) -> None:
        if data:
            text = data.decode("utf-8", errors="replace")
            safe = self._redactor.redact(text)
            self.had_secrets = self.had_secrets or safe != text
            self._file.write(safe.encode("utf-8", errors="replace"))

    def close(self) -> None:
        """Write the tail and close the file."""
        self._write(self._pending)
        tail = b"".join(self._tail)
        surplus = max(0, len(tail) - self._tail_limit)
        if (tail[surplus - 1 : surplus] or self._byte_before_tail) != b"\n":
            # Begin with a whole line, if one begins soon enough.
            line = tail.find(b"\n", surplus, surplus + _LONGEST_LINE) + 1
            surplus = line if 0 < line < len(tail) else surplus
        self.dropped += surplus
        if self.dropped:
            self._file.write(
                f"\n[mlvalidate: {format_size(self.dropped)} left out here]\n".encode()
            )
        self._write(tail[surplus:])
        self._file.close()


def _place_to_cut(line: bytes) -> int:
    """Return where to cut a very long line: behind a space, or at least between two characters."""
    end = line.rfind(b" ", 0, -4) + 1 or len(line) - 4
    continued = 0
    while continued < 3 and line[end] & 0xC0 == 0x80:
        continued += 1
        end -= 1
    return end
