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
from dataclasses import dataclass, replace

from mlvalidate.core.errors import InfrastructureError
from mlvalidate.core.execution import Change, Outcome, Stop
from mlvalidate.core.plan import ColdReason, ColdStart
from mlvalidate.engine.fork_server import ForkedProcess, ForkServer, NoServerError
from mlvalidate.engine.logs import LogFile
from mlvalidate.engine.monitor import TreeMonitor, TreeSample
from mlvalidate.engine.sandbox import LAUNCHER, View

# Memory is looked at this often; a script that allocates 1 GB a second gets 25 MB too much.
_WATCH_SECONDS = 0.025
# Samples are reported this often at first, then ever less often: a long step has some hundreds.
_REPORT_SECONDS = 0.1
_TERM_GRACE_SECONDS = 3.0
_KILL_GRACE_SECONDS = 5.0
_PIPE_BYTES = 1 << 18

_Process = subprocess.Popen[bytes] | ForkedProcess


@dataclass(frozen=True)
class Launch:
    """What to run and in what view. ``view`` None: without a sandbox.

    ``start`` is the server that it is forked from, or why there is none.
    """

    argv: tuple[str, ...]
    env: dict[str, str]
    cwd: str
    view: View | None
    network: bool
    timeout: float
    memory: int
    start: ForkServer | ColdStart


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
        self._peak = 0

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
        depth = 0 if self._launch.view is None else 1
        monitor = TreeMonitor(self._process.pid, depth)
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
                self._read_ready(selector, sinks)
                now = time.monotonic()
                if now < next_watch:
                    continue
                next_watch = now + _WATCH_SECONDS
                sample = monitor.sample()
                if sample.processes and not self._seen:
                    self._seen = True
                    self._started = now
                self._enforce(now, sample, monitor, interrupted)
                if self._stop is not None and now > self._stopped_at + _give_up_after(self._stop):
                    break
                is_due = now >= next_report and sample.processes > 0
                if sample.processes > 1 and is_due:
                    # Between fork and exec a child counts its parent's memory once more.
                    sample = replace(sample, rss=monitor.proportional_set_size())
                if sample.processes == 1 or is_due:
                    self._peak = max(self._peak, sample.rss)
                if is_due:
                    next_report = now + _REPORT_SECONDS + (now - self._started) / 300
                    yield sample
        yield self._outcome()

    def _read_ready(
        self, selector: selectors.BaseSelector, sinks: dict[int, Callable[[bytes], None]]
    ) -> None:
        for key, _ in selector.select(_WATCH_SECONDS):
            data = os.read(key.fd, _PIPE_BYTES)
            if data:
                sinks[key.fd](data)
            else:
                selector.unregister(key.fd)
                del sinks[key.fd]

    def _take_status(self, data: bytes) -> None:
        self._status += data

    def _enforce(
        self,
        now: float,
        sample: TreeSample,
        monitor: TreeMonitor,
        interrupted: Callable[[], bool],
    ) -> None:
        """Begin to stop a script that broke a limit, and finish what has begun."""
        if self._stop is not None:
            if now > self._stopped_at + _TERM_GRACE_SECONDS:
                self._send(signal.SIGUSR1)
            return
        if interrupted():
            self._begin_stop(Stop.INTERRUPT, now, signal.SIGTERM)
        elif now - self._started > self._launch.timeout:
            self._begin_stop(Stop.TIMEOUT, now, signal.SIGTERM)
        elif sample.rss > self._launch.memory and self._is_over_memory(sample, monitor):
            # As the kernel does when a container is out of memory: no farewell.
            self._begin_stop(Stop.MEMORY, now, signal.SIGUSR1)

    def _is_over_memory(self, sample: TreeSample, monitor: TreeMonitor) -> bool:
        """Forked workers share pages, which the sum of their RSS counts many times over."""
        return sample.processes == 1 or monitor.proportional_set_size() > self._launch.memory

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
            duration_s=status.get("duration_s", elapsed),
            cpu_s=status.get("cpu_s", 0.0),
            peak_rss=max(self._peak, status.get("max_rss_bytes", 0)),
            read_bytes=status.get("read_bytes", 0),
            written_bytes=status.get("written_bytes", 0),
            leftovers=tuple(status.get("leftovers", ())),
            changes=tuple(Change(**change) for change in status.get("changes", ())),
            read_only=tuple(status.get("read_only", ())),
            cold=self._cold,
        )


def _give_up_after(stop: Stop) -> float:
    """Return after how many seconds even the launcher is considered stuck and is killed."""
    return _KILL_GRACE_SECONDS + (0 if stop is Stop.MEMORY else _TERM_GRACE_SECONDS)
