"""The action for GitHub: its YAML, and its shell steps run as a runner would run them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import junitparser
import pytest
import yaml

from tests.projects import ProjectFolder

ROOT = Path(__file__).parents[2]
ACTION_FOLDER = ROOT / ".github/actions/mlvalidate"
ACTION: dict[str, Any] = yaml.safe_load((ACTION_FOLDER / "action.yml").read_text())
WORKFLOW: dict[str, Any] = yaml.safe_load((ROOT / ".github/workflows/example.yml").read_text())
STEPS: list[dict[str, Any]] = ACTION["runs"]["steps"]
BY_NAME = {step["name"]: step for step in STEPS if "run" in step}
_EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)


def expressions(part: object) -> list[str]:
    return _EXPRESSION.findall(yaml.safe_dump(part, width=10_000))


def test_the_action_is_whole() -> None:
    assert ACTION["runs"]["using"] == "composite"
    for given in (*ACTION["inputs"].values(), *ACTION["outputs"].values()):
        assert given["description"]
    # Every input is used, and what is used is declared.
    used = set(re.findall(r"inputs\.([\w-]+)", yaml.safe_dump(STEPS, width=10_000)))
    assert used == ACTION["inputs"].keys()
    ids = {step["id"] for step in STEPS if "id" in step}
    named = [re.findall(r"steps\.([\w-]+)\.outputs\.([\w-]+)", e) for e in expressions(ACTION)]
    for step, output in (pair for pairs in named for pair in pairs):
        assert step in ids
        assert f'echo "{output}=' in BY_NAME["Run mlvalidate"]["run"]


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.get("name") or step["uses"])
def test_a_step_can_be_run_safely(step: dict[str, Any]) -> None:
    if "uses" in step:
        assert re.fullmatch(r"[\w-]+/[\w/-]+@v\d+", step["uses"])
        return
    assert step["shell"] == "bash"
    # What somebody wrote into an input or a branch's name must not become code.
    assert "${{" not in step["run"]
    subprocess.run(["bash", "-n", "-c", step["run"]], check=True)


def test_the_workflow_uses_the_action_on_the_example() -> None:
    (job,) = WORKFLOW["jobs"].values()
    checkout, step = job["steps"]
    assert checkout["uses"].startswith("actions/checkout@")
    assert (ROOT / step["uses"] / "action.yml").is_file()
    assert step["with"].keys() <= ACTION["inputs"].keys()
    project = yaml.safe_load((ROOT / step["with"]["directory"] / "mlvalidate.yaml").read_text())
    assert step["with"]["pipeline"] in project["pipelines"]
    assert WORKFLOW["permissions"] == {
        "contents": "read",
        "pull-requests": "write",
        "security-events": "write",
    }


class Runner:
    """What a runner of GitHub gives to a shell step."""

    def __init__(self, folder: Path, workspace: Path) -> None:
        self.folder = folder
        self.workspace = workspace
        self.bin = folder / "bin"
        self.bin.mkdir()
        self.summary = folder / "summary.md"
        self.output = folder / "output"
        for file in (self.summary, self.output):
            file.touch()

    def stand_in(self, command: str) -> Path:
        """Put a command on PATH that notes its arguments, one a line, and return the notes."""
        notes = self.folder / f"{command}.txt"
        stand_in = self.bin / command
        stand_in.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >> {notes}\n')
        stand_in.chmod(0o755)
        return notes

    def run(self, name: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a step of the action; its `env` is what ``environment`` says, in other words."""
        step = BY_NAME[name]
        assert environment.keys() == step.get("env", {}).keys()
        kept = {n: v for n, v in os.environ.items() if not n.startswith(("GITHUB_", "CI_"))}
        path = f"{self.bin}:{Path(sys.executable).parent}:{os.environ['PATH']}"
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            cwd=self.workspace,
            env={
                **kept,
                "PATH": path,
                "CI": "true",
                "RUNNER_TEMP": str(self.folder),
                "GITHUB_WORKSPACE": str(self.workspace),
                "GITHUB_OUTPUT": str(self.output),
                "GITHUB_STEP_SUMMARY": str(self.summary),
                **environment,
            },
            capture_output=True,
            text=True,
        )

    @property
    def outputs(self) -> dict[str, str]:
        """What the steps have put out."""
        return dict(line.split("=", 1) for line in self.output.read_text().splitlines())


