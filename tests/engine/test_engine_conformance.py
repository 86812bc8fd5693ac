"""Scripts do the same whether they start warm or cold: the example's, and awkward ones."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from mlvalidate.core.results import StepResult
from tests.projects import ProjectFolder, Ran

AWKWARD = Path(__file__).parent / "awkward"
CHURN = Path(__file__).parents[2] / "examples" / "churn"

ENDINGS = (
    *("text", "none", "number", "large", "object", "at once", "error", "group", "interrupt"),
    *("interrupt signal", "terminate", "abort", "pipe", "hook", "exit at exit"),
    *("thread", "late thread", "recursion", "unraisable", "nothing"),
)
# What two runs of the same kind differ in as well.
VARYING = (
    (re.compile(r"\bat 0x[0-9a-f]+"), "at 0x"),
    (re.compile(r"started \d+"), "started"),
    # A warm script has frames of ours below its own.
    (re.compile(r"repeated \d+ more times"), "repeated"),
    (re.compile(r"\d{8}-\d{6}-[0-9a-f]{6}"), "RUN"),
)


def _steps() -> dict[str, dict[str, object]]:
    common = {"outputs": {"out": {"path": "/opt/ml/processing/output", "required": False}}}
    steps: dict[str, dict[str, object]] = {
        path.stem: {"script": f"scripts/{path.name}", **common} for path in AWKWARD.glob("*.py")
    }
    for number, how in enumerate(ENDINGS):
        steps[f"ending_{number}"] = {"script": "scripts/ending.py", "args": {"how": how}, **common}
    del steps["ending"]
    steps["entry"] = {"kind": "callable", **steps["entry"]}
    steps["job"] = {"module": "churnless.job", "code_root": "scripts", **common}
    steps["from_code"] = {**steps["identity"], "workdir": "code", "env": {"A": "b"}}
    return {name: {"kind": "processing", **step} for name, step in steps.items()}


@pytest.mark.slow
def test_awkward_scripts_do_the_same_warm_and_cold(project: ProjectFolder) -> None:
    shutil.copytree(AWKWARD, project.root / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
    steps = _steps()
    project.declare(steps=steps, pipelines={"all": {"nodes": list(steps)}})
    warm, cold = (project.run_pipeline(cache=False, cold=cold) for cold in (False, True))
    assert {step.node for step in warm.result.steps if step.cold} == set()
    assert all(step.cold for step in cold.result.steps)
    assert _told(warm, "ending_6").count("Traceback") == 2
    for node in steps:
        assert _observed(warm, node) == _observed(cold, node)


@pytest.mark.slow
def test_the_example_does_the_same_warm_and_cold(project: ProjectFolder) -> None:
    ignored = shutil.ignore_patterns(".mlvalidate", "__pycache__")
    shutil.copytree(CHURN, project.root, ignore=ignored, dirs_exist_ok=True)
    warm, cold = (project.run_pipeline(cache=False, cold=cold) for cold in (False, True))
    assert {step.node for step in warm.result.steps if step.cold} == set()
    assert all(step.cold for step in cold.result.steps)
    for step in warm.result.steps:
        assert _observed(warm, step.node) == _observed(cold, step.node)


def _told(ran: Ran, node: str) -> str:
    return ran.folder.step(node).stderr.read_text()


def _observed(ran: Ran, node: str) -> dict[str, object]:
    """Return everything about a step that has to be the same."""
    step = next(step for step in ran.result.steps if step.node == node)
    texts = {"stdout": ran.folder.step(node).stdout.read_text(), "stderr": _told(ran, node)}
    for pattern, replacement in VARYING:
        texts = {name: pattern.sub(replacement, text) for name, text in texts.items()}
    return {
        "node": node,
        **{name: text.splitlines() for name, text in texts.items()},
        "ended": (step.status, step.exit_code, step.signal, step.command, step.message),
        "findings": [_finding(step, number) for number in range(len(step.findings))],
        "outputs": [
            (port.port, [(file.name, file.rows, file.columns, file.digest) for file in port.files])
            for port in step.outputs
        ],
    }


def _finding(step: StepResult, number: int) -> tuple[str, str, str]:
    finding = step.findings[number]
    return finding.code, finding.severity.value, finding.message
