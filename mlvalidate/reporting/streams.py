"""Streams whose reader has gone away. Standard library only."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import IO


def silence(stream: IO[str]) -> None:
    """Connect a stream with nowhere, so that writing to it and flushing it cannot fail."""
    # A stream without a descriptor, such as a StringIO, has nobody at its other end.
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nowhere, stream.fileno())
        finally:
            os.close(nowhere)
