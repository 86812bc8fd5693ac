"""A process of the user's interpreter that holds imported modules ready: scripts are its forks."""

from __future__ import annotations

import array
import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

_WORKER = Path(__file__).parent / "worker"
_STUB = _WORKER / "stub"
_MOST_BYTES = 1 << 18
# As long as a module may take to be imported; the server itself gives up a little later.
_READY_SECONDS = 60.0
_END_SECONDS = 2.0
# What a script's command line may have.
_ROOM_FOR_COMMAND = " " * 4096

_Process = subprocess.Popen[bytes]


class NoServerError(Exception):
    """A server can't be used; the text says why."""


class RefusedError(NoServerError):
    """Its modules can't be imported ahead of a script; the text says why."""


@dataclass(frozen=True)
class Loaded:
    """What a server holds: modules by the first part of their names, and what they looked at.

    ``reads`` are the environment variables that were read while they were imported, `*` for all.
    """

    modules: frozenset[str]
    reads: frozenset[str]


class ForkServer:
    """The engine's end of one server. May be used from several threads."""

    def __init__(self, channel: socket.socket, env: dict[str, str]) -> None:
        self._channel = channel
        self._lock = threading.Lock()
        self.env = env
        self.loaded = Loaded(frozenset(), frozenset())

    def await_ready(self) -> None:
        """Wait until its modules are imported. NoServerError when that was refused or failed."""
        self._channel.settimeout(_READY_SECONDS)
        answer = self._receive()
        if answer.get("refusal", ""):
            raise RefusedError(answer["refusal"])
        self.loaded = Loaded(frozenset(answer["modules"]), frozenset(answer["reads"]))

    def grow(self, modules: Sequence[str]) -> ForkServer:
        """Return a fork of this server that begins to import more modules."""
        here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with there:
            try:
                self.send({"do": "grow", "modules": list(modules)}, there.fileno())
            except NoServerError:
                here.close()
                raise
        return ForkServer(here, self.env)

    def run(self, specification: bytes, status: int) -> ForkedProcess:
        """Start a script; ``status`` is the descriptor for its launcher's report.

        NoServerError when the server has ended.
        """
        pipes = [os.pipe() for _ in range(3)]
        (spec_read, spec_write), (out_read, out_write), (err_read, err_write) = pipes
        try:
            with self._lock:
                self.send({"do": "run"}, spec_read, status, out_write, err_write)
                pid = self._receive()["pid"]
            # It waits for its specification and can't have ended yet.
            pidfd = os.pidfd_open(pid)
        except (NoServerError, OSError) as error:
            for descriptor in (spec_write, out_read, err_read):
                os.close(descriptor)
            raise NoServerError(str(error)) from error
        finally:
            for descriptor in (spec_read, out_write, err_write):
                os.close(descriptor)
        streams = [os.fdopen(number, "rb", buffering=0) for number in (out_read, err_read)]
        with contextlib.suppress(BrokenPipeError), os.fdopen(spec_write, "wb") as file:
            file.write(specification)
        return ForkedProcess(pid, pidfd, streams[0], streams[1])

    def close(self) -> None:
        """Let the server end, and whoever waits for it know."""
        with contextlib.suppress(OSError):
            self._channel.shutdown(socket.SHUT_RDWR)

    def dispose(self) -> None:
        """Give the socket back; call it when nobody uses the server any more."""
        self._channel.close()

    def send(self, message: dict[str, object], *descriptors: int) -> None:
        """Send a message with descriptors. NoServerError when the server has ended."""
        packed = array.array("i", descriptors)
        ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, packed)] if descriptors else []
        try:
            self._channel.sendmsg([json.dumps(message).encode()], ancillary)
        except OSError as error:
            raise NoServerError(f"it has ended ({error.strerror})") from error

    def _receive(self) -> dict[str, Any]:
        try:
            data = self._channel.recv(_MOST_BYTES)
        except TimeoutError:
            raise NoServerError("its imports take too long") from None
        except OSError as error:
            raise NoServerError(f"it has ended ({error.strerror})") from error
        if not data:
            raise NoServerError("it has ended")
        answer: dict[str, Any] = json.loads(data)
        return answer


class _RootServer(ForkServer):
    """The server of an interpreter that others grow from."""

    def __init__(self, channel: socket.socket, env: dict[str, str], process: _Process) -> None:
        super().__init__(channel, env)
        self._process = process

    def dispose(self) -> None:
        """End it, and with it everything below it."""
        super().dispose()
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def start_root(python: Path, env: dict[str, str], settings: dict[str, object]) -> ForkServer:
    """Start a server without modules. ``settings`` is what the worker reads first.

    OSError or NoServerError when it does not start.
    """
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with there:
        process = subprocess.Popen(
            [python, str(_WORKER / "serve.py"), str(there.fileno()), _ROOM_FOR_COMMAND],
            env={**env, "PYTHONPATH": str(_STUB)},
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(there.fileno(),),
            start_new_session=True,
        )
    server = _RootServer(here, env, process)
    server.send(settings)
    return server


class ForkedProcess:
    """A launcher that a server forked: no child of ours, but it is used as `Popen` is."""

    stdin = None

    def __init__(self, pid: int, pidfd: int, stdout: IO[bytes], stderr: IO[bytes]) -> None:
        self.pid = pid
        self.stdout = stdout
        self.stderr = stderr
        self._pidfd = pidfd
        self._ended = False

    def poll(self) -> int | None:
        """Return None while it runs. Its exit code, which only its parent gets, is not known: 0."""
        return 0 if self._wait(0) else None

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it ends; TimeoutExpired after ``timeout`` seconds."""
        if not self._wait(timeout):
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0)
        return 0

    def _wait(self, seconds: float | None) -> bool:
        """A pidfd can be read once its process has ended, even while it is a zombie."""
        if not self._ended:
            waiting = select.poll()
            waiting.register(self._pidfd, select.POLLIN)
            self._ended = bool(waiting.poll(None if seconds is None else seconds * 1000))
            if self._ended:
                os.close(self._pidfd)
        return self._ended

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if not self._ended:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)
