from __future__ import annotations

from pathlib import Path

from report_builders import SNAPSHOTS, console, printed

from mlvalidate.core.contracts import Pipeline, Project
from mlvalidate.reporting.project_view import list_project, order_nodes, print_project
from mlvalidate.reporting.sync_view import print_sync

PROJECT = Project.model_validate(
    {
        "version": 1,
        "project": "churn",
        "datasets": {
            "customers": {
                "rows": 1000,
                "sample": "data/customers.csv",
                "key": "id",
                "columns": {"id": {"type": "string"}, "age": {"type": "integer"}},
            }
        },
        "steps": {
            "prep": {"script": "prep.py", "outputs": {"out": {}}, "description": "Splits [bold]"},
            "train": {"kind": "training", "module": "jobs.train", "inputs": {"train": {}}},
        },
        "pipelines": {"main": {"nodes": ["train", "prep"], "edges": {"train.train": "prep.out"}}},
    }
).at(Path("/projects/churn"))


def test_list_for_people() -> None:
    pipe = console()
    print_project(pipe, PROJECT)
    assert printed(pipe) == (SNAPSHOTS / "list.txt").read_text()


def test_a_project_with_steps_only() -> None:
    pipe = console()
    print_project(pipe, PROJECT.model_copy(update={"pipelines": {}, "datasets": {}}))
    assert "pipelines" not in printed(pipe)


def test_list_for_machines() -> None:
    listing = list_project(PROJECT)
    assert listing["pipelines"]["main"] == {
        "description": "",
        "nodes": ["prep", "train"],
        "edges": {"train.train": "prep.out"},
    }
    assert listing["steps"]["train"]["entry_point"] == "jobs.train"
    assert listing["datasets"]["customers"]["columns"] == {"id": "string", "age": "integer"}


def test_nodes_come_after_their_producers_else_as_declared() -> None:
    pipeline = Pipeline(
        nodes={name: {} for name in ("d", "c", "b", "a")},
        edges={"d.x": "b.y", "c.x": "a.y", "c.z": "b.y"},
    )
    assert order_nodes(pipeline) == ["b", "d", "a", "c"]


def test_sync() -> None:
    pipe = console()
    print_sync(
        pipe,
        recorded=2,
        closed=1,
        pending={"x": "the server is away"},
        reports={"y": "2 of 2 rendered"},
    )
    print_sync(pipe, recorded=0, closed=0, pending={}, reports={})
    assert printed(pipe) == (
        "closed 1 run that had been killed\nrecorded 2 runs in MLflow\n"
        "reports of run y: 2 of 2 rendered\n"
        "run x still waits: the server is away\nevery run is recorded\n"
    )
