"""What a step is said to have done with the data of a scenario."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlvalidate import api
from mlvalidate.core.errors import ExitCode, UsageError
from mlvalidate.core.plan import DataSource, SkipReason
from mlvalidate.core.results import Status, StepResult
from tests.projects import ProjectFolder, Ran

ORDERS = {
    "rows": 30,
    "key": "id",
    "columns": {
        "id": {"type": "string", "pattern": "O[0-9]{6}"},
        "amount": {"type": "float", "min": 0, "max": 100},
        "plan": {"type": "category", "values": ["basic", "plus"]},
    },
}
READ = """
    import csv, sys
    with open("/opt/ml/processing/input/raw/orders.csv", newline="") as file:
        rows = list(csv.DictReader(file))
"""
WRITE = """
    with open("/opt/ml/processing/output/out/orders.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, ["id", "amount", "plan"], extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
"""
CAREFUL = """
    assert rows, "there are no orders"
    assert not {"id", "amount", "plan"} - set(rows[0]), f"columns are {list(rows[0])}"
    assert len({row["id"] for row in rows}) == len(rows), "ids repeat"
    for row in rows:
        assert None not in row and all(row[name] for name in ("id", "amount", "plan")), row
        assert row["plan"] in ("basic", "plus"), row
        assert 0 <= float(row["amount"]) <= 100, row
"""


def declare(project: ProjectFolder, script: str, **step: object) -> None:
    project.write("step.py", script)
    step = {
        "script": "step.py",
        "inputs": {"raw": {"files": {"orders.csv": "orders"}}},
        "outputs": {"out": {"files": {"orders.csv": "orders"}}},
        **step,
    }
    project.declare(datasets={"orders": ORDERS}, steps={"step": step})


def by_case(ran: Ran) -> dict[str, StepResult]:
    return {step.scenario: step for step in ran.result.steps}


def test_a_careful_script_passes_every_case(project: ProjectFolder) -> None:
    declare(project, READ + CAREFUL + WRITE)
    ran = project.run_step(scenarios=("all",), rows=30)
    cases = by_case(ran)
    assert ran.result.kind == "matrix"
    assert ran.result.exit_code is ExitCode.PASSED, [f.message for f in ran.result.all_findings]
    assert cases["standard"].node == "step"
    assert cases["edge.one_row"].node == "step@edge.one_row"
    assert cases["empty"].status is Status.PASSED
    assert cases["empty"].rejection == "AssertionError: there are no orders"
    skipped = cases["missing.more_nulls"]
    assert skipped.skip_reason is SkipReason.NOT_APPLICABLE
    assert skipped.skip_detail == "orders: no column declares `null`"
    assert all(step.status is not Status.FAILED for step in cases.values())


def test_a_careless_script_is_told_what_it_lets_in(project: ProjectFolder) -> None:
    declare(project, READ + WRITE)
    ran = project.run_step(scenarios=("out_of_range", "duplicate_keys", "extra_column"))
    accepted = [step for step in ran.result.steps if step.status is Status.FAILED]
    assert [step.scenario for step in accepted] == ["out_of_range.amount", "duplicate_keys"]
    (finding,) = accepted[0].findings
    assert (finding.code, finding.column) == ("X220", "amount")
    assert "its outputs break the contract" in finding.message
    assert finding.evidence[0].startswith("F319")
    assert finding.reproduce.startswith("mlvalidate test-script step")
    assert finding.reproduce.endswith("--scenario out_of_range.amount")
    assert "`expect: {out_of_range.amount: tolerate}`" in finding.hint


def test_a_script_that_swallows_everything_is_caught(project: ProjectFolder) -> None:
    swallow = f"""
    import traceback
    try:
        {READ.strip().replace(chr(10), chr(10) + "    ")}
        amounts = [float(row["amount"]) for row in rows]
    except Exception:
        traceback.print_exc()
        rows = [{{"id": "O000001", "amount": 1, "plan": "basic"}}]
    import csv
    """
    declare(project, swallow + WRITE)
    ran = project.run_step(scenarios=("missing_column.amount",))
    finding = ran.finding("X220")
    assert any(example.startswith("X211") for example in finding.evidence)


def test_failing_without_a_word_is_no_rejection(project: ProjectFolder) -> None:
    declare(project, READ + "    if not rows: sys.exit(1)\n" + WRITE)
    ran = project.run_step(scenarios=("empty",))
    assert ran.codes == ["X221"]
    assert ran.step.rejection == ""


def test_a_signal_is_no_rejection(project: ProjectFolder) -> None:
    kill = "    import os\n    if not rows:\n        os.kill(os.getpid(), 9)\n"
    declare(project, READ + kill + WRITE)
    ran = project.run_step(scenarios=("empty",))
    assert "SIGKILL" in ran.finding("X221").message


def test_the_contract_can_tolerate_or_demand(project: ProjectFolder) -> None:
    expect = {"empty": "tolerate", "out_of_range": "pass", "duplicate_keys": "tolerate"}
    declare(project, READ + WRITE, expect=expect)
    cases = by_case(project.run_step(scenarios=("empty", "out_of_range", "duplicate_keys")))
    (finding,) = cases["empty"].findings
    assert finding.message == "output out: orders.csv has columns but no rows"
    # Within the contract or not: outputs have to keep to theirs.
    assert [f.code for f in cases["out_of_range.amount"].findings] == ["F319"]
    assert [f.code for f in cases["duplicate_keys"].findings] == ["F323"]


def test_a_constant_input_excuses_a_constant_output(project: ProjectFolder) -> None:
    declare(project, READ + WRITE)
    assert project.run_step(scenarios=("edge.all_same",)).codes == []
    assert project.run_step(scenarios=("edge.all_same",)).step.rows == {"out": 30}


def test_only_standard_data_is_run_a_second_time(project: ProjectFolder) -> None:
    declare(project, READ + WRITE, checks=["deterministic"])
    ran = project.run_step(scenarios=("standard", "drifted"))
    assert ran.folder.step("step").root.joinpath("reruns").is_dir()
    assert not ran.folder.step("step@drifted").root.joinpath("reruns").exists()


def test_a_case_without_possible_data_is_skipped(project: ProjectFolder) -> None:
    declare(project, READ + WRITE)
    declared = project.root / "mlvalidate.yaml"
    declared.write_text(declared.read_text().replace("O[0-9]{6}", '"[a-z][a-e]"'))
    ran = project.run_step(scenarios=("large",))
    assert ran.step.skip_reason is SkipReason.NOT_APPLICABLE
    assert "different values" in ran.step.skip_detail
    assert ran.result.exit_code is ExitCode.NOTHING_RAN


def declare_pipeline(project: ProjectFolder, script: str) -> None:
    project.write("first.py", script)
    project.write("second.py", READ + WRITE)
    port = {"files": {"orders.csv": "orders"}}
    step = {"inputs": {"raw": port}, "outputs": {"out": port}}
    project.declare(
        datasets={"orders": ORDERS},
        steps={"first": {"script": "first.py", **step}, "second": {"script": "second.py", **step}},
        pipelines={"both": {"nodes": ["first", "second"], "edges": {"second.raw": "first.out"}}},
        gates=["first.rows.out >= 30"],
    )


def test_a_pipeline_that_rejects_is_passed(project: ProjectFolder) -> None:
    declare_pipeline(project, READ + CAREFUL + WRITE)
    ran = project.run_pipeline(scenarios=("missing_column.plan",))
    first, second = ran.result.steps
    assert first.status is Status.PASSED
    assert first.rejection.startswith("AssertionError: columns are")
    assert (second.skip_reason, second.skip_detail) == (SkipReason.UPSTREAM_REJECTED, "first")
    assert ran.result.exit_code is ExitCode.PASSED


def test_a_pipeline_on_unusual_data_is_not_judged_by_gates(project: ProjectFolder) -> None:
    declare_pipeline(project, READ + CAREFUL + WRITE)
    ran = project.run_pipeline(scenarios=("edge.one_row",))
    assert ran.result.exit_code is ExitCode.PASSED
    assert [step.rows for step in ran.result.steps] == [{"out": 1}, {"out": 1}]
    assert "gates are for standard data" in ran.result.notes[0]
    assert [step.scenario for step in ran.result.steps] == ["edge.one_row"] * 2


def test_what_cannot_be_asked_for(project: ProjectFolder, tmp_path: Path) -> None:
    declare_pipeline(project, READ + WRITE)
    loaded = project.load()
    with pytest.raises(UsageError, match="edge has 6"):
        api.plan_pipeline(loaded, None, api.Options(scenarios=("edge",)))
    with pytest.raises(UsageError, match="nothing to act on"):
        api.plan_pipeline(loaded, None, api.Options(scenarios=("missing.more_nulls",)))
    with pytest.raises(UsageError, match="there is no scenario 'edgy'"):
        api.plan_script(loaded, "first", api.Options(scenarios=("edgy",)))
    with pytest.raises(UsageError, match="asks for samples"):
        api.plan_script(loaded, "first", api.Options(DataSource.SAMPLE, scenarios=("empty",)))
    with pytest.raises(UsageError, match="--data-dir gives raw"):
        options = api.Options(data_dirs={"raw": tmp_path}, scenarios=("empty",))
        api.plan_script(loaded, "first", options)


def test_expectations_are_checked_when_the_project_is_read(project: ProjectFolder) -> None:
    declare(project, READ, expect={"missing_column.amuont": "pass"})
    with pytest.raises(UsageError, match="no input has the column 'amuont'"):
        project.load()
    declare(project, READ, expect={"edge.one_rwo": "pass"})
    with pytest.raises(UsageError, match="no case 'one_rwo'"):
        project.load()
