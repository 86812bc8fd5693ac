"""The search for a small input that makes a step fail, and the inputs that are kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from hypothesis import configuration

from mlvalidate import api
from mlvalidate.core.errors import ExitCode, UsageError
from mlvalidate.core.plan import Origin, Plan
from mlvalidate.core.results import Status
from mlvalidate.engine import exploration
from mlvalidate.engine.sandbox import detect_sandboxing
from tests.projects import ProjectFolder

COLUMNS = {
    "id": {"type": "integer", "min": 1, "max": 10**6},
    "shop": {"type": "string", "foreign_key": "shops.shop"},
    "amount": {"type": "float", "min": 0, "max": 1000},
}
SHOP = {"type": "string", "pattern": "S[0-9]"}
DATASETS = {
    "orders": {"rows": 60, "key": "id", "columns": COLUMNS},
    "shops": {"rows": 4, "key": "shop", "columns": {"shop": SHOP}},
}
PORTS = {
    "raw": {"files": {"orders.csv": "orders"}},
    "shops": {"files": {"shops.csv": "shops"}},
    "extra": {"required": False},
}
READ = """
    import csv
    def read(name):
        with open(f"/opt/ml/processing/input/{name}.csv", newline="") as file:
            return list(csv.DictReader(file))
    rows, shops = read("raw/orders"), {row["shop"] for row in read("shops/shops")}
    assert {row["shop"] for row in rows} <= shops
    open("/opt/ml/processing/output/out/n.txt", "w").write(str(len(rows)))
