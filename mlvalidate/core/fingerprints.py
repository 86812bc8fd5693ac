"""The fingerprint of a fault: equal in two runs that meet the same fault. Pure."""

from __future__ import annotations

import hashlib
import re
from pathlib import PurePosixPath

LENGTH = 16

_NUMBER = re.compile(r"\d+(\.\d+)?")
# `can't` has no quote, and of a text that was cut one may be open: it stays as it is.
_QUOTED = re.compile(r"(?<!\w)'[^'\n]*'(?!\w)|\"[^\"\n]*\"|`[^`\n]*`")
_UUID = re.compile(r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b")
_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]+\b")
# Hashes, run ids: letters and digits of hexadecimal numbers.
_HASH = re.compile(r"(?<![\w.])(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{8,}\b", re.IGNORECASE)
# Folders, temporary ones too, and addresses such as s3://bucket/key.
_PATH = re.compile(r"(?:\b[A-Za-z][\w+.\-]*:)?[~.\w\-+@%#=]*[/\\][^\s'\"`,;:()\[\]{}<>|]*")
_TIMESTAMP = re.compile(
    r"\b\d{4}-\d\d?-\d\d?(?:[T ]\d\d?:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?\b"
    r"|\b\d\d?:\d\d(?::\d\d(?:[.,]\d+)?)?\b"
)
_FIGURE = re.compile(r"(?<![\w)])[-+](?=\.?\d)|\d+(?:[._,]\d+)*(?:[eE][-+]?\d+)?")
_GAP = re.compile(r"\s+")


def fingerprint(*parts: str | None) -> str:
    """Return 16 hexadecimal digits, equal for equal parts."""
    return hashlib.sha256(
        "\x1f".join(map(str, parts)).encode("utf-8", "surrogatepass")
    ).hexdigest()[:LENGTH]


def without_numbers(message: str) -> str:
    """Return a message of ours without its figures; names in it count."""
    return _NUMBER.sub("#", message)


def normalise_error(message: str) -> str:
    """Return what an exception says without all that changes from run to run.

    These are quoted values, uuids, addresses, hashes, paths, moments and numbers. The exception's
    type, in front of the first colon, stays as it is.
    """
    kind, colon, said = message.partition(": ")
    said = _QUOTED.sub("'…'", said)
    said = _UUID.sub("#", said)
    said = _PATH.sub("<path>", said)
    for pattern in (_ADDRESS, _TIMESTAMP, _HASH):
        said = pattern.sub("#", said)
    # A sign goes without a trace, so that -1 and 1 are the same.
    said = _FIGURE.sub(lambda found: "" if found[0] in "+-" else "#", said)
    return kind + colon + _GAP.sub(" ", said).strip()


def place_of(location: str | None, function: str) -> str:
    """Return file and function of a frame; not the line, which moves with every edit.

    Of the file only its name: the folder differs between two checkouts.
    """
    file = PurePosixPath((location or "").rpartition(":")[0]).name
    return f"{file}:{function}"
