"""Stands between mlvalidate and MLflow's server, so that the server never outlives mlvalidate.

Run by its path, with the server's command as arguments, in a process group of its own. Its stdin
is a pipe that mlvalidate holds: when that closes, be it that mlvalidate was killed, the whole
group is ended. Standard library only: it has to be there before the server is.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

_STOP_SECONDS = 5.0


def main(command: list[str]) -> int:
    """Run the command until it ends or stdin closes; return its exit code."""
    # The group is told to end, and this process is one of it. A handler, because what is ignored
    # would be ignored by the server as well.
    signal.signal(signal.SIGTERM, lambda _number, _frame: None)
    server = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    threading.Thread(target=_end_with_stdin, args=(server,), daemon=True).start()
    return server.wait()


def _end_with_stdin(server: subprocess.Popen[bytes]) -> None:
    while os.read(0, 4096):
        # Nothing is ever said: only the end of it counts.
        continue
    os.killpg(0, signal.SIGTERM)
    try:
        server.wait(_STOP_SECONDS)
    finally:
        os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
