"""What is known of past runs, and the order and the room that nodes are given for it."""

from __future__ import annotations

import json
from pathlib import Path

from mlvalidate.core.plan import Plan
from mlvalidate.engine.machine import cgroups_of, quota_of, room_in
from mlvalidate.engine.past import PastStep, past_steps
from mlvalidate.engine.ranking import memory_needed, path_lengths
from tests.projects import ProjectFolder

GB = 10**9


def diamond(project: ProjectFolder) -> Plan:
    """Return a plan: top, then left and right, then bottom; alone is on its own."""
    from mlvalidate import api

    project.write("step.py", "")
    port = {"path": "/opt/ml/processing/output"}
    inputs = {"a": {"path": "/opt/ml/processing/a"}, "b": {"path": "/opt/ml/processing/b"}}
    step = {"script": "step.py", "outputs": {"out": port}, "memory": "1GB"}
    middle = {**step, "inputs": {"a": inputs["a"]}}
    project.declare(
        steps={"make": step, "change": middle, "join": {**step, "inputs": inputs}},
        pipelines={
            "main": {
                "nodes": [
                    {"top": {"step": "make"}},
                    {"left": {"step": "change"}},
                    {"right": {"step": "change"}},
                    {"bottom": {"step": "join"}},
                    {"alone": {"step": "make"}},
                ],
                "edges": {
                    "left.a": "top.out",
                    "right.a": "top.out",
                    "bottom.a": "left.out",
                    "bottom.b": "right.out",
                },
            }
        },
    )
    return api.plan_pipeline(project.load())


def leave_result(project: ProjectFolder, run_id: str, **facts: object) -> None:
    folder = project.root / ".mlvalidate" / "runs" / run_id
    folder.mkdir(parents=True)
    content = {"data_source": "synthetic", "rows": None, "steps": [], **facts}
    (folder / "result.json").write_text(json.dumps(content))


def step_facts(node: str, seconds: float, peak_mb: float, status: str = "passed") -> object:
    usage = {"peak_rss_mb": peak_mb}
    times = {"started_at": 100.0, "finished_at": 100.0 + seconds}
    return {"node": node, "status": status, "usage": usage, **times}


def test_without_a_past_the_deepest_comes_first(project: ProjectFolder) -> None:
    lengths = path_lengths(diamond(project), {})
    assert lengths == {"top": 3.0, "left": 2.0, "right": 2.0, "bottom": 1.0, "alone": 1.0}


def test_the_longest_path_is_that_of_past_durations(project: ProjectFolder) -> None:
    past = {"left": PastStep(10.0, 0), "bottom": PastStep(2.0, 0), "alone": PastStep(50.0, 0)}
    lengths = path_lengths(diamond(project), past)
    # A node without a past counts as much as the one in the middle: 10.
    assert lengths == {"top": 22.0, "left": 12.0, "right": 12.0, "bottom": 2.0, "alone": 50.0}


def test_room_is_kept_for_what_a_node_took_before_and_never_for_more_than_its_limit(
    project: ProjectFolder,
) -> None:
    top = diamond(project).step("top")
    assert memory_needed(top, {}) == GB
    assert memory_needed(top, {"top": PastStep(1.0, 100)}) == 120
    assert memory_needed(top, {"top": PastStep(1.0, GB)}) == GB


def test_the_newest_run_tells_of_a_node_and_older_ones_of_what_it_did_not_run(
    project: ProjectFolder,
) -> None:
    plan = diamond(project)
    leave_result(project, "1", steps=[step_facts("top", 9.0, 90), step_facts("left", 8.0, 80)])
    leave_result(
        project, "2", steps=[step_facts("top", 1.0, 10), step_facts("left", 0.0, 0, "skipped")]
    )
    assert past_steps(project.root / ".mlvalidate", plan) == {
        "top": PastStep(1.0, 10_000_000),
        "left": PastStep(8.0, 80_000_000),
    }


def test_runs_on_other_amounts_of_data_and_broken_results_tell_nothing(
    project: ProjectFolder,
) -> None:
    plan = diamond(project)
    leave_result(project, "1", rows=10, steps=[step_facts("top", 9.0, 90)])
    leave_result(project, "2", data_source="sample", steps=[step_facts("top", 9.0, 90)])
    leave_result(project, "3", steps=[{"node": "top", "status": "passed"}])
    leave_result(project, "4", steps="none")
    (project.root / ".mlvalidate" / "runs" / "4" / "result.json").write_text("{torn")
    assert past_steps(project.root / ".mlvalidate", plan) == {}


def test_a_cgroups_limits_count_also_where_it_lies_inside_another(tmp_path: Path) -> None:
    own, root = tmp_path / "own", tmp_path / "cgroup"
    inner = root / "outer" / "inner"
    inner.mkdir(parents=True)
    own.write_text("0::/outer/inner\n")
    assert list(cgroups_of(own, root)) == [inner, root / "outer", root]
    (root / "outer" / "cpu.max").write_text("150000 100000\n")
    (inner / "cpu.max").write_text("max 100000\n")
    assert [quota_of(path) for path in cgroups_of(own, root)] == [None, 1, None]


def test_cached_files_leave_room_in_a_cgroup(tmp_path: Path) -> None:
    assert room_in(tmp_path) is None
    (tmp_path / "memory.max").write_text("1000\n")
    (tmp_path / "memory.current").write_text("900\n")
    (tmp_path / "memory.stat").write_text("anon 600\ninactive_file 300\n")
    assert room_in(tmp_path) == 400
    (tmp_path / "memory.max").write_text("max\n")
    assert room_in(tmp_path) is None
