"""What `mlvalidate trend` costs over many stored runs.

A pipeline of three steps that do nothing is run and recorded once, in a temporary folder. Its rows
in MLflow's tables are then copied under new ids and times, but for the series over time, which a
search does not read. Measured are the command as a process, from start to end, and beside it a
process that imports mlflow and does nothing but the same searches.

    python benchmarks/trend.py [--runs 10000] [--last 50] [--repeat 3]
"""

from __future__ import annotations

import argparse
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mlvalidate import api
from mlvalidate.core.contracts import Project
from mlvalidate.core.results import Status
from mlvalidate.tracking import layout

_STEP = "{script: s.py, outputs: {out: {required: false}}}"
_YAML = f"""
version: 1
project: many
steps: {{a: {_STEP}, b: {_STEP}, c: {_STEP}}}
pipelines: {{nightly: {{nodes: [a, b, c]}}}}
"""
_TABLES = ("runs", "tags", "params", "latest_metrics")
# What the command asks the store for, and nothing else.
_BARE = """
import sys
from mlflow import MlflowClient

uri, name, last = sys.argv[1], sys.argv[2], int(sys.argv[3])
client = MlflowClient(uri)
experiment = client.get_experiment_by_name(name).experiment_id
newest = ["attributes.start_time DESC"]
common = "tags.`mlvalidate.project` = 'many' AND tags.`mlvalidate.pipeline` = 'nightly'"
runs = client.search_runs(
    [experiment], f"{common} AND tags.`mlvalidate.kind` = 'pipeline'", 1, last, newest
)
since = f"attributes.start_time >= {runs[-1].info.start_time}"
steps = client.search_runs(
    [experiment], f"{common} AND tags.`mlvalidate.kind` = 'step' AND {since}", 1, 5000, newest
)
print(len(runs), len(steps))
"""


@dataclass(frozen=True)
class Copy:
    """A copy of a recorded run. ``tags`` and ``metrics`` by node ("" for the whole run)."""

    run_id: str
    shift_s: float
    tags: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    metrics: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


def copy_run(database: Path, run_id: str, copies: Iterable[Copy]) -> None:
    """Copy a run and its nodes within a SQLite store, under other ids, times and values."""
    with sqlite3.connect(database) as connection:
        originals = _originals(connection, run_id)
        for copy in copies:
            new_ids = {old: uuid.uuid4().hex for old in originals}
            for table in _TABLES:
                rows = [
                    _copied(row, table, run_id, originals[old], copy, new_ids)
                    for old in originals
                    for row in _rows(connection, table, old)
                ]
                _insert(connection, table, rows)


def _originals(connection: sqlite3.Connection, run_id: str) -> dict[str, str]:
    """Return the nodes of a run by their id in MLflow; "" for the run itself."""
    found = connection.execute(
        "SELECT ids.run_uuid, kinds.value, nodes.value FROM tags AS ids "
        "JOIN tags AS kinds ON kinds.run_uuid = ids.run_uuid AND kinds.key = ? "
        "LEFT JOIN tags AS nodes ON nodes.run_uuid = ids.run_uuid AND nodes.key = ? "
        "WHERE ids.key = ? AND ids.value = ?",
        (layout.KIND, layout.NODE, layout.RUN_ID, run_id),
    )
    return {each: node if kind == "step" else "" for each, kind, node in found}


def _rows(connection: sqlite3.Connection, table: str, mlflow_id: str) -> list[dict[str, object]]:
    cursor = connection.execute(f"SELECT * FROM {table} WHERE run_uuid = ?", (mlflow_id,))
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def _copied(
    row: dict[str, object],
    table: str,
    run_id: str,
    node: str,
    copy: Copy,
    new_ids: Mapping[str, str],
) -> dict[str, object]:
    copied = {**row, "run_uuid": new_ids[str(row["run_uuid"])]}
    if table == "runs":
        for name in ("start_time", "end_time"):
            copied[name] = int(str(row[name])) + round(copy.shift_s * 1000)
        copied["name"] = str(row["name"]).replace(run_id, copy.run_id)
    elif table == "tags":
        value = str(row["value"]).replace(run_id, copy.run_id)
        value = new_ids.get(value, value)
        copied["value"] = copy.tags.get(node, {}).get(str(row["key"]), value)
    elif table == "latest_metrics":
        copied["value"] = copy.metrics.get(node, {}).get(str(row["key"]), row["value"])
    return copied


def _insert(connection: sqlite3.Connection, table: str, rows: list[dict[str, object]]) -> None:
    if rows:
        names = ", ".join(rows[0])
        marks = ", ".join("?" for _ in rows[0])
        values = [tuple(row.values()) for row in rows]
        connection.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", values)


def make_store(folder: Path, runs: int) -> tuple[Project, Path]:
    """Return a project with as many recorded runs, and their database."""
    (folder / "s.py").write_text("")
    (folder / "mlvalidate.yaml").write_text(_YAML)
    project = api.open_project(folder)
    result = api.execute(project, api.plan_pipeline(project, None, api.Options(cache=False)))
    assert result.status is Status.PASSED, result.findings
    assert not result.unrecorded, result.unrecorded
    database = project.state_folder / "mlflow.db"
    copies = (
        Copy(f"{result.run_id}-{number}", shift_s=-600.0 * number) for number in range(1, runs)
    )
    copy_run(database, result.run_id, copies)
    return project, database


@dataclass(frozen=True)
class Cost:
    """Seconds of one process: from start to end, and of CPU, which other load changes less."""

    wall: float
    cpu: float


def cost_of(command: list[str]) -> Cost:
    """Run a command and return what it took."""
    started = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return Cost(time.perf_counter() - started, usage.ru_utime + usage.ru_stime)


def main() -> None:
    """Build the store, measure in turns, print medians and their ratio."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--last", type=int, default=50)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        project, database = make_store(folder, options.runs)
        print(f"{options.runs} runs of 3 nodes, {database.stat().st_size / 1e6:.0f} MB", flush=True)
        last = str(options.last)
        program = [sys.executable, "-m", "mlvalidate", "trend"]
        commands = {
            "trend of the pipeline": [*program, "nightly", "--last", last, "-C", name],
            "trend of a step": [*program, "b", "--last", last, "-C", name],
            "bare searches": [
                sys.executable, "-c", _BARE, f"sqlite:///{database}", project.project, last,
            ],
            "import mlflow": [sys.executable, "-c", "import mlflow"],
        }  # fmt: skip
        taken: dict[str, list[Cost]] = {what: [] for what in commands}
        for _ in range(options.repeat):
            for what, command in commands.items():
                taken[what].append(cost_of(command))
    bare = _medians(taken["bare searches"])
    for what, costs in taken.items():
        cost = _medians(costs)
        print(
            f"{what:24}{cost.wall:6.2f} s, {cost.wall / bare.wall:.2f} x of the bare searches; "
            f"CPU {cost.cpu:.2f} s, {cost.cpu / bare.cpu:.2f} x"
        )


def _medians(costs: list[Cost]) -> Cost:
    wall, cpu = (
        statistics.median(getattr(cost, name) for cost in costs) for name in ("wall", "cpu")
    )
    return Cost(wall, cpu)


if __name__ == "__main__":
    main()
