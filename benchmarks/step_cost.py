"""What mlvalidate adds to one step: all that happens beside the script itself.

Steps run one after the other, warm, nothing recorded and nothing declared to be checked. Of each,
the time from its start to its verdict is taken, less the time that the script ran. In turn with
each run a bare fork of this process and `python -c pass` are started as often. Building a sandbox
and watching a script are measured as in sandbox.py.

    python benchmarks/step_cost.py [--nodes 40] [--repeat 3] [--seconds 5]
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from many_steps import write_project
from sandbox import measure_set_up, measure_watching

from mlvalidate import api
from mlvalidate.core.contracts import Project
from mlvalidate.core.events import ChecksFinished, Event, StepStarted


def measure_steps(project: Project) -> list[tuple[float, float]]:
    """Run the project's pipeline; return for each step seconds in all, and those of its script."""
    started: dict[str, float] = {}
    found: list[tuple[float, float]] = []

    def note(event: Event) -> None:
        if isinstance(event, StepStarted):
            started[event.node] = event.at
        elif isinstance(event, ChecksFinished):
            if event.result.cold is not None:
                raise SystemExit(f"{event.result.node} started cold")
            whole = event.at - started[event.result.node]
            found.append((whole, event.result.usage.duration_s))

    plan = api.plan_pipeline(project, None, api.Options(cache=False))
    api.execute(project, plan, note, record=False, jobs=1)
    # The first one waits for the interpreter that the others are forks of.
    return found[1:]


def measure_bare(root: Path, number: int) -> list[float]:
    """Return the seconds of starting a Python that does nothing, so many times."""
    seconds = []
    for _ in range(number):
        begun = time.perf_counter()
        subprocess.run([sys.executable, "-c", "pass"], cwd=root, check=True)
        seconds.append(time.perf_counter() - begun)
    return seconds


def measure_forks(number: int) -> list[float]:
    """Return the seconds from the start to the end of a fork that does nothing, so many times."""
    seconds = []
    for _ in range(number):
        begun = time.perf_counter()
        child = os.fork()
        if child == 0:
            os._exit(0)
        os.waitpid(child, 0)
        seconds.append(time.perf_counter() - begun)
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nodes", type=int, default=40)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5)
    chosen = parser.parse_args()
    steps: list[tuple[float, float]] = []
    bare: list[float] = []
    forks: list[float] = []
    with tempfile.TemporaryDirectory(prefix="mlvalidate-benchmark-") as folder:
        root = Path(folder)
        write_project(root, "trivial", chosen.nodes, typical=False)
        project = api.open_project(root)
        for _ in range(chosen.repeat):
            steps += measure_steps(project)
            bare += measure_bare(root, chosen.nodes)
            forks += measure_forks(chosen.nodes)
    added = [1000 * (whole - script) for whole, script in steps]
    scripts = statistics.median(1000 * script for _, script in steps)
    start = 1000 * statistics.median(bare)
    fork = 1000 * statistics.median(forks)
    print(f"{len(steps)} steps, warm, one after the other")
    print(f"added to a step (aim: 30)   median {statistics.median(added):6.1f} ms")
    print(f"the script itself, warm     median {scripts:6.1f} ms")
    print(f"`python -c pass`            median {start:6.1f} ms")
    print(f"a bare fork                 median {fork:6.1f} ms")
    print(f"added / `python -c pass`    {statistics.median(added) / start:13.2f}")
    print(f"added / bare fork           {statistics.median(added) / fork:13.2f}")
    with tempfile.TemporaryDirectory(prefix="mlvalidate-benchmark-") as folder:
        measure_set_up(Path(folder), chosen.nodes)
        measure_watching(Path(folder), chosen.seconds)
    print(f"load on {os.cpu_count()} cores at the end: {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