@pytest.fixture
def runner(tmp_path: Path, project: ProjectFolder) -> Runner:
    folder = tmp_path / "runner"
    folder.mkdir()
    return Runner(folder, project.root.parent)


@pytest.mark.parametrize(
    ("version", "package"),
    [("", "mlvalidate"), ("0.1.0", "mlvalidate==0.1.0"), (".", "."), ("./my copy", "./my copy")],
)
def test_install(runner: Runner, version: str, package: str) -> None:
    notes = runner.stand_in("python")
    done = runner.run("Install mlvalidate", VERSION=version, REQUIREMENTS="-r some.txt numpy")
    assert done.returncode == 0, done.stderr
    asked = ["-m", "pip", "install", "--quiet", package, "-r", "some.txt", "numpy"]
    assert notes.read_text().splitlines() == asked


def test_namespaces_that_can_not_be_allowed(runner: Runner) -> None:
    runner.stand_in("sudo")
    assert runner.run("Allow user namespaces").returncode == 0


def test_a_failing_run(runner: Runner, project: ProjectFolder) -> None:
    project.declare_step("raise SystemExit('no rows')", args={"note": "a b"})
    # What is rendered beside a run is there when the lock is free.
    (project.root / ".mlvalidate/runs/r0/reports").mkdir(parents=True)
    project.write(".mlvalidate/runs/r0/reports/a.html", "<p>")
    arguments = "--no-record --no-cache --seed '7'"
    done = runner.run("Run mlvalidate", PIPELINE="", ARGS=arguments, DIRECTORY="project")
    assert done.returncode == 1, done.stderr
    assert "::error file=project/step.py,line=1,title=X201 step::" in done.stdout
    assert runner.summary.read_text().startswith("## mlvalidate: demo FAILED")
    reports = Path(runner.outputs["reports"])
    assert runner.outputs["exit-code"] == "1"
    written = {path.relative_to(reports).as_posix() for path in reports.rglob("*.*")}
    assert written == {"junit.xml", "mlvalidate.sarif", "comment.md", "html/r0/a.html"}
    (suite,) = junitparser.JUnitXml.fromfile(str(reports / "junit.xml"))
    assert {p.name: p.value for p in suite.properties()}["seed"] == "7"


def test_a_wrong_call(runner: Runner, project: ProjectFolder) -> None:
    project.declare_step("")
    done = runner.run("Run mlvalidate", PIPELINE="nope", ARGS="", DIRECTORY="project")
    assert done.returncode == 2
    assert "nope" in done.stderr
    assert runner.outputs["exit-code"] == "2"
    unbalanced = runner.run("Run mlvalidate", PIPELINE="", ARGS="'--seed", DIRECTORY="project")
    assert unbalanced.returncode not in (0, 5)


def test_the_comment(runner: Runner) -> None:
    notes = runner.stand_in("gh")
    comment = runner.folder / "comment.md"
    given = {"GH_TOKEN": "t", "GH_REPO": "you/repo", "NUMBER": "7", "COMMENT": str(comment)}
    assert runner.run("Comment on the pull request", **given).returncode == 0
    assert not notes.exists()
    comment.write_text("## mlvalidate")
    assert runner.run("Comment on the pull request", **given).returncode == 0
    asked = ["pr", "comment", "7", "--body-file", str(comment), "--edit-last", "--create-if-none"]
    assert notes.read_text().splitlines() == asked


def test_every_input_is_documented() -> None:
    page = (ROOT / "docs/ci.md").read_text()
    for name in (*ACTION["inputs"], *ACTION["outputs"]):
        assert f"`{name}`" in page
