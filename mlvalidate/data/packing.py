"""Files whose bytes are packed: by gzip, bz2, xz or zstd."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import IO, Any, cast

from mlvalidate.core.datasets import Compression
from mlvalidate.data.errors import UnreadableFile

SUFFIXES = {
    ".gz": Compression.GZIP,
    ".bz2": Compression.BZ2,
    ".xz": Compression.XZ,
    ".zst": Compression.ZSTD,
}
# What reading raises when the packed bytes are broken or cut off.
BROKEN = (OSError, EOFError, zlib.error, lzma.LZMAError)
_MAGIC = (
    (b"\x1f\x8b", Compression.GZIP),
    (b"BZh", Compression.BZ2),
    (b"\xfd7zXZ\x00", Compression.XZ),
    (b"\x28\xb5\x2f\xfd", Compression.ZSTD),
)


def find_compression(path: Path) -> Compression:
    """Return how the bytes of a file are packed, by its first bytes. Raises OSError."""
    with path.open("rb") as file:
        start = file.read(8)
    return next((kind for magic, kind in _MAGIC if start.startswith(magic)), Compression.NONE)


def promised_compression(path: Path) -> Compression:
    """Return how the file is packed by the ending of its name."""
    return SUFFIXES.get(path.suffix.lower(), Compression.NONE)


def without_packing(path: Path) -> Path:
    """Return the name that a file has when it is unpacked."""
    return path.with_suffix("") if path.suffix.lower() in SUFFIXES else path


def check_packing(path: Path, compression: Compression) -> None:
    """Raise UnreadableFile when the first bytes say that a file is packed in another way.

    `BZh` alone says nothing: a text may begin with it. Raises OSError.
    """
    found = find_compression(path)
    if found is compression or not path.stat().st_size:
        return
    if compression is not Compression.NONE:
        raise UnreadableFile(f"it is not packed with {compression.value}")
    if found is not Compression.BZ2:
        raise UnreadableFile(
            f"it is packed with {found.value}, and neither its name nor `compression` says so"
        )


@contextmanager
def open_unpacked(path: Path, compression: Compression) -> Iterator[IO[bytes]]:
    """Open a file for reading what was packed. Raises one of BROKEN, also while it is read."""
    with path.open("rb") as raw, _unpacked(raw, compression) as file:
        yield file


@contextmanager
def open_packed(path: Path, compression: Compression) -> Iterator[IO[bytes]]:
    """Open a file for writing. The same content gives the same bytes. Raises OSError."""
    with path.open("wb") as raw, _packed(raw, compression) as file:
        yield file


def _unpacked(raw: IO[bytes], compression: Compression) -> AbstractContextManager[Any]:
    match compression:
        case Compression.GZIP:
            return gzip.GzipFile(fileobj=raw, mode="rb")
        case Compression.BZ2:
            return bz2.BZ2File(raw, "rb")
        case Compression.XZ:
            return lzma.LZMAFile(raw, "rb")
        case Compression.ZSTD:
            import pyarrow as pa

            # Arrow's stream reads no lines.
            return io.BufferedReader(cast("io.RawIOBase", pa.CompressedInputStream(raw, "zstd")))
    return nullcontext(raw)


def _packed(raw: IO[bytes], compression: Compression) -> AbstractContextManager[Any]:
    match compression:
        case Compression.GZIP:
            # Neither name nor time in the header: they would change the digest of equal data.
            return gzip.GzipFile("", "wb", compresslevel=6, fileobj=raw, mtime=0)
        case Compression.BZ2:
            return bz2.BZ2File(raw, "wb")
        case Compression.XZ:
            return lzma.LZMAFile(raw, "wb")
        case Compression.ZSTD:
            import pyarrow as pa

            return cast("AbstractContextManager[Any]", pa.CompressedOutputStream(raw, "zstd"))
    return nullcontext(raw)
