"""Opens files as the bytes that were packed, whatever their names say."""

from __future__ import annotations

import bz2
import gzip
import lzma
from pathlib import Path
from typing import IO, Any, cast

from mlvalidate.core.datasets import Compression

_MAGIC = (
    (b"\x1f\x8b", Compression.GZIP),
    (b"BZh", Compression.BZ2),
    (b"\xfd7zXZ\x00", Compression.XZ),
    (b"\x28\xb5\x2f\xfd", Compression.ZSTD),
)
SUFFIXES = {
    ".gz": Compression.GZIP,
    ".bz2": Compression.BZ2,
    ".xz": Compression.XZ,
    ".zst": Compression.ZSTD,
}


def find_compression(path: Path) -> Compression:
    """Return how the bytes of a file are packed, by its first bytes. Raises OSError."""
    with path.open("rb") as file:
        start = file.read(8)
    return next((kind for magic, kind in _MAGIC if start.startswith(magic)), Compression.NONE)


def promised_compression(path: Path) -> Compression:
    """Return how the file is packed by the ending of its name."""
    return SUFFIXES.get(path.suffix.lower(), Compression.NONE)


def open_unpacked(path: Path, compression: Compression) -> IO[bytes]:
    """Open a file for reading what was packed. Raises OSError, and later EOFError too."""
    if compression is Compression.GZIP:
        return cast("IO[bytes]", gzip.open(path, "rb"))
    if compression is Compression.BZ2:
        return cast("IO[bytes]", bz2.open(path, "rb"))
    if compression is Compression.XZ:
        return cast("IO[bytes]", lzma.open(path, "rb"))
    if compression is Compression.ZSTD:
        import pyarrow as pa

        stream: Any = pa.input_stream(str(path), compression="zstd")
        return cast("IO[bytes]", stream)
    return path.open("rb")
