"""Gates on figures of a run: G601 and G602."""

from __future__ import annotations

import pytest

from mlvalidate.checks.gates import judge_gates
from mlvalidate.core.contracts import Project
from mlvalidate.core.findings import Severity
from mlvalidate.core.plan import DataSource
from mlvalidate.core.results import PipelineResult, Status, StepResult, Usage
from tests.projects import ProjectFolder


def make_result(
    *steps: tuple[str, Status], kind: str = "pipeline", **metrics: float
) -> PipelineResult:
    return PipelineResult.model_validate(
        {
            "run_id": "r",
            "kind": kind,
            "name": "p",
            "project": "demo",
            "status": Status.PASSED,
            "started_at": 10.0,
            "finished_at": 12.5,
            "data_source": DataSource.SYNTHETIC,
            "scenario": "standard",
            "seed": 0,
            "command": "mlvalidate test-pipeline p",
            "steps": [
                StepResult(
                    node=node,
                    step=node,
                    kind="processing",
                    entry_point="x.py",
                    status=status,
                    started_at=0,
                    finished_at=1,
                    usage=Usage(duration_s=3.0),
                    metrics=metrics,
                )
                for node, status in steps
            ],
        }
    )


def judge(gate: str, result: PipelineResult) -> list[tuple[str, str, str | None]]:
    project = Project.model_validate(
        {"version": 1, "project": "demo", "steps": {"x": {"script": "x.py"}}, "gates": [gate]}
    )
    found = tuple(judge_gates(project, result))
    assert all(finding.severity is Severity.ERROR for finding in found)
    assert all(finding.reproduce == result.command for finding in found)
    return [(finding.code, finding.message, finding.step) for finding in found]


PASSED = ("evaluate", Status.PASSED)


@pytest.mark.parametrize(
    ("gate", "shown"),
    [
        ("evaluate.auc >= 0.7", None),
        ("evaluate.auc > 0.8", "0.75"),
        ("evaluate.auc == 0.75", None),
        ("evaluate.auc != 0.75", "0.75"),
        ("evaluate.auc <= 0.5", "0.75"),
        ("evaluate.auc < 0.75", "0.75"),
        ("evaluate.duration_s <= 3", None),
        ("evaluate.duration_s < 3", "3"),
    ],
)
def test_a_gate_on_a_step(gate: str, shown: str | None) -> None:
    message = f"gate {gate} does not hold: it is {shown}"
    expected = [("G601", message, "evaluate")] if shown else []
    assert judge(gate, make_result(PASSED, auc=0.75)) == expected


def test_a_gate_on_the_run() -> None:
    assert judge("duration_s <= 2.5", make_result(PASSED)) == []
    assert judge("duration_s <= 2", make_result(PASSED)) == [
        ("G601", "gate duration_s <= 2 does not hold: it is 2.5", None)
    ]


def test_a_value_is_not_rounded_to_the_threshold() -> None:
    ((_, message, _),) = judge("evaluate.auc >= 0.7", make_result(PASSED, auc=0.69999999))
    assert message.endswith("it is 0.69999999")


def test_a_figure_that_the_run_does_not_have() -> None:
    assert judge("evaluate.f1 >= 0.7", make_result(PASSED, auc=0.75)) == [
        ("G602", "gate evaluate.f1 >= 0.7: the run has no value for evaluate.f1", "evaluate")
    ]


@pytest.mark.parametrize("status", [Status.FAILED, Status.SKIPPED, Status.INTERRUPTED])
def test_a_step_that_failed_says_so_itself(status: Status) -> None:
    assert judge("evaluate.f1 >= 0.7", make_result(("evaluate", status))) == []


def test_a_failed_step_is_judged_by_what_it_has() -> None:
    ((code, _, _),) = judge("evaluate.duration_s < 1", make_result(("evaluate", Status.FAILED)))
    assert code == "G601"


def test_a_step_that_is_not_part_of_the_run() -> None:
    assert judge("other.auc >= 0.7", make_result(PASSED)) == []


def test_a_script_test_is_judged_by_its_findings_only() -> None:
    result = make_result(PASSED, kind="script", auc=0.1)
    assert judge("duration_s <= 1", result) == []
    assert judge("findings.error == 1", result)[0][0] == "G601"
    assert judge("evaluate.auc > 0.5", result)[0][0] == "G601"


def test_gates_fail_a_real_run(project: ProjectFolder) -> None:
    project.write("step.py", "open('/opt/ml/processing/output/out/x', 'w').write('x')")
    project.declare(
        steps={"step": {"script": "step.py", "outputs": {"out": {}}}},
        pipelines={"p": {"nodes": ["step"]}},
        gates=["step.duration_s < 0.00001", "findings.error == 0", "duration_s < 100"],
    )
    ran = project.run_pipeline()
    assert ran.codes == ["G601"]
    assert ran.finding("G601").step == "step"
    assert ran.result.status is Status.FAILED
    assert ran.step.status is Status.PASSED
