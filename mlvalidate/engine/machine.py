"""What this machine, or the container we are in, has for scripts that run at once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import psutil

_CGROUPS = Path("/sys/fs/cgroup")
_OWN_CGROUP = Path("/proc/self/cgroup")


def usable_cores() -> int:
    """Return how many cores this process may use: by affinity, and by the quotas of its cgroups."""
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    for cgroup in cgroups_of(_OWN_CGROUP, _CGROUPS):
        cores = min(cores, quota_of(cgroup) or cores)
    return max(cores, 1)


def available_memory() -> int:
    """Return how many bytes can be taken before the machine swaps or a cgroup's limit is met."""
    available = psutil.virtual_memory().available
    for cgroup in cgroups_of(_OWN_CGROUP, _CGROUPS):
        room = room_in(cgroup)
        available = available if room is None else min(available, room)
    return available


def cgroups_of(own: Path, root: Path) -> Iterator[Path]:
    """Yield the folders of a process's cgroup (version 2) and of those around it."""
    lines = [line for line in _read(own).splitlines() if line.startswith("0::/")]
    for line in lines:
        folder = root / line.removeprefix("0::/")
        # In a container the path may be the host's, and only the root is there.
        yield from (path for path in (folder, *folder.parents) if path.is_relative_to(root))


def quota_of(cgroup: Path) -> int | None:
    """Return how many whole cores a cgroup may use, at least one; None without a quota."""
    quota, _, period = _read(cgroup / "cpu.max").partition(" ")
    if not (quota.isdigit() and period.isdigit() and int(period)):
        return None
    return max(int(quota) // int(period), 1)


def room_in(cgroup: Path) -> int | None:
    """Return how many bytes a cgroup may still take; None without a limit."""
    limit, used = _read(cgroup / "memory.max"), _read(cgroup / "memory.current")
    if not (limit.isdigit() and used.isdigit()):
        return None
    statistics = dict(
        line.split(" ", 1) for line in _read(cgroup / "memory.stat").splitlines() if " " in line
    )
    # Files in the cache count as used, and make room when somebody needs it.
    return max(int(limit) - int(used) + int(statistics.get("inactive_file", "0")), 0)


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
