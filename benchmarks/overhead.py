"""Wall time of `mlvalidate test-pipeline` against a plain shell loop of the same scripts.

The loop runs the same commands on the same data, one after the other, in a shell whose /opt/ml is
a private folder (`unshare`); it copies inputs in place and checks and records nothing. Both sides
run in turn, so that a machine which gets slower hits both.

    python benchmarks/overhead.py [--project examples/churn] [--repeat 5]
"""

from __future__ import annotations

import argparse
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from mlvalidate import api
from mlvalidate.core.contracts import Project
from mlvalidate.core.plan import Origin, Plan, PlannedStep
from mlvalidate.core.results import Status
from mlvalidate.core.run_folder import RunFolder
from mlvalidate.engine.beside import is_held
from mlvalidate.engine.container import Paths, make_start
from mlvalidate.engine.journal import all_runs
from mlvalidate.engine.outputs import packed_archive


def write_loop(project: Project, plan: Plan, run: RunFolder, target: Path, work: Path) -> None:
    """Write the shell loop that runs the plan's scripts on the data of a finished run."""
    lines = ["set -eu", "mount -t tmpfs tmpfs /opt", "mkdir -p /opt/mlvalidate"]
    for planned in plan.steps:
        lines += _step_lines(project, plan, planned, run, work)
    target.write_text("\n".join(lines) + "\n")


def _step_lines(
    project: Project, plan: Plan, planned: PlannedStep, run: RunFolder, work: Path
) -> list[str]:
    paths = Paths(planned, run.step(planned.node), in_sandbox=True)
    start = make_start(paths, project.root)
    ml = work / planned.node
    lines = [f"mkdir -p {ml} /opt/ml", f"mount --bind {ml} /opt/ml"]
    lines += [f"cp {run.step(planned.node).harness}/call*.* /opt/mlvalidate/ 2>/dev/null || true"]
    for item in planned.inputs:
        lines.append(f"mkdir -p {item.container_path}")
        source = _source(plan, planned, item.port, run, work)
        if source:
            lines.append(f"cp -r {source}/. {item.container_path}/")
    step = planned.step
    outputs = [step.container_path("output", name) for name in step.outputs]
    lines.append(f"mkdir -p {' '.join(outputs)} /opt/ml/model /opt/ml/output/data")
    env = {name: value for name, value in start.env.items() if name != "PYTHONPATH"}
    assignments = " ".join(f"{name}={shlex.quote(value)}" for name, value in env.items())
    lines.append(f"(cd {start.cwd}; env -i {assignments} {shlex.join(start.argv)}) >/dev/null 2>&1")
    for name in step.outputs:
        archive = packed_archive(run.step(planned.node), step, name)
        if archive:
            packed = work / f"{planned.node}.{name}"
            path = step.container_path("output", name)
            lines.append(f"mkdir -p {packed}; tar -C {path} -czf {packed}/{archive.name} .")
    return [*lines, "umount /opt/ml"]


def _source(plan: Plan, planned: PlannedStep, port: str, run: RunFolder, work: Path) -> str:
    item = next(item for item in planned.inputs if item.port == port)
    if item.origin is Origin.ABSENT:
        return ""
    if item.origin is not Origin.EDGE:
        return str(item.folder or run.source(planned.node, port))
    producer = plan.step(item.producer)
    if packed_archive(run.step(item.producer), producer.step, item.output):
        return str(work / f"{item.producer}.{item.output}")
    path = producer.step.container_path("output", item.output).removeprefix("/opt/ml/")
    return str(work / item.producer / path / item.subpath)


def run_loop(project: Project, plan: Plan, run: RunFolder) -> float:
    """Return the wall time of the shell loop in seconds."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "loop.sh"
        write_loop(project, plan, run, script, Path(folder) / "work")
        started = time.perf_counter()
        subprocess.run(["unshare", "-Urm", "sh", str(script)], check=True)
        return time.perf_counter() - started


def run_pipeline(root: Path, *options: str) -> None:
    """Run the whole command, without what earlier runs have kept."""
    command = [sys.executable, "-m", "mlvalidate", "test-pipeline", "-C", str(root), "--quiet"]
    subprocess.run([*command, "--no-cache", *options], check=True, stdout=subprocess.DEVNULL)


def run_tool(root: Path) -> float:
    """Return the wall time of the whole command, MLflow included, in seconds."""
    started = time.perf_counter()
    run_pipeline(root)
    taken = time.perf_counter() - started
    wait_for_reports(root)
    return taken


def wait_for_reports(root: Path) -> None:
    """Wait until nothing of the last run is rendered any more: it would slow the next one down."""
    newest = all_runs(root / ".mlvalidate")[-1]
    while is_held(newest.reports_lock):
        time.sleep(0.2)


def main() -> None:
    """Measure both in turn and print medians and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--project", type=Path, default=Path("examples/churn"))
    parser.add_argument("--repeat", type=int, default=5)
    options = parser.parse_args()
    project = api.open_project(options.project)
    plan = api.plan_pipeline(project)
    result = api.execute(project, plan)
    if result.status is not Status.PASSED:
        sys.exit("the pipeline does not pass: nothing to compare")
    run = api.run_folder(project, result)
    wait_for_reports(project.root)
    run_loop(project, plan, run)
    loops, tools = [], []
    for _ in range(options.repeat):
        loops.append(run_loop(project, plan, run))
        tools.append(run_tool(project.root))
    ratios = [tool / loop for tool, loop in zip(tools, loops, strict=True)]
    print(f"{len(plan.steps)} steps, {options.repeat} pairs, {os.cpu_count()} cores")
    print(f"shell loop     median {statistics.median(loops):6.2f} s")
    print(f"test-pipeline  median {statistics.median(tools):6.2f} s")
    print(
        f"ratio          median {statistics.median(ratios):6.2f}   "
        f"(min {min(ratios):.2f}, max {max(ratios):.2f})"
    )


if __name__ == "__main__":
    main()
