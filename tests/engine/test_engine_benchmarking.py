"""A step on several volumes: what is measured, fitted, predicted and found."""

from __future__ import annotations

import pytest

from mlvalidate import api
from mlvalidate.core.errors import UsageError
from mlvalidate.core.plan import SkipReason
from mlvalidate.core.results import PipelineResult, Status, StepResult, Usage
from mlvalidate.engine.benchmarking import conclude_benchmark
from tests.projects import ProjectFolder

COPY = """
    text = open("/opt/ml/processing/input/raw/t.csv").read()
    if text.count("\\n") > LIMIT:
        raise SystemExit("too many")
    open("/opt/ml/processing/output/out/t.csv", "w").write(text)
"""


def declare(project: ProjectFolder, limit: int = 10**9, **more: object) -> None:
    project.write("step.py", COPY.replace("LIMIT", str(limit)))
    port = {"files": {"t.csv": "t"}}
    step = {"script": "step.py", "inputs": {"raw": port}, "outputs": {"out": port}, **more}
    columns = {"a": {"type": "integer", "min": 0}}
    dataset = {"rows": 20, "columns": columns, "reference": "input"}
    project.declare(datasets={"t": dataset}, steps={"step": step}, gates=["step.rows.out == 20"])


def benchmark(project: ProjectFolder, volumes: tuple[int, ...], repeat: int) -> PipelineResult:
    opened = api.open_project(project.root)
    plan = api.plan_benchmark(opened, "step", volumes, repeat)
    return api.execute(opened, plan, record=False)


def test_each_volume_is_measured_in_each_round(project: ProjectFolder) -> None:
    declare(project, checks=["deterministic"])
    result = benchmark(project, (30, 10), 2)
    assert result.status is Status.PASSED, result.all_findings
    assert [(step.node, step.rows["out"]) for step in result.steps] == [
        ("step@10.1", 10),
        ("step@30.1", 30),
        ("step@10.2", 10),
        ("step@30.2", 30),
    ]
    assert result.benchmark is not None
    assert [(v.rows, v.measurements) for v in result.benchmark.volumes] == [(10, 2), (30, 2)]
    # Two volumes tell no curve.
    assert result.benchmark.duration_s is None


def test_after_a_failure_no_more_rows_are_tried(project: ProjectFolder) -> None:
    declare(project, limit=25)
    result = benchmark(project, (10, 30, 50), 2)
    assert result.status is Status.FAILED
    by_node = {step.node: step for step in result.steps}
    assert [node for node, step in by_node.items() if step.status is Status.PASSED] == [
        "step@10.1",
        "step@10.2",
    ]
    skipped = by_node["step@50.1"]
    assert (skipped.skip_reason, skipped.skip_detail) == (SkipReason.SMALLER_FAILED, "step@30.1")
    assert by_node["step@30.2"].skip_reason is SkipReason.SMALLER_FAILED


def test_a_step_without_synthetic_tables_has_nothing_to_grow(project: ProjectFolder) -> None:
    project.write("step.py", "")
    project.declare(steps={"step": {"script": "step.py"}})
    with pytest.raises(UsageError, match="nothing that step reads can grow"):
        api.plan_benchmark(api.open_project(project.root), "step", (10,), 1)


def grown(project: ProjectFolder, exponent: float, **contract: object) -> PipelineResult:
    """Return the result of measurements that took exactly so long."""
    declare(project, **contract)
    opened = api.open_project(project.root)
    plan = api.plan_benchmark(opened, "step", (1000, 10_000, 100_000), 2)
    steps = []
    for number, planned in enumerate(plan.steps):
        rows = planned.rows or 0
        noise = 1 + 0.01 * (-1) ** number
        usage = Usage(
            duration_s=noise * (0.2 + rows**exponent / 1e6), cpu_s=0.1, peak_rss_mb=10 * noise
        )
        passed = StepResult.of(planned, Status.PASSED, 0, 1)
        steps.append(passed.model_copy(update={"usage": usage}))
    found = conclude_benchmark(plan, steps)
    result = PipelineResult.of(plan, "run", Status.PASSED, 0, 1)
    return result.model_copy(update={"steps": tuple(steps), "benchmark": found})


@pytest.mark.parametrize(("exponent", "kind"), [(1.0, "n"), (2.0, "n^2")])
def test_the_exponent_is_found(project: ProjectFolder, exponent: float, kind: str) -> None:
    found = grown(project, exponent, volume="1M").benchmark
    assert found is not None
    assert found.duration_s is not None
    assert found.duration_s.kind == kind
    assert found.duration_s.exponent.value == pytest.approx(exponent, abs=0.1)
    predicted = found.duration_s.predicted
    assert predicted is not None
    assert predicted.low is not None
    assert predicted.high is not None
    assert predicted.low <= 0.2 + 1e6**exponent / 1e6 <= predicted.high
    assert found.peak_rss_mb is not None
    assert found.peak_rss_mb.kind == "constant"


def test_without_a_volume_nothing_is_predicted(project: ProjectFolder) -> None:
    found = grown(project, 1.0).benchmark
    assert found is not None
    assert found.duration_s is not None
    assert found.duration_s.predicted is None
