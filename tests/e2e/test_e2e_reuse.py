"""Reuse, resuming and the cache's own commands, as a user types them."""

from __future__ import annotations

import json
import os
import shlex
import sqlite3
import subprocess
import sys

import pytest

from tests.projects import ProjectFolder

OUT = {"out": {"path": "/opt/ml/processing/output"}}
WRITE = "open('/opt/ml/processing/output/done.txt', 'w').write('x')\n"


def run(*words: str, project: ProjectFolder, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mlvalidate", *words],
        cwd=project.root,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=120,
    )


def declare(project: ProjectFolder, second: str = WRITE) -> None:
    project.write("scripts/first.py", WRITE)
    project.write("scripts/second.py", second)
    project.declare(
        steps={
            "first": {"script": "scripts/first.py", "outputs": OUT},
            "second": {"script": "scripts/second.py", "inputs": {"raw": {}}, "outputs": OUT},
        },
        pipelines={"p": {"nodes": ["first", "second"], "edges": {"second.raw": "first.out"}}},
    )


def tags_of_last(project: ProjectFolder, node: str) -> dict[str, str]:
    """Return the tags of the newest run in MLflow of a node, with its id and its report."""
    with sqlite3.connect(project.root / ".mlvalidate" / "mlflow.db") as store:
        (run_id,) = store.execute(
            "select r.run_uuid from runs r join tags t on t.run_uuid = r.run_uuid "
            "where t.key = 'mlvalidate.node' and t.value = ? order by r.start_time desc limit 1",
            (node,),
        ).fetchone()
        tags = store.execute("select key, value from tags where run_uuid = ?", (run_id,))
        return {"id": run_id, **dict(tags.fetchall())}


@pytest.mark.slow
def test_a_reused_step_is_recorded_with_the_run_that_it_is_of(project: ProjectFolder) -> None:
    declare(project)
    first = json.loads(run("test-pipeline", "--json", project=project).stdout)
    before = tags_of_last(project, "first")
    assert before["mlvalidate.run_reason"] == "new"
    # In CI the record is waited for.
    done = run("test-pipeline", "--json", project=project, CI="1")
    second = json.loads(done.stdout)
    assert [step["reused_from"] for step in second["steps"]] == [first["run_id"]] * 2
    assert second["run_url"]
    after = tags_of_last(project, "first")
    assert after["mlvalidate.status"] == "passed"
    assert after["mlvalidate.reused_from"] == first["run_id"]
    assert after["mlvalidate.reused_from.mlflow_run_id"] == before["id"]
    assert f"/runs/{before['id']}" in after["mlflow.note.content"]
    assert "mlvalidate.run_reason" not in after


def test_the_printed_command_resumes(project: ProjectFolder) -> None:
    declare(project, "raise SystemExit('no')")
    failed = run("test-pipeline", "--no-record", "--no-cache", project=project)
    assert failed.returncode == 1
    (line,) = [line for line in failed.stdout.splitlines() if line.startswith("resume: ")]
    assert line == "resume: mlvalidate test-pipeline p --resume"
    declare(project)
    command = shlex.split(line.removeprefix("resume: mlvalidate "))
    again = run(*command, "--no-record", "--no-cache", project=project)
    assert again.returncode == 0, again.stdout
    assert "PASSED  first reused from run" in again.stdout
    assert "2 passed (1 reused)" in again.stdout
    assert "resume: " not in again.stdout


def test_a_plan_and_its_run_give_the_same_reasons(project: ProjectFolder) -> None:
    declare(project)
    run("test-pipeline", "--no-record", project=project)
    project.write("scripts/second.py", WRITE + "print()\n")
    shown = run("test-pipeline", "--dry-run", project=project).stdout
    assert "reuse: reused from run" in shown
    assert "reuse: runs: code changed: scripts/second.py" in shown
    done = run("test-pipeline", "--no-record", project=project).stdout
    assert "why steps ran\n  second: code changed: scripts/second.py\n" in done
    forced = run("test-pipeline", "--dry-run", "--force", "first", project=project).stdout
    assert "reuse: runs: --force" in forced
    assert "reuse: reused if first comes to the same as before" in forced
    part = run("test-pipeline", "--dry-run", "--until", "first", project=project).stdout
    assert "reuse: left out: it is not selected" in part


def test_an_unknown_step_is_a_usage_error(project: ProjectFolder) -> None:
    declare(project)
    done = run("test-pipeline", "--only", "secnd", project=project)
    assert done.returncode == 2
    assert "--only: the pipeline has no step 'secnd'" in done.stderr
    assert "did you mean 'second'?" in done.stderr


@pytest.mark.slow
def test_the_cache_is_listed_shrunk_and_emptied(project: ProjectFolder) -> None:
    declare(project)
    assert "0 steps, 0B of 5.0GB" in run("cache", "ls", project=project).stdout
    run("test-pipeline", "--no-record", project=project)
    listed = json.loads(run("cache", "ls", "--json", project=project).stdout)
    assert [step["node"] for step in listed] == ["second", "first"]
    shown = run("cache", "ls", project=project).stdout
    assert listed[0]["run_id"] in shown
    assert "2 steps, " in shown
    size = listed[0]["size_bytes"]
    pruned = run("cache", "prune", "--limit", str(size), project=project).stdout
    assert pruned.startswith("1 step removed (")
    assert "1 step removed" in run("cache", "clear", project=project).stdout
    assert json.loads(run("cache", "clear", "--json", project=project).stdout)["left"] == 0
    wrong = run("cache", "prune", "--limit", "much", project=project)
    assert wrong.returncode == 2
    assert "expected a size" in wrong.stderr
    done = run("test-pipeline", "--no-record", "--quiet", project=project)
    assert "reused" not in done.stdout
