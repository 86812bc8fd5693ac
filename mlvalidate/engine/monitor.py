"""Samples memory, CPU time and size of a process tree while it runs."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from mlvalidate.engine.processes import (
    Process,
    Sharing,
    children,
    files_in_memory,
    read_process,
    read_sharing,
)

# What measuring shared pages may take of one core, and what it may when the limit is near.
_SHARE, _SHARE_NEAR_LIMIT = 0.005, 0.2
# Files in memory are not worth a look at who maps them below this many bytes.
_FEW_BYTES = 10**6


@dataclass(frozen=True)
class TreeSample:
    """What a process tree held at one moment.

    ``rss`` is in bytes; pages that processes share count once. ``memory`` are bytes too: ``rss``
    and the files that the script keeps in memory. ``tasks`` are processes and their threads.
    ``is_exact`` is false where shared pages were not measured anew.
    """

    rss: int
    memory: int
    cpu_s: float
    processes: int
    tasks: int
    is_exact: bool


@dataclass
class TreeMonitor:
    """Looks at everything below a process, which is itself left out.

    ``depth`` levels below the process are left out as well: they are the sandbox's own. The tree
    may use ``limit`` bytes of memory and have ``most_tasks`` processes and threads. ``mounts`` are
    the folders of the script's view that are kept in memory.
    """

    pid: int
    depth: int
    limit: int
    most_tasks: int
    mounts: tuple[str, ...] = ()
    _ended_cpu_s: float = 0.0
    # By pid and time of birth: pids are used again.
    _cpu_s: dict[tuple[int, int], float] = field(default_factory=dict)
    _sharing: dict[int, Sharing] = field(default_factory=dict)
    _next_measurement: float = 0.0

    def sample(self) -> TreeSample:
        """Return the sum over the tree as it is now."""
        found = self._tree()
        total = sum(process.rss for process in found)
        files = files_in_memory(found[0].pid, self.mounts) if found else 0
        is_exact = self._update_sharing(found, total, files)
        shared = sum(self._sharing[process.pid].surplus for process in found)
        mapped = sum(self._sharing[process.pid].shmem for process in found)
        rss = total - shared
        return TreeSample(
            rss=rss,
            memory=rss + max(0, files - mapped),
            cpu_s=self._count_cpu(found),
            processes=len(found),
            tasks=sum(process.threads for process in found),
            is_exact=is_exact,
        )

    def _update_sharing(self, found: list[Process], total: int, files: int) -> bool:
        """Bring up to date what each process shares; tell whether it was measured.

        That takes milliseconds for a large process. In between, a process shares what it shared
        when it was measured, and a new one all that it was born with: so has a fork.
        """
        if len(found) < 2 and files < _FEW_BYTES:
            self._sharing = {process.pid: Sharing() for process in found}
            return True
        now = time.perf_counter()
        begun = time.thread_time()
        # A fork bomb must be ended before its memory is measured, which would take seconds.
        if now < self._next_measurement or len(found) > self.most_tasks:
            self._sharing = {
                process.pid: self._sharing.get(process.pid, Sharing(process.rss)).within(
                    process.rss
                )
                for process in found
            }
            return False
        self._sharing = {process.pid: read_sharing(process) for process in found}
        # CPU time: on a busy machine waiting for a core must not put off the next measurement.
        spent = time.thread_time() - begun
        share = _SHARE_NEAR_LIMIT if total + files > self.limit else _SHARE
        self._next_measurement = time.perf_counter() + spent / share
        return True

    def _count_cpu(self, found: list[Process]) -> float:
        current = {(process.pid, process.born): process.cpu_s for process in found}
        ended = self._cpu_s.keys() - current.keys()
        self._ended_cpu_s += sum(self._cpu_s[key] for key in ended)
        self._cpu_s = current
        return self._ended_cpu_s + sum(current.values())

    def _tree(self) -> list[Process]:
        """Return the processes of the tree; those of the sandbox above it have one thread."""
        level = [self.pid]
        for _ in range(self.depth + 1):
            level = [child for pid in level for child in children(pid)]
        found: list[Process] = []
        while level:
            read = [process for pid in level if (process := read_process(pid)) is not None]
            found += read
            level = [child for each in read for child in children(each.pid, each.threads)]
        return found
