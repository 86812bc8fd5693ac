"""Profiles of a step, by the profilers that are installed and by Python's own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mlvalidate import api
from mlvalidate.core.benchmarks import Profile, ProfileKind
from mlvalidate.core.results import PipelineResult, Status
from mlvalidate.engine import container, planning
from tests.projects import ProjectFolder

WORK = """
import os, sys

def busy():
    return sum(number * number for number in range(300_000))

def hold():
    return [bytes(1000) for _ in range(3000)]

held = hold()
busy()
open("/opt/ml/processing/output/out/o.txt", "w").write("x")
"""


def profile(project: ProjectFolder, script: str) -> tuple[PipelineResult, dict[str, Profile]]:
    """Benchmark a step on one volume, once, and under the profilers."""
    project.write("step.py", script)
    step = {
        "script": "step.py",
        "inputs": {"raw": {"files": {"t.csv": "t"}}},
        "outputs": {"out": {"files": {"o.txt": "file"}}},
    }
    project.declare(datasets={"t": {"columns": {"a": {"type": "float"}}}}, steps={"step": step})
    loaded = project.load()
    plan = api.plan_benchmark(loaded, "step", (10,), 1, profile=True)
    result = api.execute(loaded, plan, record=False)
    assert result.benchmark is not None
    return result, {found.kind: found for found in result.benchmark.profiles}


def test_time_and_memory_lead_to_the_lines_of_the_script(project: ProjectFolder) -> None:
    result, profiles = profile(project, WORK)
    assert result.status is Status.PASSED
    assert result.benchmark is not None
    # A profiler slows what it looks at: its runs are no measurements.
    assert [volume.measurements for volume in result.benchmark.volumes] == [1]
    assert [step.cold.reason for step in result.steps if step.cold] == ["profile", "profile"]
    time, memory = profiles["cpu"], profiles["memory"]
    assert time.tool.startswith("pyinstrument")
    busy = next(entry for entry in time.entries if entry.function == "busy")
    assert (busy.file, busy.is_of_project) == ("step.py", True)
    assert memory.tool.startswith("memray")
    largest = memory.entries[0]
    assert (largest.file, largest.line, largest.is_of_project) == ("step.py", 8, True)
    assert 3 <= largest.own < 10  # MB
    assert memory.peak_mb is not None
    assert memory.peak_mb >= largest.own
    folder = api.run_folder(project.load(), result)
    for found, name in ((time, "cpu.html"), (memory, "memory.html")):
        assert found.files == (name,)
        assert "<html" in (folder.step(found.node).profile / name).read_text().lower()


@pytest.mark.parametrize(
    ("ending", "problem"),
    [
        ("os._exit(0)", "no Python came to its orderly end"),
        (
            "os.makedirs('/opt/mlvalidate/profiled', exist_ok=True)\n"
            "open('/opt/mlvalidate/profiled/entries.json', 'w').write('{}')\nos._exit(0)",
            "the script has written into its profile",
        ),
        (
            "os.makedirs('/opt/mlvalidate/profiled', exist_ok=True)\n"
            "os.symlink('/etc/hostname', '/opt/mlvalidate/profiled/entries.json')\nos._exit(0)",
            "no Python came to its orderly end",
        ),
    ],
)
def test_why_there_is_nothing_to_see(project: ProjectFolder, ending: str, problem: str) -> None:
    _, profiles = profile(project, WORK + ending)
    assert problem in profiles["cpu"].problem
    assert not profiles["cpu"].entries


def test_a_step_that_fails_is_not_profiled(project: ProjectFolder) -> None:
    _, profiles = profile(project, "raise SystemExit(3)")
    assert "failed before it was to be profiled" in profiles["cpu"].problem


def test_without_memray_it_is_said_how_to_get_it(
    project: ProjectFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "possible_profiles", lambda _python: (ProfileKind.CPU,))
    _, profiles = profile(project, WORK)
    assert profiles["memory"].problem == (
        f"memory by line needs memray: install it into {sys.executable}"
    )


def test_without_pyinstrument_python_s_own_profiler_does_it(tmp_path: Path) -> None:
    harness = tmp_path / "harness"
    shutil.copytree(Path(container.__file__).with_name("worker") / "harness", harness)
    (harness / "profile").write_text("cpu")
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "pyinstrument.py").write_text("raise ImportError")
    script = tmp_path / "work.py"
    script.write_text("def busy():\n    return sum(range(9999))\nbusy()\nraise SystemExit(7)\n")
    env = {**os.environ, "PYTHONPATH": f"{harness}/site:{hidden}"}
    for _ in range(2):
        done = subprocess.run([sys.executable, script], env=env, capture_output=True, text=True)
        assert (done.returncode, done.stdout, done.stderr) == (7, "", "")
    # The second one had nobody who asked for it.
    content = json.loads((harness / "profiled" / "entries.json").read_text())
    assert content["tool"] == "cProfile"
    (busy,) = (entry for entry in content["entries"] if entry["function"] == "busy")
    assert (busy["file"], busy["line"]) == (str(script), 1)
    assert (harness / "profiled" / "cpu.pstats").is_file()
    assert not any(entry["file"].startswith(str(harness)) for entry in content["entries"])
