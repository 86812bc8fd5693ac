"""Pipelines of many steps: wall time for each, and the memory of mlvalidate itself.

Two pipelines, both recorded in MLflow: many trivial scripts in chains of ten, which shows what a
step costs, and 20 typical ones (pandas on 2,000 rows), which shows what judging takes. Memory is
the peak of the process that runs the pipeline, and of all processes but the scripts' together; it
is flat when the second half of the trivial steps adds next to nothing to it.

    python benchmarks/many_steps.py [--nodes 200] [--jobs N]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
import yaml

from mlvalidate import api
from mlvalidate.engine.machine import usable_cores

OUT = {"out": {"path": "/opt/ml/processing/output"}}
TRIVIAL = "open('/opt/ml/processing/output/done.txt', 'w').write('x')\n"
TYPICAL = """\
import glob
import pandas as pd

rows = pd.concat(pd.read_csv(name) for name in glob.glob("/opt/ml/processing/input/*.csv"))
rows["amount"] = rows["amount"].clip(0, 500)
rows.to_csv("/opt/ml/processing/output/rows.csv", index=False)
"""
ROWS = {
    "rows": 2000,
    "key": "id",
    "columns": {
        "id": {"type": "string", "pattern": "O[0-9]{8}"},
        "amount": {"type": "float", "min": 0, "max": 1000},
        "kind": {"type": "category", "values": ["a", "b", "c"]},
        "placed": {"type": "datetime", "min": "2024-01-01", "max": "2024-12-31"},
    },
}
CHAIN = 10
# Names of processes that are ours; all others below are the scripts'.
OURS = ("mlvalidate.tracking", "mlvalidate.engine", "launcher.py")


@dataclass
class Measured:
    """Seconds of wall time; bytes."""

    seconds: float
    parent_peak: int
    parent_half_way: int
    together_peak: int


def write_project(root: Path, name: str, nodes: int, *, typical: bool) -> None:
    """Write a project whose only pipeline has chains of ten nodes."""
    port = {"path": "/opt/ml/processing/input"}
    files = {"files": {"*.csv": "rows"}} if typical else {"required": False}
    written = {"out": {**OUT["out"], "files": {"rows.csv": "rows"}}} if typical else OUT
    (root / "step.py").write_text(TYPICAL if typical else TRIVIAL)
    names = [f"n{number:03d}" for number in range(nodes)]
    project = {
        "version": 1,
        "project": name,
        "datasets": {"rows": ROWS} if typical else {},
        "steps": {
            "step": {"script": "step.py", "inputs": {"raw": {**port, **files}}, "outputs": written}
        },
        "pipelines": {
            name: {
                "nodes": {node: {"step": "step"} for node in names},
                "edges": {
                    f"{names[number]}.raw": f"{names[number - 1]}.out"
                    for number in range(nodes)
                    if number % CHAIN
                },
            }
        },
    }
    (root / "mlvalidate.yaml").write_text(yaml.safe_dump(project, sort_keys=False))


def measure(root: Path, nodes: int, jobs: int) -> Measured:
    """Run the pipeline of a folder as a user would, and watch its memory."""
    command = [
        sys.executable,
        "-m",
        "mlvalidate",
        "test-pipeline",
        "--no-cache",
        "--jobs",
        str(jobs),
    ]
    log = root / "said.txt"
    begun = time.monotonic()
    peak = half_way = together = 0
    with log.open("w") as said:
        process = psutil.Popen(command, cwd=root, stdout=said, stderr=subprocess.STDOUT)
        while process.poll() is None:
            own, others = _memory(process)
            peak, together = max(peak, own), max(together, own + others)
            if not half_way and log.read_text().count("PASSED") >= nodes / 2:
                half_way = peak
            time.sleep(0.05)
    if process.wait() != 0:
        raise SystemExit(log.read_text())
    return Measured(time.monotonic() - begun, peak, half_way, together)


def _memory(process: psutil.Process) -> tuple[int, int]:
    """Return the bytes of the process itself, and of those of its children that are not scripts."""
    own = others = 0
    try:
        own = process.memory_info().rss
        for child in process.children(recursive=True):
            if any(name in word for word in child.cmdline() for name in OURS):
                others += child.memory_info().rss
    except psutil.Error:
        # It ended while we looked.
        return own, others
    return own, others


def report(what: str, nodes: int, measured: Measured) -> None:
    megabytes = [
        round(size / 1e6)
        for size in (measured.parent_peak, measured.parent_half_way, measured.together_peak)
    ]
    print(
        f"{what}: {measured.seconds:.1f} s in all, {measured.seconds / nodes * 1e3:.0f} ms a step; "
        f"mlvalidate {megabytes[0]} MB at most ({megabytes[1]} MB half way), "
        f"{megabytes[2]} MB with its helpers"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nodes", type=int, default=200)
    parser.add_argument("--jobs", type=int, default=usable_cores())
    chosen = parser.parse_args()
    cases = (("trivial", chosen.nodes, False), ("typical", 20, True))
    print(f"{chosen.jobs} scripts at once")
    for name, nodes, typical in cases:
        with tempfile.TemporaryDirectory(prefix="mlvalidate-benchmark-") as folder:
            root = Path(folder)
            write_project(root, name, nodes, typical=typical)
            # Makes the database, which takes seconds, once.
            project = api.open_project(root)
            api.execute(project, api.plan_script(project, "step"))
            report(f"{nodes} {name} steps", nodes, measure(root, nodes, chosen.jobs))


if __name__ == "__main__":
    main()
