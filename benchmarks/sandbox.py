"""What the sandbox costs a step, and what watching it costs.

    python benchmarks/sandbox.py [--repeat 30] [--seconds 5]

Set-up: what building the sandbox takes before a program is started that ends at once; and the
wall time from start to end, in turn with the same launcher without a sandbox. Watching: the CPU
time that mlvalidate takes while a script runs, beyond that for one which ends at once, as a share
of one core.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import yaml

from mlvalidate import api
from mlvalidate.core.contracts import Project
from mlvalidate.core.execution import Outcome
from mlvalidate.core.plan import Plan, SandboxChoice
from mlvalidate.core.run_folder import StepFolder
from mlvalidate.engine.container import Paths, make_folders, make_start
from mlvalidate.engine.drift_watch import NO_BASELINES, DriftWatch
from mlvalidate.engine.execution import Run, execute, open_logs
from mlvalidate.engine.run import new_run_folder
from mlvalidate.engine.sandbox import sandboxing_of
from mlvalidate.engine.warm_starts import WarmStarts

# What scripts do that is more or less to look at: name -> shell command.
_WATCHED = {
    "one process": "exec sleep {seconds}",
    "4 forks with 100 MB each": "{python} {fork} {seconds}",
    "5,000 files written": "cd $OUT; seq 5000 | xargs -n 500 touch; sleep {seconds}",
}
_FORK = """
import os, sys, time
block = bytearray(100 * 10**6)
for page in range(0, len(block), 4096):
    block[page] = 1
for _ in range(4):
    if os.fork() == 0:
        break
time.sleep(float(sys.argv[1]))
"""


@dataclass(frozen=True)
class Ran:
    """Seconds: wall time, CPU time of mlvalidate, and what building the sandbox took."""

    wall_s: float
    cpu_s: float
    setup_s: float


class Laboratory:
    """A project with one step that runs a shell command, executed without being judged."""

    def __init__(self, root: Path, command: str) -> None:
        self._root = root
        step = {
            "kind": "command",
            "command": ["/bin/sh", "-c", command],
            "env": {"OUT": "/opt/ml/processing/output"},
            "outputs": {"out": {"path": "/opt/ml/processing/output"}},
        }
        content = {"version": 1, "project": "sandbox", "steps": {"step": step}}
        (root / "mlvalidate.yaml").write_text(yaml.safe_dump(content))
        (root / "fork.py").write_text(_FORK)
        self.project: Project = api.open_project(root)
        self.project.state_folder.mkdir(exist_ok=True)
        self._beside = ThreadPoolExecutor(1)

    def run(self, choice: SandboxChoice = SandboxChoice.AUTO) -> Ran:
        """Execute the step."""
        plan = api.plan_script(self.project, "step", api.Options(sandbox=choice, cache=False))
        run = self._run(plan)
        folder = StepFolder(run.folder.root / "steps" / "step")
        sandboxing = run.sandboxing
        paths = Paths(plan.steps[0], folder, in_sandbox=sandboxing.is_available)
        make_folders(paths)
        start = make_start(paths, self.project.root)
        logs = open_logs(folder, run)
        wall, cpu = time.perf_counter(), time.process_time()
        items = execute(run, paths, start, {}, logs, run.interrupted)
        outcomes = [item for item in items if isinstance(item, Outcome)]
        spent = Ran(time.perf_counter() - wall, time.process_time() - cpu, outcomes[-1].setup_s)
        for log in logs.values():
            log.close()
        if not outcomes[-1].succeeded:
            raise RuntimeError(f"the command failed: {folder.stderr.read_text()}")
        return spent

    def _run(self, plan: Plan) -> Run:
        folder = new_run_folder(self.project)
        watch = DriftWatch(self.project, plan, folder, NO_BASELINES, lambda: False)
        redactor = plan.redactor(os.environ)
        sandboxing = sandboxing_of(plan)
        starts = WarmStarts(self.project, ())
        return Run(
            self.project,
            plan,
            folder,
            sandboxing,
            redactor,
            lambda: False,
            watch,
            starts,
            self._beside,
        )


def measure_set_up(root: Path, repeat: int) -> None:
    """Print what a start costs with and without a sandbox."""
    laboratory = Laboratory(root, "exit 0")
    laboratory.run()
    sandboxed, bare = [], []
    for _ in range(repeat):
        sandboxed.append(laboratory.run())
        bare.append(laboratory.run(SandboxChoice.NONE))
    for name, seconds in (
        ("building a sandbox (aim: 10)", [ran.setup_s for ran in sandboxed]),
        ("start and end in a sandbox", [ran.wall_s for ran in sandboxed]),
        ("the same without one", [ran.wall_s for ran in bare]),
    ):
        median, least = statistics.median(seconds) * 1000, min(seconds) * 1000
        print(f"{name:<30} median {median:6.1f} ms  (least {least:.1f})")


def measure_watching(root: Path, seconds: float) -> None:
    """Print which share of one core watching takes."""
    for name, command in _WATCHED.items():
        words = {"python": sys.executable, "fork": root / "fork.py"}
        short = Laboratory(root, command.format(seconds=0, **words)).run()
        long = Laboratory(root, command.format(seconds=seconds, **words)).run()
        share = (long.cpu_s - short.cpu_s) / (long.wall_s - short.wall_s)
        print(f"watching {name:<25} {share:6.2%} of one core  (aim: below 1%)")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repeat", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measure_set_up(Path(folder), options.repeat)
        measure_watching(Path(folder), options.seconds)


if __name__ == "__main__":
    main()
