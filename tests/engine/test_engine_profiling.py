"""Profiles of a step, by the profilers that are installed and by Python's own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mlvalidate import api
from mlvalidate.core.benchmarks import Profile, ProfileKind
from mlvalidate.core.results import PipelineResult, Status
from mlvalidate.engine import container, planning
from mlvalidate.reporting.benchmark import profile_title
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
        page, text = found.files
        assert Path(page) == Path("steps", found.node, "profile", name)
        assert "<html" in (folder.root / page).read_text().lower()
        assert "step.py" in (folder.root / text).read_text()


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


def test_each_profiler_has_its_run_though_the_step_fails_with_one(project: ProjectFolder) -> None:
    refuse = "\nif 'pyinstrument' in sys.modules: raise SystemExit('no profilers here')"
    result, profiles = profile(project, WORK + refuse)
    assert result.status is Status.FAILED
    assert profiles["cpu"].step_failed
    assert any(entry.function == "busy" for entry in profiles["cpu"].entries)
    assert not profiles["memory"].step_failed
    assert profiles["memory"].entries
    title = profile_title(profiles["cpu"])
    assert title.endswith("; step@10.cpu failed with the profiler")


def test_without_memray_it_is_said_how_to_get_it(
    project: ProjectFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "possible_profiles", lambda _python: (ProfileKind.CPU,))
    _, profiles = profile(project, WORK)
    assert profiles["memory"].problem == (
        f"memory by line needs memray: install it into {sys.executable}"
    )


class Bench:
    """A harness that asks one interpreter for a profile, and modules in front of installed ones."""

    def __init__(self, root: Path, kind: str, **modules: str) -> None:
        self.root = root
        self.harness = root / "harness"
        shutil.copytree(Path(container.__file__).with_name("worker") / "harness", self.harness)
        (self.harness / "profile").write_text(kind)
        self._modules = root / "modules"
        self._modules.mkdir()
        for name, content in modules.items():
            (self._modules / f"{name}.py").write_text(content)

    @property
    def content(self) -> dict[str, Any]:
        """What the profiler has written."""
        content: dict[str, Any] = json.loads(
            (self.harness / "profiled" / "entries.json").read_text()
        )
        return content

    def run(self, script: str) -> subprocess.CompletedProcess[str]:
        """Run a script that will be profiled if none was before."""
        (self.root / "work.py").write_text(script)
        env = {**os.environ, "PYTHONPATH": f"{self.harness}/site:{self._modules}"}
        command = [sys.executable, "work.py", "--a", "b c"]
        return subprocess.run(command, cwd=self.root, env=env, capture_output=True, text=True)


def test_without_pyinstrument_python_s_own_profiler_does_it(tmp_path: Path) -> None:
    bench = Bench(tmp_path, "cpu", pyinstrument="raise ImportError")
    script = "def busy():\n    return sum(range(9999))\nbusy()\nraise SystemExit(7)\n"
    for _ in range(2):
        done = bench.run(script)
        assert (done.returncode, done.stdout, done.stderr) == (7, "", "")
    # The second one had nobody who asked for it.
    harness, content = bench.harness, bench.content
    assert content["tool"] == "cProfile"
    (busy,) = (entry for entry in content["entries"] if entry["function"] == "busy")
    assert (Path(busy["file"]).name, busy["line"]) == ("work.py", 1)
    assert (harness / "profiled" / "cpu.pstats").is_file()
    assert "busy" in (harness / "profiled" / "cpu.txt").read_text()
    page = (harness / "profiled" / "cpu.html").read_text()
    assert "&lt;module&gt;" in page
    assert "<module>" not in page
    assert not any(entry["file"].startswith(str(harness)) for entry in content["entries"])


@pytest.mark.parametrize(
    ("kind", "modules"),
    [("cpu", {}), ("cpu", {"pyinstrument": "raise ImportError"}), ("memory", {})],
)
def test_a_script_sees_nothing_of_its_profiler(
    tmp_path: Path, kind: str, modules: dict[str, str]
) -> None:
    script = """
import atexit, sys, traceback
print(sys.argv, __name__, __file__, sys.path[0] == sys.path[0].rstrip("/"))
traceback.print_stack(file=sys.stdout)
atexit.register(print, "the end")
raise ValueError("as usual")
"""
    bench = Bench(tmp_path, kind, **modules)
    profiled, plain = bench.run(script), bench.run(script)
    assert profiled.returncode == plain.returncode == 1
    assert (profiled.stdout, profiled.stderr) == (plain.stdout, plain.stderr)
    assert plain.stdout.endswith("the end\n")
    assert any(entry["file"].endswith("work.py") for entry in bench.content["entries"])


@pytest.mark.parametrize(
    ("broken", "problem"),
    [
        ("raise RuntimeError('half installed')", "the memory profiler failed: RuntimeError: half"),
        (
            "class Tracker:\n    def __init__(self, file): pass\n"
            "    def __enter__(self): pass\n    def __exit__(self, *a): raise OSError(28, 'full')",
            "the memory profiler failed: OSError: [Errno 28] full",
        ),
    ],
)
def test_a_profiler_that_fails_leaves_the_script_alone(
    tmp_path: Path, broken: str, problem: str
) -> None:
    bench = Bench(tmp_path, "memory", memray=broken)
    done = bench.run("print('done')")
    assert (done.returncode, done.stdout, done.stderr) == (0, "done\n", "")
    assert bench.content["problem"].startswith(problem)
