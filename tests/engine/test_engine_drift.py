"""Outputs compared with their references while a run goes on, by the analyst or without it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlvalidate.core.datasets import FileFormat
from mlvalidate.core.events import ChecksFinished, DriftMeasured
from mlvalidate.core.results import Status
from mlvalidate.data.table_samples import prepare_frame, write_sample
from mlvalidate.engine import drift_watch
from mlvalidate.engine.drift_watch import Baselines
from mlvalidate.engine.journal import read_events, unfinished_result
from mlvalidate.engine.run import new_run_folder
from mlvalidate.engine.sandbox import detect_sandboxing
from tests.projects import ProjectFolder, Ran, execute_plan

RAW = {"x": {"type": "float", "min": 0, "max": 1}, "k": {"type": "category", "values": ["a", "b"]}}
COPY = """
import pandas as pd
frame = pd.read_csv("/opt/ml/processing/input/raw.csv")
CHANGE
frame.to_csv("/opt/ml/processing/output/out.csv", index=False)
"""


def declare(project: ProjectFolder, change: str = "", rows: int = 1000, **out: Any) -> None:
    project.write("step.py", COPY.replace("CHANGE", change))
    columns = out.pop("columns", {"x": {"type": "float"}, "k": {"type": "string"}} | RAW)
    project.declare(
        datasets={"raw": {"rows": rows, "columns": RAW}, "out": {"columns": columns, **out}},
        steps={
            "step": {
                "script": "step.py",
                "inputs": {
                    "raw": {"path": "/opt/ml/processing/input", "files": {"raw.csv": "raw"}}
                },
                "outputs": {
                    "out": {"path": "/opt/ml/processing/output", "files": {"out.csv": "out"}}
                },
            }
        },
        gates=["step.drift.out.share <= 0.3"] if "reference" in out else [],
    )


def test_a_column_that_drifts_from_the_input(project: ProjectFolder) -> None:
    declare(project, "frame['x'] = frame['x'] ** 3", reference="input", column_figures=True)

    ran = project.run_step()

    found = ran.finding("Q401")
    assert found.column == "x"
    assert found.message.startswith("output out: column 'x' has drifted from input raw: ks p-value")
    assert ran.codes == ["G601", "Q401", "Q403"]
    assert ran.step.figures["drift.out.share"] == 0.5
    assert ran.step.figures["drift.out.columns"] == 1
    assert ran.step.figures["drift.out.score.k"] == 1
    kinds = [type(e) for e in ran.events if isinstance(e, ChecksFinished | DriftMeasured)]
    assert kinds == [ChecksFinished, DriftMeasured]
    # A run that is killed right after it keeps its verdict.
    events = read_events(ran.folder)[:-1]
    kept = unfinished_result(events, Status.INTERRUPTED, "killed")
    assert kept.steps[0].outputs[0].drift == ran.step.outputs[0].drift


def test_an_output_like_its_input(project: ProjectFolder) -> None:
    declare(project, "frame['new'] = 1", reference="input")
    ran = project.run_step()
    assert [code for code in ran.codes if code != "F312"] == []
    assert ran.step.figures["drift.out.share"] == 0


def test_missing_values_that_the_step_makes(project: ProjectFolder) -> None:
    columns = RAW | {"x": {"type": "float", "null": 0.3}}
    declare(project, "frame.loc[::4, 'x'] = None", reference="input", columns=columns)
    ran = project.run_step()
    message = ran.finding("Q402").message
    assert message.endswith("column 'x' has drifted from input raw: missing values 0.0% -> 25.0%")


def test_too_few_rows_say_nothing(project: ProjectFolder) -> None:
    declare(project, "frame['x'] = frame['x'] + 5", rows=40, reference="input", columns={
        "x": {"type": "float"}, "k": RAW["k"]})  # fmt: skip
    ran = project.run_step()
    found = ran.finding("Q404")
    assert found.message == "output out: 2 columns were not compared with input raw: x, k"
    assert found.evidence[0].startswith("x insufficient data: 40 and 40 values")
    # The gate has nothing to judge, and the finding says why.
    assert ran.codes == ["Q404"]
    assert ran.result.status is Status.PASSED


@pytest.mark.parametrize("reference", ["sample", "real/rows.csv", "real"])
def test_real_rows_as_a_reference(project: ProjectFolder, reference: str) -> None:
    rng = np.random.default_rng(0)
    rows = pd.DataFrame({"x": rng.random(2000) * 0.5, "k": rng.choice(["a", "b"], 2000)})
    (project.root / "real").mkdir()
    rows.to_csv(project.root / "real" / "rows.csv", index=False)
    declare(project, reference=reference, sample="real/rows.csv")
    ran = project.run_step()
    shown = "real/rows.csv" if reference == "sample" else reference
    assert f"has drifted from {shown}: wasserstein distance" in ran.finding("Q401").message


def test_a_reference_that_is_not_there(project: ProjectFolder) -> None:
    from mlvalidate.project.problems import ProjectError

    declare(project, reference="real/rows.csv")
    with pytest.raises(ProjectError, match=r"datasets\.out\.reference: there is no file"):
        project.load()
    declare(project, reference="sample")
    with pytest.raises(ProjectError, match="`reference: sample` needs a `sample`"):
        project.load()


def test_a_reference_that_is_no_table(project: ProjectFolder) -> None:
    (project.root / "rows.parquet").write_bytes(b"not parquet")
    declare(project, reference="rows.parquet")
    ran = project.run_step()
    assert "the reference can't be read: " in ran.finding("Q404").message
    assert ran.result.status is Status.PASSED


def test_an_input_without_a_column_in_common(project: ProjectFolder) -> None:
    change = "frame = frame.rename(columns={'x': 'y', 'k': 'l'})"
    columns = {"y": {"type": "float"}, "l": {"type": "string"}}
    declare(project, change, reference="input", columns=columns)
    message = project.run_step().finding("Q404").message
    assert "no input of the step has a column in common with it" in message


def test_no_baseline_yet(project: ProjectFolder) -> None:
    declare(project, reference="baseline")
    ran = project.run_step()
    assert "no baseline yet: no passed run is recorded" in ran.finding("Q404").message
    assert ran.codes == ["Q404"]
    kept = ran.folder.step("step").baseline / "out" / "out.csv.parquet"
    assert len(pd.read_parquet(kept)) == 1000


def execute_with(project: ProjectFolder, baselines: Baselines) -> Ran:
    from mlvalidate import api

    loaded = project.load()
    loaded.state_folder.mkdir(exist_ok=True)
    folder = new_run_folder(loaded)
    plan = api.plan_script(loaded, "step")
    run = execute_plan(loaded, plan, folder, detect_sandboxing(), lambda: False, baselines)
    events = list(run)
    return Ran(events[-1].result, events, folder)  # type: ignore[union-attr]


def test_a_baseline_is_compared(project: ProjectFolder, tmp_path: Path) -> None:
    declare(project, reference="baseline")
    frame = pd.DataFrame({"x": np.linspace(5, 6, 500), "k": ["a", "b"] * 250})
    write_sample(*prepare_frame([frame], FileFormat.PARQUET), tmp_path / "then")
    key = ("step", "out", "out.csv")
    ran = execute_with(project, Baselines({key: tmp_path / "then"}, "baseline run-7"))
    assert "column 'x' has drifted from baseline run-7" in ran.finding("Q401").message


def analyst_that(monkeypatch: pytest.MonkeyPatch, code: str) -> list[subprocess.Popen[bytes]]:
    """Let another program stand in for the analyst."""
    started: list[subprocess.Popen[bytes]] = []

    def start(_module: str) -> subprocess.Popen[bytes]:
        started.append(subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE))
        return started[-1]

    monkeypatch.setattr(drift_watch, "start_beside", start)
    return started


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "its process ended"),
        ("import sys; sys.stdin.readline(); sys.exit(7)", "its process ended with exit code 7"),
        ("import time; time.sleep(600)", "nothing came for 0 s"),
    ],
    ids=["killed", "crashed", "hanging"],
)
def test_an_analyst_that_does_not_answer(
    project: ProjectFolder, monkeypatch: pytest.MonkeyPatch, code: str, why: str
) -> None:
    started = analyst_that(monkeypatch, code)
    monkeypatch.setattr(drift_watch, "_PATIENCE_SECONDS", 0.3)
    declare(project, reference="input")

    ran = project.run_step()

    assert f"output out: drift could not be measured: {why}" in ran.finding("Q405").message
    assert ran.codes == ["Q405"]
    assert ran.result.status is Status.PASSED
    assert started[0].poll() is not None


def test_an_analyst_that_can_not_be_started(
    project: ProjectFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_module: str) -> None:
        raise OSError(12, "Cannot allocate memory")

    monkeypatch.setattr(drift_watch, "start_beside", refuse)
    declare(project, reference="input")
    message = project.run_step().finding("Q405").message
    assert message.endswith("its process did not start: Cannot allocate memory")


def test_an_interrupted_run_waits_for_no_analyst(
    project: ProjectFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlvalidate import api

    started = analyst_that(monkeypatch, "import time; time.sleep(600)")
    declare(project, reference="input")
    loaded = project.load()
    loaded.state_folder.mkdir()
    plan = api.plan_script(loaded, "step")
    events = list(
        execute_plan(loaded, plan, new_run_folder(loaded), detect_sandboxing(), lambda: True)
    )
    assert events[-1].result.status is Status.INTERRUPTED  # type: ignore[union-attr]
    assert started[0].poll() is not None


def test_nobody_is_started_without_a_reference(
    project: ProjectFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = analyst_that(monkeypatch, "pass")
    declare(project)
    ran = project.run_step()
    assert not started
    assert not ran.folder.reports.exists()
    assert not ran.folder.step("step").analysis.exists()


def test_real_rows_are_no_reference_for_distorted_data(project: ProjectFolder) -> None:
    (project.root / "rows.csv").write_text("x,k\n" + "0.5,a\n" * 100)
    declare(project, reference="rows.csv")
    ran = project.run_step(scenarios=("boundary",))
    messages = [f.message for f in ran.result.all_findings if f.code == "Q404"]
    assert messages
    assert all("the scenario boundary" in text for text in messages)
    assert not [f for f in ran.result.all_findings if f.code == "Q401"]