"""
DIVIDES = READ + "    [1 / float(row['amount']) for row in rows]\n"


def declare(project: ProjectFolder, script: str, **step: object) -> None:
    project.write("step.py", script)
    outputs = {"out": {"files": {"n.txt": "file"}}}
    declared = {"script": "step.py", "inputs": PORTS, "outputs": outputs, **step}
    project.declare(datasets=DATASETS, steps={"step": declared})


def explore(project: ProjectFolder, tries: int, **options: object) -> Plan:
    chosen = api.Options(explore=tries, **options)  # type: ignore[arg-type]
    return api.plan_exploration(project.load(), "step", chosen)


def kept(project: ProjectFolder) -> list[Path]:
    return sorted((project.root / ".mlvalidate" / "cases" / "step").glob("*"))


@pytest.mark.slow
def test_a_failing_input_is_found_shrunk_and_kept(
    project: ProjectFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    declare(project, DIVIDES)
    monkeypatch.chdir(project.root)
    plan = explore(project, 100)
    (case,) = kept(project)
    assert (case / "raw" / "orders.csv").read_text().splitlines()[1:] in (
        [f"1,{shop},0.0"] for shop in (case / "shops" / "shops.csv").read_text().split()[1:]
    )
    about = json.loads((case / "case.json").read_text())
    assert (about["step"], about["findings"][0]["code"]) == ("step", "X201")
    assert [planned.node for planned in plan.steps] == ["step", f"step@case.{case.name}"]
    assert plan.steps[1].inputs[0].origin is Origin.FOLDER
    assert plan.notes[0].endswith(f"it is kept as case.{case.name}.")
    assert plan.command == "mlvalidate test-script step --explore 100"
    assert plan.steps[1].command == f"mlvalidate test-script step --scenario case.{case.name}"
    ran = project.run_step(scenarios=("all",))
    (replayed,) = (step for step in ran.result.steps if step.scenario == f"case.{case.name}")
    assert replayed.status is Status.FAILED
    assert replayed.findings[0].message == "ZeroDivisionError: float division by zero"
    names = sorted(path.name for path in project.root.iterdir())
    assert names == [".mlvalidate", "mlvalidate.yaml", "step.py"]


def test_the_run_behind_a_search_fails_with_the_kept_input(project: ProjectFolder) -> None:
    declare(project, DIVIDES)
    plan = explore(project, 100)
    result = api.execute(project.load(), plan, record=False)
    assert result.exit_code is ExitCode.FAILED
    assert [step.status for step in result.steps] == [Status.PASSED, Status.FAILED]
    assert result.notes[0] == plan.notes[0]
    project.write("step.py", READ)
    repaired = project.run_step(scenarios=("case",))
    assert repaired.result.exit_code is ExitCode.PASSED


def test_the_same_seed_gives_the_same_search(project: ProjectFolder) -> None:
    declare(project, READ + "    assert len(rows) > 2\n")
    first, second = explore(project, 20), explore(project, 20)
    assert first.notes == second.notes
    assert len(kept(project)) == 1


def test_nothing_fails(project: ProjectFolder) -> None:
    ml = "/opt/ml/processing"
    files = f"'{ml}/input/raw/orders.csv', '{ml}/output/out/o.csv'"
    copy = f"    import shutil; shutil.copy({files})\n"
    datasets = {**DATASETS, "copies": {"reference": "input", "columns": COLUMNS}}
    declare(project, READ + copy, outputs={"out": {"files": {"n.txt": "file", "o.csv": "copies"}}})
    content = yaml.safe_load((project.root / "mlvalidate.yaml").read_text())
    project.declare(**{**content, "datasets": datasets})
    seen: list[tuple[int, bool]] = []
    plan = api.plan_exploration(
        project.load(), "step", api.Options(explore=4), lambda *seen_: seen.append(seen_)
    )
    assert plan.kind == "script"
    assert plan.notes == ("Explored 4 small inputs: none made the step fail.",)
    assert seen == [(1, False), (2, False), (3, False), (4, False)]
    assert not kept(project)


@pytest.mark.slow
def test_a_step_that_needs_many_rows_gets_them(project: ProjectFolder) -> None:
    declare(project, "\n    " + DIVIDES + "    assert len(rows) >= 50, 'too few rows'\n")
    plan = explore(project, 100)
    assert "small inputs, each with 60 standard rows behind it: the last one" in plan.notes[0]
    (case,) = kept(project)
    rows = (case / "raw" / "orders.csv").read_text().splitlines()[1:]
    assert len(rows) == 61
    assert sum(row.endswith(",0.0") for row in rows) == 1


def test_the_contract_may_let_a_step_reject_what_is_small(project: ProjectFolder) -> None:
    declare(project, DIVIDES, expect={"case": "tolerate"})
    assert explore(project, 5).notes[0].startswith("Explored 5 small inputs: none")


def test_what_can_not_be_explored(project: ProjectFolder) -> None:
    declare(project, READ + "    raise SystemExit('never')\n")
    with pytest.raises(UsageError, match="step fails on standard data already: X201"):
        explore(project, 5)
    declare(project, READ, inputs={})
    with pytest.raises(UsageError, match="draws synthetic tables, and step step takes none"):
        explore(project, 5)
    with pytest.raises(UsageError, match="no input is kept"):
        project.run_step(scenarios=("case",))
    with pytest.raises(UsageError, match="no input 'abc' is kept for step step"):
        project.run_step(scenarios=("case.abc",))


def test_an_interrupt_ends_the_search(
    project: ProjectFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    declare(project, READ)
    plan = api.plan_script(project.load(), "step")
    calls: list[int] = []
    sandboxing = detect_sandboxing()
    with pytest.raises(KeyboardInterrupt):
        exploration.explore(
            project.load(), plan, 50, sandboxing, lambda: len(calls) > 1,
            lambda number, _failed: calls.append(number),
        )  # fmt: skip
    assert calls == [1, 2]
    assert not kept(project)


def test_hypothesis_keeps_its_own_home(
    project: ProjectFolder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(configuration, "__hypothesis_home_directory", tmp_path / "home")
    declare(project, DIVIDES)
    explore(project, 4)
    assert configuration.storage_directory().path == tmp_path / "home"
