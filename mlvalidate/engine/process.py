"""Runs one script through the launcher: captures its output, samples it, enforces its limits."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from mlvalidate.core.errors import InfrastructureError
from mlvalidate.core.execution import Change, Outcome, Stop
from mlvalidate.core.plan import ColdReason, ColdStart
from mlvalidate.engine.disk import DiskWatch
from mlvalidate.engine.fork_server import ForkedProcess, ForkServer, NoServerError
from mlvalidate.engine.logs import LogFile
from mlvalidate.engine.monitor import TreeMonitor, TreeSample
from mlvalidate.engine.sandbox import LAUNCHER, View

# How often a script is looked at: often in its first second and where it may soon pass its limit
# of memory, else seldom. One that allocates 1 GB a second gets 25 MB too much.
_WATCH_SECONDS, _SELDOM_SECONDS = 0.025, 0.075
_YOUNG_SECONDS = 1.0
# Bytes a second that no script allocates.
_FASTEST = 4 * 10**9
# Samples are reported this often at first, then ever less often: a long step has some hundreds.
_REPORT_SECONDS = 0.1
_TERM_GRACE_SECONDS = 3.0
_KILL_GRACE_SECONDS = 5.0
_PIPE_BYTES = 1 << 18

_Process = subprocess.Popen[bytes] | ForkedProcess


@dataclass(frozen=True)
class Launch:
    """What to run, in what view and within which limits. ``view`` None: without a sandbox.

    ``timeout`` is in seconds, ``memory`` and ``disk`` in bytes; ``processes`` are processes and
    threads. ``folders`` are those of this machine that the script's files add up in; in those that
    it was ``granted`` only room is watched. ``start`` is the server that the script is forked from,
    or why there is none.
    """

    argv: tuple[str, ...]
    env: dict[str, str]
    cwd: str
    view: View | None
    network: bool
    timeout: float
    memory: int
    disk: int
    processes: int
    folders: tuple[Path, ...]
    start: ForkServer | ColdStart
    granted: tuple[Path, ...] = ()


def run_process(
    launch: Launch, stdout: LogFile, stderr: LogFile, interrupted: Callable[[], bool]
) -> Iterator[TreeSample | Outcome]:
    """Run a script; yield samples while it runs and, last, its Outcome.

    Nothing of it is left running when the generator ends, also when it is closed early.
    InfrastructureError when the sandbox can't be built.
    """
    with _Running(launch) as running:
        yield from running.watch(stdout, stderr, interrupted)


class _Running:
    """A launcher process with its three pipes."""

    def __init__(self, launch: Launch) -> None:
        self._launch = launch
        self._stop: Stop | None = None
        self._stopped_at = 0.0
        self._status = b""
        self._peak_rss = 0
        self._peak_memory = 0
        self._peak_tasks = 0
        self._disk = DiskWatch(launch.folders, launch.disk, launch.granted)

    def __enter__(self) -> _Running:
        self._status_fd, status_write = os.pipe()
        try:
            self._process, self._cold = self._start(status_write)
        finally:
            os.close(status_write)
        # Set anew when the script is first seen: building its sandbox does not count.
        self._started = time.monotonic()
        self._seen = False
        return self

    def _start(self, status: int) -> tuple[_Process, ColdStart | None]:
        """Start the launcher, and say why it is a new process and not a fork of a server."""
        start = self._launch.start
        if isinstance(start, ColdStart):
            return self._start_cold(status), start
        try:
            return start.run(self._specification(warm=True), status), None
        except NoServerError as error:
            cold = ColdStart(reason=ColdReason.NO_SERVER, detail=str(error))
            return self._start_cold(status), cold

    def _start_cold(self, status: int) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(LAUNCHER), str(status)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=(status,),
            # Ctrl-C on the terminal is for mlvalidate, which then ends the script in order.
            start_new_session=True,
        )
        assert process.stdin is not None
        try:
            process.stdin.write(self._specification(warm=False))
            process.stdin.close()
        except BrokenPipeError:
            # The launcher died at once; its status, or the lack of one, says why.
            process.stdin = None
        return process

    def _specification(self, *, warm: bool) -> bytes:
        launch = self._launch
        return json.dumps(
            {
                "parent": os.getpid(),
                "warm": warm,
                "sandbox": None if launch.view is None else launch.view.to_json(),
                "network": launch.network,
                "argv": list(launch.argv),
                "env": launch.env,
                "cwd": launch.cwd,
                "file_size": launch.disk,
                "processes": launch.processes,
            }
        ).encode()

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._send(signal.SIGUSR1)
            try:
                self._process.wait(_KILL_GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()
        os.close(self._status_fd)

    def _send(self, number: int) -> None:
        # Only while it has not been reaped: the number may belong to another process afterwards.
        if self._process.poll() is None:
            self._process.send_signal(number)

    def watch(
        self, stdout: LogFile, stderr: LogFile, interrupted: Callable[[], bool]
    ) -> Iterator[TreeSample | Outcome]:
        """Read the pipes until they end; sample and enforce limits in between."""
        view = self._launch.view
        monitor = TreeMonitor(
            self._process.pid,
            depth=0 if view is None else 1,
            limit=self._launch.memory,
            most_tasks=self._launch.processes,
            mounts=() if view is None else view.in_memory,
        )
        next_watch = next_report = self._started
        with selectors.DefaultSelector() as selector:
            assert self._process.stdout is not None
            assert self._process.stderr is not None
            sinks: dict[int, Callable[[bytes], None]] = {
                self._process.stdout.fileno(): stdout.feed,
                self._process.stderr.fileno(): stderr.feed,
                self._status_fd: self._take_status,
            }
            for descriptor in sinks:
                selector.register(descriptor, selectors.EVENT_READ)
            while sinks:
                self._read_ready(selector, sinks, next_watch - time.monotonic())
                now = time.monotonic()
                if now < next_watch:
                    continue
                sample = monitor.sample()
                next_watch = now + self._watch_interval(now, sample)
                if sample.processes and not self._seen:
                    self._seen = True
                    self._started = now
                self._disk.look()
                self._note_peaks(sample)
                self._enforce(now, sample, interrupted)
                if self._stop is not None and now > self._stopped_at + _give_up_after(self._stop):
                    break
                if now >= next_report and sample.processes > 0:
                    next_report = now + _REPORT_SECONDS + (now - self._started) / 300
                    yield sample
        yield self._outcome()

    def _read_ready(
        self,
        selector: selectors.BaseSelector,
        sinks: dict[int, Callable[[bytes], None]],
        timeout: float,
    ) -> None:
        for key, _ in selector.select(max(0, timeout)):
            data = os.read(key.fd, _PIPE_BYTES)
            if data:
                sinks[key.fd](data)
            else:
                selector.unregister(key.fd)
                del sinks[key.fd]

    def _take_status(self, data: bytes) -> None:
        self._status += data

    def _watch_interval(self, now: float, sample: TreeSample) -> float:
        """Return after how many seconds to look again."""
        if not self._seen or now - self._started < _YOUNG_SECONDS:
            return _WATCH_SECONDS
        soonest = (self._launch.memory - sample.memory) / _FASTEST
        return min(_SELDOM_SECONDS, max(_WATCH_SECONDS, soonest))

    def _note_peaks(self, sample: TreeSample) -> None:
        self._peak_rss = max(self._peak_rss, sample.rss)
        self._peak_tasks = max(self._peak_tasks, sample.tasks)
        if sample.is_exact:
            self._peak_memory = max(self._peak_memory, sample.memory)

    def _enforce(self, now: float, sample: TreeSample, interrupted: Callable[[], bool]) -> None:
        """Begin to stop a script that broke a limit, and finish what has begun."""
        if self._stop is not None:
            if now > self._stopped_at + _TERM_GRACE_SECONDS:
                self._send(signal.SIGUSR1)
            return
        if interrupted():
            self._begin_stop(Stop.INTERRUPT, now, signal.SIGTERM)
        elif now - self._started > self._launch.timeout:
            self._begin_stop(Stop.TIMEOUT, now, signal.SIGTERM)
        elif (exceeded := self._exceeded(sample)) is not None:
            # As the kernel does when a container is out of memory: no farewell.
            self._begin_stop(exceeded, now, signal.SIGUSR1)

    def _exceeded(self, sample: TreeSample) -> Stop | None:
        """Return which limit on resources the script has passed."""
        if sample.is_exact and sample.memory > self._launch.memory:
            return Stop.MEMORY
        if sample.tasks > self._launch.processes:
            return Stop.PROCESSES
        return Stop.DISK if self._disk.is_over or self._disk.is_full else None

    def _begin_stop(self, stop: Stop, now: float, number: int) -> None:
        self._stop = stop
        self._stopped_at = now
        self._send(number)

    def _outcome(self) -> Outcome:
        elapsed = time.monotonic() - self._started
        status = json.loads(self._status) if self._status else {}
        if "exit_code" not in status:
            if self._stop is None:
                reason = status.get("error") or "the launcher was killed from outside"
                raise InfrastructureError(f"the sandbox of a step can't be built: {reason}")
            status = {"error": "", "exit_code": None, "signal": int(signal.SIGKILL)}
        if self._stop is Stop.TIMEOUT and status["signal"] is None:
            # It ended in time by itself, and only what it left behind took longer.
            in_time = status.get("duration_s", elapsed) <= self._launch.timeout
            self._stop = None if in_time else self._stop
        return Outcome(
            exit_code=None if status["error"] else status["exit_code"],
            signal=status["signal"],
            stop=self._stop,
            start_failure=status["error"],
            setup_s=status.get("setup_s", 0.0),
            duration_s=status.get("duration_s", elapsed),
            cpu_s=status.get("cpu_s", 0.0),
            peak_rss=max(self._peak_rss, status.get("max_rss_bytes", 0)),
            peak_memory=self._peak_memory,
            peak_tasks=self._peak_tasks,
            disk_bytes=self._disk.written,
            read_bytes=status.get("read_bytes", 0),
            written_bytes=status.get("written_bytes", 0),
            leftovers=tuple(status.get("leftovers", ())),
            changes=tuple(Change(**change) for change in status.get("changes", ())),
            read_only=tuple(status.get("read_only", ())),
            cold=self._cold,
        )


def _give_up_after(stop: Stop) -> float:
    """Return after how many seconds even the launcher is considered stuck and is killed."""
    asks_first = stop in (Stop.TIMEOUT, Stop.INTERRUPT)
    return _KILL_GRACE_SECONDS + (_TERM_GRACE_SECONDS if asks_first else 0)
