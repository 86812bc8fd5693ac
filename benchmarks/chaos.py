"""Kills mlvalidate with SIGKILL at random moments of a run and looks at what is left.

    python benchmarks/chaos.py [--times 50] [--seed 0]

Each time all processes that the command started have to end, the journal has to be readable, and
the cache whole. In the end `mlvalidate sync` and one more run have to leave no run open, here or in
MLflow, and no throwaway folder. Exit code 1 where one of it does not hold.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
import yaml

from mlvalidate.core.events import RunFinished, RunStarted
from mlvalidate.engine.cache.entry import DamagedError, check_files
from mlvalidate.engine.cache.store import Store
from mlvalidate.engine.journal import all_runs, read_events

_PR_SET_CHILD_SUBREAPER = 36
# What the sandbox holds ends with the engine; a recorder and a renderer finish what they do.
_SCRIPT_SECONDS, _OTHERS_SECONDS = 10.0, 120.0
_MODULES_BESIDE = ("mlvalidate.tracking.recorder", "mlvalidate.engine.renderer")

_SCRIPT = """
import os, subprocess, time
open("/tmp/big", "wb").write(b"x" * 10**6)
open("here.txt", "w").write("x")
if os.fork() == 0:
    os.setsid()
    time.sleep(0.3)
    os._exit(0)
subprocess.run(["sleep", "0.2"])
os.wait()
open("/opt/ml/processing/output/rows.csv", "w").write("x\\n" + "1\\n" * 100)
"""


@dataclass(frozen=True)
class Kill:
    """One kill: after how many seconds, and how long processes of each kind outlived it."""

    after: float
    scripts_s: float
    others_s: float
    problems: tuple[str, ...]


class Laboratory:
    """A project in a folder of its own, with its own folder for temporary files."""

    def __init__(self, root: Path) -> None:
        self.project = root / "project"
        self.temporary = root / "temporary"
        for folder in (self.project, self.temporary):
            folder.mkdir()
        self.change_script(0)
        (self.project / "mlvalidate.yaml").write_text(yaml.safe_dump(_project()))

    def change_script(self, number: int) -> None:
        """Make the script another one, so that nothing of earlier runs is reused."""
        (self.project / "step.py").write_text(f"{_SCRIPT}\nNUMBER = {number}\n")

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a command of mlvalidate's."""
        return subprocess.Popen(
            [sys.executable, "-m", "mlvalidate", *arguments, "-C", str(self.project), "--quiet"],
            env={**os.environ, "TMPDIR": str(self.temporary)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def run(self, *arguments: str) -> float:
        """Run a command to its end; return the seconds that it took. RuntimeError if it failed."""
        begun = time.monotonic()
        code = self.start(*arguments).wait()
        if code != 0:
            raise RuntimeError(f"mlvalidate {' '.join(arguments)} ended with exit code {code}")
        return time.monotonic() - begun

    def kill(self, number: int, after: float) -> Kill:
        """Kill a run ``after`` so many seconds and look at what it leaves."""
        self.change_script(number)
        engine = self.start("test-pipeline")
        time.sleep(after)
        engine.send_signal(signal.SIGKILL)
        engine.wait()
        problems: list[str] = []
        scripts = _wait_until_gone(_SCRIPT_SECONDS, beside=False, problems=problems)
        others = _wait_until_gone(_OTHERS_SECONDS, beside=True, problems=problems)
        problems += self._unreadable_journals() + self._damaged_entries()
        return Kill(after, scripts, others, tuple(problems))

    def _unreadable_journals(self) -> list[str]:
        problems = []
        for folder in all_runs(self.project / ".mlvalidate"):
            if not folder.journal.exists():
                continue
            lines = folder.journal.read_bytes().count(b"\n")
            if len(read_events(folder)) != lines:
                problems.append(f"{folder.run_id}: the journal is not readable to its end")
        return problems

    def _damaged_entries(self) -> list[str]:
        problems = []
        for kept in Store(self.project / ".mlvalidate" / "cache").all():
            try:
                check_files(kept.entry, kept.folder)
            except DamagedError as error:
                problems.append(f"the cache's {kept.folder.name} is damaged: {error}")
        return problems

    def conclude(self) -> list[str]:
        """Sync, run once more, and return what should not be left."""
        self.run("sync")
        self.run("test-pipeline")
        problems: list[str] = []
        _wait_until_gone(_OTHERS_SECONDS, beside=True, problems=problems)
        for folder in all_runs(self.project / ".mlvalidate"):
            events = read_events(folder)
            is_begun = bool(events) and isinstance(events[0], RunStarted)
            if is_begun and not isinstance(events[-1], RunFinished):
                problems.append(f"{folder.run_id} is still open")
            if is_begun and not folder.result.exists():
                problems.append(f"{folder.run_id} has no result.json")
        problems += [f"{path.name} is left" for path in self.temporary.iterdir()]
        state = self.project / ".mlvalidate"
        problems += [f".mlvalidate/{path.name} is left" for path in state.glob(".baseline-*")]
        with contextlib.closing(sqlite3.connect(state / "mlflow.db")) as store:
            for (run,) in store.execute("select name from runs where status = 'RUNNING'"):
                problems.append(f"{run} is still running in MLflow")
        return problems


def _project() -> dict[str, object]:
    path = {"path": "/opt/ml/processing/output"}
    step = {"script": "step.py", "workdir": "code", "inputs": {}, "outputs": {"out": path}}
    consumer = {**step, "inputs": {"rows": {}}}
    return {
        "version": 1,
        "project": "chaos",
        "steps": {"first": step, "second": consumer, "third": consumer},
        "pipelines": {
            "p": {
                "nodes": ["first", "second", "third"],
                "edges": {"second.rows": "first.out", "third.rows": "second.out"},
            }
        },
    }


def adopt_orphans() -> None:
    """Become the parent of everything that those whom this process starts leave behind."""
    if ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError("this kernel has no subreapers")


def _wait_until_gone(seconds: float, *, beside: bool, problems: list[str]) -> float:
    """Wait for what a killed command left; return how long that took.

    ``beside``: also for the processes that may finish what they do.
    """
    begun = time.monotonic()
    while left := _left(beside):
        if time.monotonic() - begun > seconds:
            problems += [f"still there after {seconds:g} s: {command}" for command in left]
            break
        time.sleep(0.01)
    return time.monotonic() - begun


def _left(beside: bool) -> list[str]:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    found = []
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            words = process.cmdline()
            if beside or not set(words) & set(_MODULES_BESIDE):
                found.append(" ".join(words) or f"process {process.pid}")
    return found


def main() -> int:
    """Kill, look, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--times", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    moments = random.Random(options.seed)
    adopt_orphans()
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        laboratory = Laboratory(Path(folder))
        whole = laboratory.run("test-pipeline")
        kills = [
            laboratory.kill(number, moments.uniform(0, whole))
            for number in range(1, options.times + 1)
        ]
        left = laboratory.conclude()
        runs = len(all_runs(laboratory.project / ".mlvalidate"))
    problems = [
        f"kill after {kill.after:.2f} s: {what}" for kill in kills for what in kill.problems
    ]
    print(f"{len(kills)} kills over {whole:.1f} s of a run, {runs} runs begun")
    print(f"scripts and sandboxes  gone within {max(kill.scripts_s for kill in kills):.2f} s")
    print(f"recorders              gone within {max(kill.others_s for kill in kills):.2f} s")
    for problem in (*problems, *left):
        print(f"PROBLEM  {problem}")
    print("nothing is left" if not (problems or left) else "something is left")
    return 1 if problems or left else 0


if __name__ == "__main__":
    sys.exit(main())
