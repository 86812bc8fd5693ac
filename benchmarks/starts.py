"""What it costs to start a script: plainly, as a step in a new interpreter, and as a fork.

The same script, which imports pandas and scikit-learn and does next to nothing, runs several times
in a row: as `python script.py`, and as nodes of a pipeline, cold and warm. All three take turns, so
that a machine that gets slower hits all. Times of nodes are those from their start to their end,
without what is judged and recorded. The first warm node also waits for the imports.

    python benchmarks/starts.py [--nodes 8] [--repeat 5]
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

from mlvalidate import api
from mlvalidate.core.contracts import Project, Reports
from mlvalidate.core.events import Event, StepFinished, StepStarted
from mlvalidate.core.results import Status

_SCRIPT = """
import pandas as pd
from sklearn.linear_model import LogisticRegression

print(pd.DataFrame({"a": [1]}).to_csv(), LogisticRegression())
"""
_STEP = "{script: script.py, outputs: {out: {path: /opt/ml/processing/out, required: false}}}"


def write_project(folder: Path, nodes: int) -> Project:
    """Write a pipeline of as many equal nodes and return it."""
    (folder / "script.py").write_text(_SCRIPT)
    names = ", ".join(f"n{number}: {{step: it}}" for number in range(nodes))
    (folder / "mlvalidate.yaml").write_text(
        f"version: 1\nproject: starts\nsteps: {{it: {_STEP}}}\n"
        f"pipelines: {{all: {{nodes: {{{names}}}}}}}\n"
    )
    return api.open_project(folder)


def run_plain(folder: Path) -> float:
    """Return the seconds that the script takes by itself."""
    env = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, str(folder / "script.py")]
    started = time.perf_counter()
    subprocess.run(command, env=env, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def run_nodes(project: Project, *, cold: bool) -> tuple[list[float], float]:
    """Return the seconds that each node takes, and those of the whole run."""
    begun: dict[str, float] = {}
    taken: list[float] = []

    def note(event: Event) -> None:
        if isinstance(event, StepStarted):
            begun[event.node] = event.at
        elif isinstance(event, StepFinished):
            taken.append(event.at - begun[event.node])

    plan = api.plan_pipeline(
        project, None, api.Options(cold=cold, cache=False, reports=Reports.NONE)
    )
    result = api.execute(project, plan, note, record=False)
    if result.status is not Status.PASSED or any(
        (step.cold is None) == cold for step in result.steps
    ):
        sys.exit("the scripts did not run as they were to")
    return taken, result.duration_s


def main() -> None:
    """Measure all three in turn and print medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nodes", type=int, default=8)
    parser.add_argument("--repeat", type=int, default=5)
    options = parser.parse_args()
    plain: list[float] = []
    nodes: dict[bool, list[float]] = {True: [], False: []}
    first: list[float] = []
    ratios: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        project = write_project(Path(folder), options.nodes)
        run_plain(project.root)
        for _ in range(options.repeat):
            alone = [run_plain(project.root) for _ in range(options.nodes)]
            cold, whole_cold = run_nodes(project, cold=True)
            warm, whole_warm = run_nodes(project, cold=False)
            plain += alone
            nodes[True] += cold
            nodes[False] += warm[1:]
            first.append(warm[0])
            ratios.append(whole_warm / whole_cold)
    base = statistics.median(plain)
    print(f"{options.nodes} nodes, {options.repeat} rounds, {os.cpu_count()} cores")
    print(f"python script.py     median {base * 1000:6.0f} ms")
    for name, times in (
        ("cold node", nodes[True]),
        ("first warm node", first),
        ("other warm nodes", nodes[False]),
    ):
        median = statistics.median(times)
        print(f"{name:20} median {median * 1000:6.0f} ms   {median / base:5.2f}x the plain script")
    print(f"whole run, warm / cold: median {statistics.median(ratios):.2f}")


if __name__ == "__main__":
    main()
