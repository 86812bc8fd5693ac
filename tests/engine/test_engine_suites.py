"""All tests of a project, run for real."""

from __future__ import annotations

import sqlite3

import pytest

from mlvalidate import api
from mlvalidate.core.contracts import Reports
from mlvalidate.core.errors import ExitCode
from mlvalidate.core.events import Event, RunFinished, SampleTaken
from mlvalidate.core.results import Status
from mlvalidate.engine import interruption
from tests.projects import ProjectFolder

OUT = {"out": {"path": "/opt/ml/processing/output"}}
WRITE = "open('/opt/ml/processing/output/done.txt', 'w').write('x')\n"


def declare(project: ProjectFolder, script: str = WRITE) -> None:
    """Declare a step that runs alone, one that only the pipeline feeds, one that nothing does."""
    project.write("step.py", script)
    needy = {"inputs": {"raw": {"path": "/opt/ml/processing/raw"}}, "outputs": OUT}
    project.declare(
        steps={
            "make": {"script": "step.py", "outputs": OUT},
            "change": {"script": "step.py", **needy},
            "lonely": {"script": "step.py", **needy},
        },
        pipelines={"p": {"nodes": ["make", "change"], "edges": {"change.raw": "make.out"}}},
    )


def test_every_pipeline_and_every_step_that_can_be_run_alone(project: ProjectFolder) -> None:
    declare(project)
    loaded = project.load()
    suite = api.plan_all(loaded)
    assert [(plan.kind, plan.name) for plan in suite.plans] == [
        ("pipeline", "p"),
        ("script", "make"),
    ]
    assert [(item.name, item.covered_by) for item in suite.left_out] == [
        ("change", ("p",)),
        ("lonely", ()),
    ]
    assert "--data-dir raw=" in suite.left_out[1].hint
    assert suite.command.startswith("mlvalidate test-all")


def test_steps_alone_have_no_reports_unless_they_are_asked_for(
    project: ProjectFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLVALIDATE_REPORTS")
    declare(project)
    loaded = project.load()
    usual = [plan.reports for plan in api.plan_all(loaded).plans]
    assert usual == [Reports.ALL, Reports.NONE]
    asked = api.plan_all(loaded, api.Options(reports=Reports.FAILED))
    assert [plan.reports for plan in asked.plans] == [Reports.FAILED, Reports.FAILED]


def test_each_run_is_recorded_on_its_own_by_one_recorder(
    project: ProjectFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlvalidate.tracking import launch

    started = []
    start = launch._start

    def counted() -> object:
        started.append(1)
        return start()

    monkeypatch.setattr(launch, "_start", counted)
    declare(project)
    result = api.test_all(project.load())
    assert [run.status for run in result.runs] == [Status.PASSED, Status.PASSED]
    assert [run.unrecorded for run in result.runs] == ["", ""]
    assert len({run.run_url for run in result.runs}) == 2
    assert len(started) == 1
    # `lonely` was not run by anything.
    assert result.exit_code is ExitCode.USAGE
    with sqlite3.connect(project.root / ".mlvalidate" / "mlflow.db") as store:
        statuses = store.execute("select status from runs").fetchall()
    assert statuses == [("FINISHED",)] * 4


def test_what_has_not_begun_when_the_user_interrupts_is_left_out(
    project: ProjectFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    import contextlib
    import threading

    stop = threading.Event()
    monkeypatch.setattr(interruption, "interruptible", lambda: contextlib.nullcontext(stop.is_set))
    declare(project, WRITE + "import time; time.sleep(300)\n")
    finished: list[str] = []

    def interrupt(run_id: str, event: Event) -> None:
        if isinstance(event, SampleTaken):
            stop.set()
        if isinstance(event, RunFinished):
            finished.append(run_id)

    loaded = project.load()
    result = api.execute_all(loaded, api.plan_all(loaded), interrupt, record=False, jobs=1)
    assert result.exit_code is ExitCode.INTERRUPTED
    assert [run.status for run in result.runs] == [Status.INTERRUPTED]
    assert finished == [run.run_id for run in result.runs]
    assert [(item.name, item.reason) for item in result.left_out[2:]] == [
        ("make", "interrupted before it began")
    ]
