"""All tests of a project, as the terminal shows them."""

from __future__ import annotations

from pathlib import Path

import pytest
from report_builders import (
    console,
    finding,
    pipeline_result,
    plan,
    planned_step,
    printed,
    step_result,
)

from mlvalidate.core.events import ChecksFinished, RunStarted
from mlvalidate.core.results import PipelineResult, Status
from mlvalidate.core.run_folder import RunFolder
from mlvalidate.core.suite import LeftOut, SuitePlan, SuiteResult
from mlvalidate.reporting.plan_view import print_plan
from mlvalidate.reporting.progress import PlainProgress
from mlvalidate.reporting.suite import SuiteProgress, print_suite_plan, print_suite_summary

LEFT_OUT = (
    LeftOut(name="evaluate", reason="nothing provides model of evaluate", covered_by=("churn",)),
    LeftOut(name="report", reason="nothing provides pdf of report", hint="give it a `sample`"),
)
PIPELINE = plan(planned_step("prep"), planned_step("train"))
ALONE = plan(planned_step("prep")).model_copy(update={"kind": "script", "name": "prep"})
SUITE = SuitePlan(
    project="shop", plans=(PIPELINE, ALONE), left_out=LEFT_OUT, command="mlvalidate test-all"
)


def test_lines_of_different_runs_can_be_told_apart() -> None:
    screen = console(100)
    progress = SuiteProgress(PlainProgress(screen), SUITE, at=0.0)
    progress.handle("r1", RunStarted(at=0, run_id="r1", plan=PIPELINE))
    progress.handle("r2", RunStarted(at=0, run_id="r2", plan=ALONE))
    blamed = step_result("train", status=Status.FAILED, findings=(finding(step="prep"),))
    progress.handle("r2", ChecksFinished(at=1, result=step_result("prep")))
    progress.handle("r1", ChecksFinished(at=1, result=blamed))
    lines = printed(screen).splitlines()
    assert lines[0] == "all tests of shop | 1 pipeline | 1 step alone"
    assert lines[1].startswith("PASSED  prep ")
    assert lines[2].startswith(f"FAILED  {PIPELINE.name}/train ")
    assert lines[2].endswith(f"1 error blamed on {PIPELINE.name}/prep")


def summary(*, quiet: bool = False) -> str:
    failed = step_result("train", status=Status.FAILED, findings=(finding(),))
    of_pipeline = pipeline_result(step_result("prep"), failed, status=Status.FAILED)
    alone = pipeline_result(step_result("prep")).model_copy(
        update={"kind": "script", "name": "prep"}
    )
    result = SuiteResult(
        project="shop",
        command="mlvalidate test-all",
        started_at=0.0,
        finished_at=12.0,
        runs=(
            of_pipeline.model_copy(update={"run_url": "http://h/1", "open_command": "mlv ui"}),
            alone.model_copy(update={"unrecorded": "the server is away"}),
        ),
        left_out=LEFT_OUT,
    )
    screen = console(100)

    def folder_of(run: PipelineResult) -> RunFolder:
        return RunFolder(Path("/nowhere") / run.run_id)

    print_suite_summary(screen, result, folder_of, quiet=quiet)
    return printed(screen)


def test_one_table_then_what_there_is_to_say_then_one_verdict() -> None:
    said = summary()
    assert said.index("pipeline churn") < said.index("== pipeline churn") < said.index("no run of")
    assert "== prep" not in said
    assert "error X201: the script failed" in said
    assert "no run of evaluate: nothing provides model of evaluate; run by pipeline churn" in said
    assert "no run of report: nothing provides pdf of report\n  hint: give it a `sample`" in said
    assert said.endswith(
        "FAILED all tests of shop | 1 of 2 runs passed | 1 without any run | 1 error | 12.0s\n"
        "open: mlv ui\n"
        "pipeline churn: http://h/1\n"
        "not recorded yet: the server is away; run `mlvalidate sync`\n"
    )


def test_quiet_leaves_the_verdict() -> None:
    assert summary(quiet=True).splitlines() == [
        "FAILED all tests of shop | 1 of 2 runs passed | 1 without any run | 1 error | 12.0s"
    ]


def test_the_plan_of_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    screen = console(100)
    print_suite_plan(screen, SUITE, print_plan)
    said = printed(screen)
    assert said.startswith("plan of all tests of shop | 1 pipeline | 1 step alone\n")
    assert said.count("nothing has been run") == 2
    assert said.endswith("to run all of it: mlvalidate test-all\n")
