"""What judging an output costs, against reading the same files with pyarrow.

A table of 50 columns (numbers, categories, texts, times, nulls) is split in two outputs. Their
dataset declares types, ranges, nulls, categories, a key and a pattern; the step declares `disjoint`
on the key. One side reads the files with pyarrow; the other does what the engine does: it reads and
judges them, counts rows, writes the sample and the digest. Each measurement has a process of its
own. Memory is the peak above what a process has that did the same with a small table, in multiples
of the table's size in Arrow.

    python benchmarks/checks.py [--rows 1000000] [--repeat 3]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from mlvalidate.checks.evidence import Evidence
from mlvalidate.checks.registry import judge_step
from mlvalidate.core.contracts import Access, Project
from mlvalidate.core.execution import Outcome
from mlvalidate.core.plan import PlannedStep
from mlvalidate.core.run_folder import RunFolder

PORTS = {"train": 0.8, "test": 0.2}
PARTS = ("read", "judge", "sample", "digest")
CATEGORIES = ("basic", "plus", "pro", "enterprise")


def declared_columns() -> dict[str, dict[str, Any]]:
    """Return the columns of the dataset."""
    days = {"min": "2020-01-01", "max": "2025-01-01"}
    columns: dict[str, dict[str, Any]] = {"id": {"type": "string", "pattern": "C[0-9]{9}"}}
    for number in range(10):
        null = 0.02 * (number % 2)
        columns[f"int{number}"] = {"type": "integer", "min": 0, "max": 1000, "null": null}
        columns[f"cat{number}"] = {"type": "category", "values": [*CATEGORIES], "null": null}
    for number in range(15):
        null = 0.05 * (number % 2)
        columns[f"float{number}"] = {"type": "float", "min": 0, "max": 100, "null": null}
    columns |= {f"code{number}": {"type": "string", "length": [8, 8]} for number in range(5)}
    columns |= {f"bool{number}": {"type": "boolean"} for number in range(4)}
    columns |= {f"time{number}": {"type": "datetime", **days} for number in range(3)}
    columns |= {f"day{number}": {"type": "date", **days} for number in range(2)}
    return columns


def make_table(rows: int, start: int) -> Any:
    """Return an Arrow table that is as declared."""
    import numpy as np
    import pyarrow as pa

    random = np.random.default_rng(start)
    epoch = np.datetime64("2020-01-02", "s")

    def number(count: int) -> Any:
        return random.integers(0, count, rows)

    draw: dict[str, Callable[[], Any]] = {
        "integer": lambda: number(1000),
        "float": lambda: (random.random(rows) * 100).round(6),
        "category": lambda: np.array(CATEGORIES)[number(len(CATEGORIES))],
        "boolean": lambda: number(2) == 1,
        "datetime": lambda: epoch + number(10**8).astype("m8[s]"),
        "date": lambda: epoch.astype("M8[D]") + number(1000).astype("m8[D]"),
        "string": lambda: [f"K-{each:06d}" for each in number(10**6)],
    }

    def cells(name: str, declared: dict[str, Any]) -> Any:
        if name == "id":
            return [f"C{each:09d}" for each in range(start, start + rows)]
        return draw[declared["type"]]()

    return pa.table(
        {
            name: pa.array(cells(name, each), mask=random.random(rows) < each.get("null", 0))
            for name, each in declared_columns().items()
        }
    )


def write_files(folder: Path, rows: int) -> None:
    """Write the two outputs as csv and as parquet, and a project for each format."""
    import pyarrow.csv as pa_csv
    import pyarrow.parquet as pq

    for format, write in (("csv", pa_csv.write_csv), ("parquet", pq.write_table)):
        root = folder / format
        for place, (port, share) in enumerate(PORTS.items()):
            target = root / "ml" / port / f"{port}.{format}"
            target.parent.mkdir(parents=True, exist_ok=True)
            write(make_table(int(rows * share), place * 10**8), target)
        outputs = {
            port: {"path": f"/opt/ml/{port}", "files": {f"{port}.{format}": "d"}} for port in PORTS
        }
        step = {
            "script": "step.py",
            "outputs": outputs,
            "checks": [{"disjoint": {"between": [*PORTS], "on": "id"}}],
        }
        dataset = {"format": format, "key": "id", "columns": declared_columns()}
        project = {"version": 1, "project": "p", "datasets": {"d": dataset}, "steps": {"s": step}}
        (root / "step.py").write_text("")
        (root / "mlvalidate.yaml").write_text(json.dumps(project))


def read_plainly(root: Path) -> dict[str, float]:
    """Read the files with pyarrow."""
    import pyarrow.csv as pa_csv
    import pyarrow.parquet as pq

    read = pa_csv.read_csv if root.name == "csv" else pq.read_table
    started = time.perf_counter()
    tables = [read(root / "ml" / port / f"{port}.{root.name}") for port in PORTS]
    taken = time.perf_counter() - started
    return {"read": taken, "table": sum(table.nbytes for table in tables) / 1e6}


def judge(root: Path) -> dict[str, float]:
    """Do with the files what the engine does with those of a step; return the seconds of parts."""
    from mlvalidate.engine.contents import read_port, summarise_file, write_samples
    from mlvalidate.project import load_project

    project = load_project(root, os.environ)
    evidence = _evidence(project, root)
    times = [time.perf_counter()]
    outputs = tuple(
        read_port(name, port.path or "", root / "ml" / name, port, project, ml=root / "ml" / name)
        for name, port in project.steps["s"].outputs.items()
    )
    times.append(time.perf_counter())
    findings = judge_step(replace(evidence, outputs=outputs))
    if findings:
        sys.exit(f"the files are not as declared: {findings[0].message}")
    times.append(time.perf_counter())
    run = RunFolder(root / "run")
    for content in outputs:
        write_samples(content, run.root / "samples", run.root, str)
    times.append(time.perf_counter())
    for content in outputs:
        for file in content.files:
            summarise_file(file)
    times.append(time.perf_counter())
    return {part: end - start for part, (start, end) in zip(PARTS, pairwise(times), strict=True)}


def _evidence(project: Project, root: Path) -> Evidence:
    """Return evidence of a step that succeeded."""
    planned = PlannedStep(
        node="s",
        step_name="s",
        step=project.steps["s"],
        inputs=(),
        python=Path(sys.executable),
        timeout=60,
        memory=10**9,
        network=Access.DENY,
        credentials=Access.DENY,
        env={},
    )
    outcome = Outcome(
        exit_code=0,
        signal=None,
        stop=None,
        start_failure="",
        duration_s=1.0,
        cpu_s=1.0,
        peak_rss=0,
        read_bytes=0,
        written_bytes=0,
        leftovers=(),
        changes=(),
        read_only=(),
    )
    return Evidence(planned=planned, root=root, outcome=outcome)


def measure(side: str, root: Path, small: Path) -> dict[str, float]:
    """Measure one side in a process of its own; ``peak`` is in MB above that of a small table."""
    command = [sys.executable, __file__, "--side", side, "--root", str(root), "--small", str(small)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def measure_here(side: str, root: Path, small: Path) -> dict[str, float]:
    """Measure one side in this process, after a run on the small table."""
    work = judge if side == "judge" else read_plainly
    work(small / root.name)
    before = peak_memory()
    figures = work(root)
    return {**figures, "peak": peak_memory() - before}


def peak_memory() -> float:
    """Return the peak of this process in MB. Not getrusage: it counts that of the parent, too."""
    status = Path("/proc/self/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024 / 1e6


def main() -> None:
    """Measure both sides in turn and print medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeat", type=int, default=3)
    for name in ("--side", "--root", "--small"):
        parser.add_argument(name, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        print(json.dumps(measure_here(options.side, Path(options.root), Path(options.small))))
        return
    with tempfile.TemporaryDirectory() as folder:
        large, small = Path(folder, "large"), Path(folder, "small")
        write_files(large, options.rows)
        write_files(small, 2000)
        for format in ("csv", "parquet"):
            pairs = [
                (measure("plain", large / format, small), measure("judge", large / format, small))
                for _ in range(options.repeat)
            ]
            report(large / format, pairs)


def report(root: Path, pairs: list[tuple[dict[str, float], dict[str, float]]]) -> None:
    """Print the medians of one format."""

    def median(side: int, name: str) -> float:
        return statistics.median(pair[side][name] for pair in pairs)

    table = pairs[0][0]["table"]
    files = sum(path.stat().st_size for path in (root / "ml").rglob("*.*")) / 1e6
    ratios = [sum(ours[part] for part in PARTS) / plain["read"] for plain, ours in pairs]
    print(f"{root.name}: files {files:.0f} MB, table {table:.0f} MB, {len(pairs)} pairs")
    print(f"  pyarrow     {median(0, 'read'):6.2f} s   peak {median(0, 'peak') / table:.2f}x table")
    shown = ", ".join(f"{part} {median(1, part):.2f}" for part in PARTS)
    total = statistics.median(sum(ours[part] for part in PARTS) for _, ours in pairs)
    print(f"  mlvalidate  {total:6.2f} s   peak {median(1, 'peak') / table:.2f}x table   ({shown})")
    spread = f"(min {min(ratios):.2f}, max {max(ratios):.2f})"
    print(f"  ratio       {statistics.median(ratios):6.2f}     {spread}")


if __name__ == "__main__":
    main()
