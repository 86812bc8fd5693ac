"""Reports that a process renders when a run is over."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import pytest

from mlvalidate.core.contracts import Reports
from mlvalidate.core.errors import UsageError
from mlvalidate.core.results import Status
from mlvalidate.data.reports.log import read_done
from mlvalidate.data.reports.orders import ReportPlan
from mlvalidate.engine import renderer, report_desk
from mlvalidate.engine.beside import is_held
from tests.projects import ProjectFolder, Ran

SCRIPT = """
import pandas as pd
for name in ("a", "b"):
    frame = pd.DataFrame({f"c{i}": range(30) for i in range(8)})
    frame.to_csv(f"/opt/ml/processing/output/{name}.csv", index=False)
"""


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 240
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def plan_of(ran: Ran) -> ReportPlan:
    return ReportPlan.model_validate_json(ran.folder.reports_plan.read_text())


@pytest.fixture
def not_rendered(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object, **_options: object) -> None:
        raise OSError(12, "Cannot allocate memory")

    monkeypatch.setattr(report_desk, "start_beside", refuse)


@pytest.mark.slow
def test_reports_are_rendered_behind_the_run(project: ProjectFolder) -> None:
    project.declare_step(SCRIPT)
    ran = project.run_step(reports=Reports.ALL)
    wait_for(lambda: not is_held(ran.folder.reports_lock))

    assert [(done.table, done.problem) for done in read_done(ran.folder.reports_log)] == [
        ("a.csv", ""),
        ("b.csv", ""),
    ]
    target = ran.folder.report("step", "out", "a.csv")
    content = json.loads(target.with_name("a.csv.json").read_text())
    assert content["mlvalidate"]["rows"] == 30
    assert "<section" in target.with_name("a.csv.html").read_text()


@pytest.mark.usefixtures("not_rendered")
def test_a_budget_for_all_reports(project: ProjectFolder) -> None:
    project.write("step.py", SCRIPT)
    step = {"script": "step.py", "outputs": {"out": {"path": "/opt/ml/processing/output"}}}
    project.declare(defaults={"report_columns": 10}, steps={"step": step})
    ran = project.run_step(reports=Reports.ALL)
    assert ran.result.status is Status.PASSED
    orders = plan_of(ran).orders
    assert [(len(o.columns), len(o.over_budget)) for o in orders] == [(5, 3), (5, 3)]


@pytest.mark.usefixtures("not_rendered")
def test_a_run_has_a_bounded_number_of_reports(
    project: ProjectFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report_desk, "MOST_REPORTS", 1)
    project.declare_step(SCRIPT)
    ran = project.run_step(reports=Reports.ALL)
    assert ran.result.notes == ("A run has at most 1 reports: there is none of step.out/b.csv.",)
    assert len(plan_of(ran).orders) == 1


@pytest.mark.usefixtures("not_rendered")
@pytest.mark.parametrize("fails", [True, False])
def test_reports_of_failed_steps(project: ProjectFolder, fails: bool) -> None:
    project.declare_step(SCRIPT + ("\nraise SystemExit(3)" if fails else ""))
    ran = project.run_step(reports=Reports.FAILED)
    assert ran.folder.reports_plan.exists() is fails


def test_the_environment_names_the_default(
    project: ProjectFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlvalidate import api

    project.declare_step(SCRIPT)
    loaded = project.load()
    assert api.plan_script(loaded, "step").reports is Reports.NONE
    monkeypatch.setenv("MLVALIDATE_REPORTS", "failed")
    assert api.plan_script(loaded, "step").reports is Reports.FAILED
    monkeypatch.delenv("MLVALIDATE_REPORTS")
    assert api.plan_script(loaded, "step").reports is Reports.ALL
    monkeypatch.setenv("MLVALIDATE_REPORTS", "some")
    with pytest.raises(UsageError, match="MLVALIDATE_REPORTS is 'some'"):
        api.plan_script(loaded, "step")


@pytest.mark.slow
@pytest.mark.usefixtures("not_rendered")
def test_a_report_that_can_not_be_rendered_does_not_end_the_others(
    project: ProjectFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.declare_step(SCRIPT)
    ran = project.run_step(reports=Reports.ALL)
    first, second = plan_of(ran).orders
    torn = first.sample.with_name("a.csv.parquet")
    torn.write_bytes(b"torn")
    monkeypatch.setattr("sys.argv", ["renderer", str(ran.folder.root)])
    monkeypatch.setattr("os.nice", lambda _n: 0)
    before = [renderer.signal.getsignal(n) for n in (2, 14)]
    try:
        assert renderer.main() == 0
    finally:
        for number, handler in zip((2, 14), before, strict=True):
            renderer.signal.signal(number, handler)
    done = read_done(ran.folder.reports_log)
    assert [d.table for d in done] == [first.table, second.table]
    assert done[0].problem.startswith("ArrowInvalid")
    assert done[1].problem == ""
