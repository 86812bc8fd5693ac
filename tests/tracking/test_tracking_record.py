"""What a recorded run holds."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from tracking_builders import (
    NODES,
    RUN_ID,
    START,
    events_of,
    failed_pipeline,
    make_folder,
    make_plan,
    make_project,
    make_step,
    write_files,
    write_journal,
)
from tracking_stored import Stored, look

from mlvalidate.core.contracts import Project
from mlvalidate.core.results import Status
from mlvalidate.core.run_folder import RunFolder
from mlvalidate.tracking.progress import read_progress
from mlvalidate.tracking.recorder import RecorderExit, record_live
from mlvalidate.tracking.recording import RunRecorder
from mlvalidate.tracking.session import open_session
from mlvalidate.tracking.store import Store


@dataclass(frozen=True)
class Recorded:
    """A failed pipeline run: preprocess passed, train failed, evaluate was skipped."""

    folder: RunFolder
    stored: Stored


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory, template_database: Path) -> Recorded:
    """Record the run once for all the tests that only look at it."""
    project, store = make_project(tmp_path_factory.mktemp("recorded") / "shop", template_database)
    folder = failed_pipeline(project.root, project.state_folder)
    assert record_live(folder, store) is RecorderExit.RECORDED
    return Recorded(folder, look(store))


def test_a_pipeline_is_a_parent_with_a_nested_run_per_node_that_ran(
    recorded: Recorded,
) -> None:
    stored = recorded.stored
    assert stored.statuses() == {
        RUN_ID: "FAILED",
        f"{RUN_ID}/preprocess": "FINISHED",
        f"{RUN_ID}/train": "FAILED",
    }
    parent = stored.one(RUN_ID)
    for node in NODES[:2]:
        nested = stored.one(f"{RUN_ID}/{node}")
        assert nested.data.tags["mlflow.parentRunId"] == parent.info.run_id
        assert nested.info.run_name == node
    assert parent.info.run_name == f"churn {RUN_ID}"
    assert parent.info.start_time == START * 1000
    assert parent.info.end_time == (START + 31) * 1000


def test_tags_of_a_nested_run(recorded: Recorded) -> None:
    tags = recorded.stored.one(f"{RUN_ID}/train").data.tags
    expected = {
        "mlvalidate.run_id": RUN_ID,
        "mlvalidate.kind": "step",
        "mlvalidate.project": "shop",
        "mlvalidate.pipeline": "churn",
        "mlvalidate.node": "train",
        "mlvalidate.step": "train",
        "mlvalidate.step_kind": "processing",
        "mlvalidate.scenario": "standard",
        "mlvalidate.data_source": "synthetic",
        "mlvalidate.sandbox": "namespaces",
        "mlvalidate.status": "failed",
        "mlvalidate.code_hash": "code1",
        "mlvalidate.contract_hash": "contract1",
        "mlvalidate.data_hash": "data1",
        "mlvalidate.record_version": "1",
        "mlflow.source.name": "scripts/train.py",
    }
    assert {name: tags.get(name) for name in expected} == expected
    assert tags["mlvalidate.version"]
    assert tags["mlvalidate.machine"]
    assert tags["mlflow.user"]


def test_params_and_metrics_of_a_nested_run(recorded: Recorded) -> None:
    data = recorded.stored.one(f"{RUN_ID}/train").data
    long = data.params.pop("arg.naïve name_")
    assert len(long) == 6000
    assert long.endswith("… [cut: 7000 characters]")
    assert data.params == {
        "seed": "7",
        "rows": "500",
        "scenario": "standard",
        "data_source": "synthetic",
        "entry_point": "scripts/train.py",
        "arg.test-ratio": "0.2",
        "env.MODE": "fast",
        "env.TOKEN": "***",
        "hp.max_depth": "4",
    }
    assert data.metrics["duration_s"] == 4.0
    assert data.metrics["peak_rss_mb"] == 121.0
    assert data.metrics["rows.train"] == 400
    assert data.metrics["findings.error"] == 1
    assert data.metrics["auc"] == 0.75
    assert data.metrics["odd metric_"] == 1.5


def test_memory_and_cpu_are_series(recorded: Recorded) -> None:
    stored = recorded.stored
    run = stored.one(f"{RUN_ID}/train").info.run_id
    memory = stored.client.get_metric_history(run, "system/process_rss_mb")
    assert [point.value for point in memory] == [50, 51, 52, 53, 54]
    assert [point.timestamp - memory[0].timestamp for point in memory] == [0, 100, 200, 300, 400]
    cpu = stored.client.get_metric_history(run, "system/process_cpu_percent")
    assert [point.value for point in cpu] == pytest.approx([0, 100, 100, 100, 100], rel=1e-3)


def test_tables_are_datasets_with_digest_and_schema(recorded: Recorded) -> None:
    inputs = recorded.stored.one(f"{RUN_ID}/train").inputs.dataset_inputs
    by_context = {use.tags[0].value: use.dataset for use in inputs}
    assert set(by_context) == {"input", "output"}
    assert by_context["output"].name == "features"
    assert by_context["output"].digest == "digest-of-output-1"
    schema = json.loads(by_context["output"].schema)
    assert [(c["name"], c["type"]) for c in schema["mlflow_colspec"]] == [
        ("customer_id", "string"),
        ("tenure", "long"),
        ("charges", "double"),
    ]


def test_artifacts(recorded: Recorded) -> None:
    stored = recorded.stored
    artifacts = stored.artifacts(f"{RUN_ID}/train")
    assert list(artifacts) == [
        "data/train/train_1.csv.json",
        "data/train/train_1.csv.parquet",
        "logs/stderr.log",
        "logs/stdout.log",
        "result.json",
    ]
    assert artifacts["logs/stdout.log"].read_text() == "hello from train\n"
    assert not any(path.is_symlink() for path in artifacts.values())
    result = json.loads(artifacts["result.json"].read_text())
    assert len(result["args"]["naïve name?"]) == 7000
    tables = json.loads(stored.one(f"{RUN_ID}/train").data.tags["mlflow.loggedArtifacts"])
    assert tables == [{"path": "data/train/train_1.csv.json", "type": "table"}]
    assert list(stored.artifacts(RUN_ID)) == ["figures/run.html", "report.md", "result.json"]


def test_parent_tells_verdict_steps_and_how_to_reproduce(recorded: Recorded) -> None:
    data = recorded.stored.one(RUN_ID).data
    note = data.tags["mlflow.note.content"]
    assert note.startswith("**FAILED** · pipeline churn · synthetic data")
    assert "| evaluate | skipped: upstream-failed train |" in note
    assert "exit code 1 \\| \\<b\\>bold\\</b\\>" in note
    assert "Reproduce: `mlvalidate test-pipeline churn`" in note
    assert data.tags["mlvalidate.status"] == "failed"
    assert data.metrics["findings.error"] == 1
    assert data.metrics["findings.warning"] == 1
    assert data.metrics["train/duration_s"] == 4.0
    assert data.metrics["train/auc"] == 0.75
    assert data.metrics["steps.skipped"] == 1
    assert data.metrics["duration_s"] == 31


def test_a_script_is_one_run(project: Project, store: Store) -> None:
    folder = make_folder(project.state_folder)
    plan = make_plan(project.root, ("train",), kind="script")
    write_journal(folder, events_of(plan, [make_step(0, "train")]))
    write_files(folder, ("train",))
    assert record_live(folder, store) is RecorderExit.RECORDED
    stored = look(store)
    assert stored.statuses() == {RUN_ID: "FINISHED"}
    run = stored.one(RUN_ID)
    assert run.info.run_name == f"train {RUN_ID}"
    assert run.data.tags["mlvalidate.kind"] == "script"
    assert run.data.tags["mlvalidate.node"] == "train"
    assert run.data.tags["mlvalidate.status"] == "passed"
    assert "mlvalidate.pipeline" not in run.data.tags
    assert run.data.params["arg.test-ratio"] == "0.2"
    assert run.data.metrics["findings.warning"] == 1
    assert run.data.metrics["auc"] == 0.75
    assert run.inputs.dataset_inputs
    assert {"report.md", "result.json", "logs/stdout.log"} <= set(stored.artifacts(RUN_ID))


def test_nan_is_kept_and_infinity_is_the_greatest_float(project: Project, store: Store) -> None:
    folder = make_folder(project.state_folder)
    folder.root.mkdir(parents=True)
    step = make_step(0, "train", metrics={"loss": math.nan, "worst": -math.inf})
    events = events_of(make_plan(project.root, ("train",)), [step])
    with open_session(store) as gateway:
        assert RunRecorder(folder, gateway, {}).record(events)
    metrics = look(store).one(f"{RUN_ID}/train").data.metrics
    assert math.isnan(metrics["loss"])
    assert metrics["worst"] == -sys.float_info.max


def test_hundreds_of_args_metrics_and_points_all_arrive(project: Project, store: Store) -> None:
    folder = make_folder(project.state_folder)
    args = {f"a{n}": "v" * 2000 for n in range(250)}
    step = make_step(0, "train", args=args, metrics={f"m{n}": n for n in range(900)})
    plan = make_plan(project.root, ("train",))
    write_journal(folder, events_of(plan, [step], samples=700))
    assert record_live(folder, store) is RecorderExit.RECORDED
    stored = look(store)
    run = stored.one(f"{RUN_ID}/train")
    assert sum(name.startswith("arg.") for name in run.data.params) == 250
    assert sum(name[0] == "m" for name in run.data.metrics) == 900
    assert len(stored.client.get_metric_history(run.info.run_id, "system/process_rss_mb")) == 700


def test_progress_log_ends_with_the_link(recorded: Recorded) -> None:
    done = read_progress(recorded.folder).done
    assert done is not None
    parent = recorded.stored.one(RUN_ID).info
    assert done.mlflow_run_id == parent.run_id
    assert done.run_url == (
        f"http://127.0.0.1:5000/#/experiments/{parent.experiment_id}/runs/{parent.run_id}"
        "?workflowType=machine_learning"
    )
    assert not list(recorded.folder.root.glob(".artifacts-*"))


def test_recording_a_recorded_run_again_changes_nothing(project: Project, store: Store) -> None:
    folder = failed_pipeline(project.root, project.state_folder)
    assert record_live(folder, store) is RecorderExit.RECORDED
    before = folder.tracking_log.read_bytes()
    assert record_live(folder, store) is RecorderExit.RECORDED
    assert folder.tracking_log.read_bytes() == before
    assert len(look(store).runs) == 3


def test_commit_of_the_time_of_the_run_is_recorded(
    project: Project, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def git(*arguments: str) -> str:
        identity = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
        command = ["git", "-C", str(project.root), *identity, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    (project.root / "train.py").write_text("1")
    git("init", "--initial-branch", "trunk")
    git("add", "train.py")
    git("commit", "--message", "first")
    (project.root / "train.py").write_text("2")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_SERVER_URL", "https://github.com")
    monkeypatch.setenv("GITHUB_REPOSITORY", "o/r")
    monkeypatch.setenv("GITHUB_RUN_ID", "9")
    folder = failed_pipeline(project.root, project.state_folder)
    assert record_live(folder, store) is RecorderExit.RECORDED
    tags = look(store).one(f"{RUN_ID}/train").data.tags
    assert tags["mlvalidate.git.commit"] == git("rev-parse", "HEAD")
    assert tags["mlvalidate.git.branch"] == "trunk"
    assert tags["mlvalidate.git.dirty"] == "true"
    assert tags["mlvalidate.ci.name"] == "GitHub Actions"
    assert tags["mlvalidate.ci.url"] == "https://github.com/o/r/actions/runs/9"


def test_status_of_an_interrupted_run(project: Project, store: Store) -> None:
    folder = make_folder(project.state_folder)
    plan = make_plan(project.root, ("train",))
    events = events_of(plan, [make_step(0, "train", Status.INTERRUPTED)])
    last = events[-1]
    finished = last.result.model_copy(update={"status": Status.INTERRUPTED})
    write_journal(folder, [*events[:-1], last.model_copy(update={"result": finished})])
    assert record_live(folder, store) is RecorderExit.RECORDED
    assert look(store).statuses() == {RUN_ID: "KILLED", f"{RUN_ID}/train": "KILLED"}


def test_nothing_is_recorded_of_a_run_without_a_beginning(project: Project, store: Store) -> None:
    folder = make_folder(project.state_folder)
    write_journal(folder, [])
    assert record_live(folder, store) is RecorderExit.NOTHING_TO_RECORD
    assert not Path(folder.tracking_log).exists()
