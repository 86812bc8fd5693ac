"""What is running on this machine."""

from __future__ import annotations

import psutil


def processes_with(marker: str) -> list[list[str]]:
    """Return command lines of live processes that hold the marker."""
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        words = process.info["cmdline"] or []
        if any(marker in word for word in words) and process.info["status"] != "zombie":
            found.append(words)
    return found
