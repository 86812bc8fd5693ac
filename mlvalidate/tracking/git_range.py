"""What lies between two commits. Empty outside a checkout, and where a commit is not known."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

_SECONDS = 5.0
_MOST_COMMITS = 20
_COMMIT = re.compile(r"[0-9a-f]{7,64}")
_SHOWN = 10


def range_of(before: str, after: str) -> str:
    """Return `abc..def`, or an empty text where a commit is not known or both are the same."""
    if not before or not after or before == after:
        return ""
    return f"{before[:_SHOWN]}..{after[:_SHOWN]}"


def commits_between(folder: Path, before: str, after: str) -> tuple[str, ...]:
    """Return a line for each commit that one has and the other lacks, the newest first, up to 20.

    Only commits that touch the folder count.
    """
    if not (_COMMIT.fullmatch(before) and _COMMIT.fullmatch(after)):
        return ()
    command = ["git", "-C", str(folder), "--no-optional-locks", "log", "--oneline", "--no-decorate"]
    span = [f"--max-count={_MOST_COMMITS}", f"{before}..{after}", "--", "."]
    try:
        output = subprocess.run(
            [*command, *span],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=True,
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return ()
    return tuple(output.decode(errors="replace").splitlines())
