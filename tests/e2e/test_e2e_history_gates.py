"""Gates on history, from a first run that has none to a run that breaks them."""

from __future__ import annotations

import json
import subprocess
import sys

from tests.projects import ProjectFolder

STEP = """
    import csv

    with open("/opt/ml/processing/output/out.csv", "w") as file:
        csv.writer(file).writerows([["a", {name!r}], *([n, n] for n in range(60))])
"""
GATES = ["new_findings == 0", "schema_changes == 0", "write.regression.duration <= 20%"]


def run(project: ProjectFolder, *words: str) -> tuple[int, dict[str, object]]:
    done = subprocess.run(
        [sys.executable, "-m", "mlvalidate", "test-pipeline", "--json", "--no-cache", *words],
        cwd=project.root,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def said(result: dict[str, object]) -> list[str]:
    return [f"{each['code']} {each['message']}" for each in result["findings"]]  # type: ignore[attr-defined]


def test_a_run_is_judged_by_those_before_it(project: ProjectFolder) -> None:
    outputs = {"out": {"path": "/opt/ml/processing/output"}}
    project.write("write.py", STEP.format(name="b"))
    project.declare(
        steps={"write": {"script": "write.py", "outputs": outputs}},
        pipelines={"p": {"nodes": ["write"]}},
        gates=GATES,
    )
    code, first = run(project)
    assert code == 0
    assert [line.partition(":")[0] for line in said(first)] == [
        f"G603 gate {gate} was not judged" for gate in GATES
    ]
    baseline = first["run_id"]

    code, second = run(project)
    assert code == 0
    # The same code twice: nothing to compare it with yet.
    assert [line.partition(":")[0] for line in said(second)] == [
        f"G603 gate {GATES[2]} was not judged"
    ]

    project.write("write.py", STEP.format(name="c"))
    code, third = run(project)
    assert code == 1
    assert third["status"] == "failed"
    assert said(third)[0] == (
        "G601 gate schema_changes == 0 does not hold: it is 1, "
        f"baseline {second['run_id']}: write.out/out.csv"
    )
    assert baseline != second["run_id"]
