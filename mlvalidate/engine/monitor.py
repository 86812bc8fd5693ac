"""Samples memory and CPU time of a process tree while it runs."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True)
class TreeSample:
    """What a process tree held at one moment: bytes, seconds, number of processes."""

    rss: int
    cpu_s: float
    processes: int


class TreeMonitor:
    """Looks at everything below a process, which is itself left out.

    ``depth`` levels below the process are left out as well: they are the sandbox's own.
    """

    def __init__(self, pid: int, depth: int) -> None:
        self._pid = pid
        self._depth = depth
        self._known: dict[int, psutil.Process] = {}
        self._ended_cpu_s = 0.0
        self._last_cpu_s: dict[int, float] = {}

    def sample(self) -> TreeSample:
        """Return the sum over the tree as it is now."""
        pids = self._tree()
        rss = 0
        for pid in pids:
            try:
                process = self._known.setdefault(pid, psutil.Process(pid))
                with process.oneshot():
                    rss += process.memory_info().rss
                    times = process.cpu_times()
                    self._last_cpu_s[pid] = times.user + times.system
            except psutil.Error:
                continue
        self._forget(set(self._last_cpu_s) - set(pids))
        cpu_s = self._ended_cpu_s + sum(self._last_cpu_s.values())
        return TreeSample(rss=rss, cpu_s=cpu_s, processes=len(pids))

    def _forget(self, ended: set[int]) -> None:
        for pid in ended:
            self._known.pop(pid, None)
            self._ended_cpu_s += self._last_cpu_s.pop(pid)

    def _tree(self) -> list[int]:
        level = [self._pid]
        found: list[int] = []
        depth = 0
        while level:
            level = [child for pid in level for child in _children(pid)]
            if depth >= self._depth:
                found += level
            depth += 1
        return found

    def proportional_set_size(self) -> int:
        """Return bytes with shared pages counted once: slower than RSS, fair to forked workers."""
        total = 0
        for pid in self._tree():
            try:
                info = psutil.Process(pid).memory_full_info()
                total += getattr(info, "pss", info.rss)
            except psutil.Error:
                continue
        return total


def _children(pid: int) -> list[int]:
    if sys.platform == "linux":
        # One small read instead of a scan of all processes. A process's threads may have children.
        try:
            return [
                int(child)
                for task in Path(f"/proc/{pid}/task").iterdir()
                for child in (task / "children").read_text().split()
            ]
        except OSError:
            return []
    try:
        return [child.pid for child in psutil.Process(pid).children()]
    except psutil.Error:
        return []
