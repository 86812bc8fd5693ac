"""Second runs of a step beside its first."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlvalidate import api
from mlvalidate.core.events import RunFinished
from mlvalidate.core.results import PipelineResult, Status
from mlvalidate.core.run_folder import RunFolder
from mlvalidate.engine.run import new_run_folder
from mlvalidate.engine.sandbox import detect_sandboxing
from tests.projects import ProjectFolder, execute_plan

# Both runs meet in a folder of the host. Only the second has a seed for hashes.
MEET = """
import os, pathlib, time
shared, seconds = pathlib.Path({shared!r}), {seconds}
name = "second" if "PYTHONHASHSEED" in os.environ else "first"
(shared / name).touch()
ends = time.monotonic() + seconds
both_are_there = lambda: (shared / "first").exists() and (shared / "second").exists()
while not both_are_there() and time.monotonic() < ends:
    time.sleep(0.01)
met = both_are_there()
"""
WRITE = """
pathlib.Path("/opt/ml/processing/output/t.txt").write_text("made")
pathlib.Path(shared / f"{name}-{met}").touch()
"""
FAIL = """
if name == "second":
    time.sleep(600)
raise SystemExit(3)
"""


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    folder = tmp_path / "shared"
    folder.mkdir()
    return folder


def declare(project: ProjectFolder, shared: Path, script: str, seconds: float) -> None:
    script = MEET.format(shared=str(shared), seconds=seconds) + script
    project.declare_step(script, checks=["deterministic"], writes=[str(shared)])


def run(project: ProjectFolder, jobs: int) -> tuple[PipelineResult, RunFolder]:
    loaded = project.load()
    result = api.execute(loaded, api.plan_script(loaded, "step"), record=False, jobs=jobs)
    return result, api.run_folder(loaded, result)


def names(shared: Path) -> list[str]:
    return sorted(path.name for path in shared.iterdir())


def test_a_step_runs_again_beside_its_first_run(project: ProjectFolder, shared: Path) -> None:
    declare(project, shared, WRITE, 20)
    result, _ = run(project, jobs=2)
    assert result.status is Status.PASSED, result.all_findings
    assert names(shared) == ["first", "first-True", "second", "second-True"]


def test_with_one_job_it_runs_again_afterwards(project: ProjectFolder, shared: Path) -> None:
    declare(project, shared, WRITE, 0)
    result, _ = run(project, jobs=1)
    assert result.status is Status.PASSED, result.all_findings
    assert "first-False" in names(shared)
    assert "second-True" in names(shared)


def test_when_the_first_run_fails_the_second_is_ended(project: ProjectFolder, shared: Path) -> None:
    declare(project, shared, FAIL, 20)
    result, folder = run(project, jobs=2)
    assert "X201" in [finding.code for finding in result.all_findings]
    assert names(shared) == ["first", "second"]
    reruns = folder.step("step").root / "reruns"
    assert not list(reruns.iterdir())


def test_a_user_who_stops_the_run_stops_both(project: ProjectFolder, shared: Path) -> None:
    declare(project, shared, "time.sleep(600)", 20)
    loaded = project.load()
    plan, folder = api.plan_script(loaded, "step"), new_run_folder(loaded)
    both_run = lambda: len(names(shared)) == 2  # noqa: E731
    events = list(execute_plan(loaded, plan, folder, detect_sandboxing(), both_run, jobs=2))
    assert isinstance(events[-1], RunFinished)
    assert events[-1].result.status is Status.INTERRUPTED
