"""What the kernel tells of one process: memory, CPU time, threads, children, time of birth."""

from __future__ import annotations

import contextlib
import os
import sys
from dataclasses import dataclass

import psutil

_IS_LINUX = sys.platform == "linux"
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_PIECE, _HALF_A_PAGE = 1 << 16, 1 << 11


@dataclass(frozen=True)
class Process:
    """A live process. ``rss`` is in bytes, ``born`` in a unit of the system's own."""

    pid: int
    rss: int
    cpu_s: float
    threads: int
    born: int


@dataclass(frozen=True)
class Sharing:
    """How many bytes of a process's RSS others account for, and how many are shared memory."""

    surplus: int = 0
    shmem: int = 0

    def within(self, rss: int) -> Sharing:
        """Return what can be left of it in a process that has become smaller, as by exec."""
        return self if self.surplus <= rss else Sharing(rss)


def read_process(pid: int) -> Process | None:
    """Return what a process holds now; None when it has ended."""
    if not _IS_LINUX:
        return _ask_psutil(pid)
    # See proc_pid_stat(5). The name, in parentheses, may hold blanks and parentheses.
    fields = _read(f"/proc/{pid}/stat").rpartition(b")")[2].split()
    if len(fields) < 22:
        return None
    return Process(
        pid=pid,
        rss=int(fields[21]) * _PAGE,
        cpu_s=(int(fields[11]) + int(fields[12])) / _TICKS,
        threads=int(fields[17]),
        born=int(fields[19]),
    )


def _ask_psutil(pid: int) -> Process | None:
    try:
        process = psutil.Process(pid)
        with process.oneshot():
            times = process.cpu_times()
            return Process(
                pid=pid,
                rss=process.memory_info().rss,
                cpu_s=times.user + times.system,
                threads=process.num_threads(),
                born=int(process.create_time() * _TICKS),
            )
    except psutil.Error:
        return None


def read_sharing(process: Process) -> Sharing:
    """Return what a process shares, from its proportional set size where the kernel tells it."""
    values: dict[bytes, int] = {}
    for line in _read(f"/proc/{process.pid}/smaps_rollup").splitlines()[1:]:
        words = line.split()
        values[words[0]] = int(words[1]) * 1024
    if b"Pss:" not in values:
        return Sharing()
    # Both of one moment: the process may have grown since its RSS was read.
    surplus = min(process.rss, values[b"Rss:"] - values[b"Pss:"])
    return Sharing(surplus, values.get(b"Pss_Shmem:", 0))


def children(pid: int, threads: int = 1) -> list[int]:
    """Return the pids of a process's children; where it has ``threads``, each may have some."""
    if not _IS_LINUX:
        try:
            return [child.pid for child in psutil.Process(pid).children()]
        except psutil.Error:
            return []
    # Small reads instead of a scan of all processes.
    if threads == 1:
        return [int(child) for child in _read(f"/proc/{pid}/task/{pid}/children").split()]
    found: list[int] = []
    with contextlib.suppress(OSError), os.scandir(f"/proc/{pid}/task") as tasks:
        for task in tasks:
            found += map(int, _read(f"{task.path}/children").split())
    return found


def files_in_memory(pid: int, mounts: tuple[str, ...]) -> int:
    """Return the bytes of the file systems that a process sees at ``mounts``."""
    total = 0
    for mount in mounts:
        # It may have ended, or taken a folder away.
        with contextlib.suppress(OSError):
            state = os.statvfs(f"/proc/{pid}/root{mount}")
            total += (state.f_blocks - state.f_bfree) * state.f_frsize
    return total


def _read(path: str) -> bytes:
    """Return a file of /proc, or nothing when its process has ended."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return b""
    data = b""
    try:
        # The kernel hands over longer files in pieces that fill a page but for their last word.
        while piece := os.read(descriptor, _PIECE):
            data += piece
            if len(piece) < _HALF_A_PAGE:
                break
    except OSError:
        return b""
    finally:
        os.close(descriptor)
    return data
