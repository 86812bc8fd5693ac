"""What each check of a step came to: passed only where there was something to look at."""

from __future__ import annotations

from dataclasses import replace

import pytest
from checks_evidence import make_evidence, make_outcome

from mlvalidate.checks.registry import all_checks, examine_step
from mlvalidate.core.results import CheckOutcome, CheckResult, StepResult
from tests.projects import ProjectFolder

SCRIPT = """
import sys
from pathlib import Path

if "stop" in sys.argv:
    sys.exit("no such file")
if (Path("/opt/ml/processing/input/raw/raw.csv").read_text().split("\\n")[0]) != "id,amount":
    raise ValueError("the column amount is missing")
out = Path("/opt/ml/processing/output")
(out / "table").mkdir(parents=True, exist_ok=True)
(out / "table/table.csv").write_text("id,amount\\n1,2.5\\n2,-1.0\\n2,1.0\\n")
(out / "notes").mkdir(parents=True, exist_ok=True)
(out / "notes/notes.txt").write_text("none")
"""
COLUMNS = {"id": {"type": "integer", "unique": True}, "amount": {"type": "float", "min": 0}}


@pytest.fixture
def declared(project: ProjectFolder) -> ProjectFolder:
    project.write("step.py", SCRIPT)
    project.declare(
        datasets={"amounts": {"columns": {**COLUMNS, "id": {"type": "integer"}}, "rows": 5}},
        steps={
            "step": {
                "script": "step.py",
                "inputs": {"raw": {"files": {"raw.csv": "amounts"}}},
                "outputs": {"table": {"files": {"table.csv": "amounts"}}, "notes": {}},
                "checks": [
                    {"rows": {"from": "raw", "to": "table", "ratio": [0.1, 1]}},
                    {"disjoint": {"between": ["table", "notes"], "on": "id"}},
                    {"unique": {"port": "table", "on": ["id"]}},
                    {"unique": {"port": "notes", "on": ["id"]}},
                    {"foreign_key": {"from": "table.id", "to": "notes.id"}},
                    {"no_label_in": {"ports": "table"}},
                    {"known_categories": {"known": "table", "ports": "raw"}},
                    {"same_schema": {"ports": ["table", "notes"]}},
                    {"json_schema": {"file": "notes/x.json", "schema": "schema.json"}},
                    "finite",
                    "inputs_unchanged",
                ],
            }
        },
    )
    project.write("schema.json", "{}")
    return project


def of_declared(step: StepResult) -> dict[str, tuple[str, str]]:
    return {c.name: (c.outcome.value, c.reason) for c in step.checks if c.name[0].islower()}


def by_name(checks: tuple[CheckResult, ...]) -> dict[str, CheckResult]:
    return {check.name: check for check in checks}


def test_declared_checks(declared: ProjectFolder) -> None:
    step = declared.run_step(seed=1).step
    assert of_declared(step) == {
        "rows (from: raw; to: table; ratio: 0.1, 1.0)": ("passed", ""),
        "disjoint (between: table, notes; on: id)": ("skipped", "notes holds no table"),
        "unique (port: table; on: id)": ("failed", ""),
        "unique (port: notes; on: id)": ("skipped", "notes holds no table"),
        "foreign_key (from: table.id; to: notes.id)": ("skipped", "notes holds no table"),
        "no_label_in (ports: table)": ("skipped", "no table has a label, and none is named"),
        "known_categories (known: table; ports: raw)": ("skipped", "table holds no categories"),
        "same_schema (ports: table, notes)": ("skipped", "there are no two tables to compare"),
        "json_schema (file: notes/x.json; schema: schema.json)": (
            "skipped",
            "notes/x.json is not there",
        ),
        "finite": ("passed", ""),
        "inputs_unchanged": ("passed", ""),
    }
    others = by_name(step.checks)
    # `min` is declared; neither categories nor a key are.
    assert others["ValueOutOfRange"].outcome is CheckOutcome.FAILED
    assert others["ColumnMissing"].outcome is CheckOutcome.PASSED
    assert not {"ValueUnknown", "KeyRepeated", "RuleBroken", "EdgeBroken"} & others.keys()
    # Each finding is some check's, and each failed check has findings.
    assert all(any(check.has(f) for check in step.checks) for f in step.findings)
    assert all(check.messages for check in step.checks if check.outcome is CheckOutcome.FAILED)


def test_a_failed_script_passes_no_check_of_outputs(declared: ProjectFolder) -> None:
    text = (declared.root / "mlvalidate.yaml").read_text()
    declared.write(
        "mlvalidate.yaml", text.replace("script: step.py", "script: step.py\n    args: [stop]")
    )
    step = declared.run_step().step
    assert set(of_declared(step).values()) == {("skipped", "the script failed")}
    assert {check.code[0] for check in step.checks if not check.reason} == {"X"}
    assert by_name(step.checks)["ScriptFailed"].outcome is CheckOutcome.FAILED


def test_data_that_has_to_be_rejected(declared: ProjectFolder) -> None:
    step = declared.run_step(scenarios=("missing_column.amount",)).step
    assert step.rejection
    assert by_name(step.checks)["expect reject"].outcome is CheckOutcome.PASSED
    assert "ScriptFailed" not in by_name(step.checks)
    declared.write("step.py", SCRIPT.replace('!= "id,amount"', '== ""'))
    step = declared.run_step(scenarios=("missing_column.amount",)).step
    accepted = by_name(step.checks)["expect reject"]
    assert (accepted.code, accepted.outcome) == ("X220", CheckOutcome.FAILED)
    assert "ValueOutOfRange" not in by_name(step.checks)


def test_nothing_to_look_at_passes_nothing() -> None:
    bare = make_evidence(outcome=make_outcome(exit_code=0), without_outputs=True)
    findings, checks = examine_step(replace(bare, in_sandbox=False))
    assert not findings
    assert {check.code[0] for check in checks} == {"X"}
    # Connections would not have been noticed.
    assert "X207" not in {check.code for check in checks}


def test_every_check_can_say_what_it_looks_at() -> None:
    evidence = make_evidence(outcome=make_outcome(exit_code=0))
    for check in all_checks():
        for judgement in check().judgements(evidence):
            assert isinstance(judgement.nothing_there(), str)
            assert judgement.name
