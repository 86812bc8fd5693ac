"""The whole record on a real PostgreSQL server and a real S3 API."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from test_tracking_team_server import serving
from tracking_builders import (
    START,
    events_of,
    failed_pipeline,
    make_folder,
    make_plan,
    make_step,
    start_recorder,
)
from tracking_ports import free_port
from tracking_services import S3, Postgres, s3_environment
from tracking_stored import look
from tracking_waiting import is_gone, wait_for

from mlvalidate.core.contracts import Project
from mlvalidate.core.errors import UsageError
from mlvalidate.engine.journal import JournalWriter
from mlvalidate.tracking import server_checks
from mlvalidate.tracking.progress import read_progress
from mlvalidate.tracking.recorder import RecorderExit, record_live
from mlvalidate.tracking.store import Store
from mlvalidate.tracking.sync import SyncReport, sync

pytestmark = pytest.mark.slow


def assert_whole(store: Store, run_id: str) -> None:
    """Check that all of the failed pipeline is there, once."""
    stored = look(store)
    expected = {run_id: "FAILED", f"{run_id}/preprocess": "FINISHED", f"{run_id}/train": "FAILED"}
    assert {key: stored.one(key).info.status for key in expected} == expected
    train = stored.one(f"{run_id}/train")
    assert train.data.metrics["auc"] == 0.75
    assert train.data.params["hp.max_depth"] == "4"
    assert len(train.inputs.dataset_inputs) == 2
    assert len(stored.client.get_metric_history(train.info.run_id, "system/process_rss_mb")) == 5
    paths = [item.path for item in stored.client.list_artifacts(train.info.run_id, "data/train")]
    assert paths == ["data/train/train_1.csv.json", "data/train/train_1.csv.parquet"]


def test_a_record_in_postgresql_and_s3(
    project: Project, postgres: Postgres, s3: S3, tmp_path: Path
) -> None:
    """Without a server of MLflow's; three recorders make the database at once."""
    s3.client.create_bucket(Bucket="bare")
    uri = postgres.new_database()
    # By one driver and by the other.
    uris = [uri, uri.replace("://", "+psycopg2://"), uri]
    stores = [Store(uri, "s3://bare/runs", "shop", False) for uri in uris]
    recorders = [
        start_recorder(failed_pipeline(project.root, tmp_path / f"{n}", f"run-{n}"), store)
        for n, store in enumerate(stores)
    ]
    assert [recorder.wait(60).unrecorded for recorder in recorders] == ["", "", ""]
    for number, recorder in enumerate(recorders):
        assert_whole(stores[0], f"run-{number}")
        wait_for(lambda pid=recorder.pid: is_gone(pid))
    keys = s3.keys("bare")
    assert sum(key.endswith("artifacts/report.md") for key in keys) == 3
    assert all(key.startswith("runs/") for key in keys)


def test_a_database_that_dies_and_comes_back(project: Project, postgres: Postgres, s3: S3) -> None:
    s3.client.create_bucket(Bucket="mortal")
    store = Store(postgres.new_database(), "s3://mortal/runs", "shop", False)
    before = failed_pipeline(project.root, project.state_folder, "run-before")
    assert record_live(before, store) is RecorderExit.RECORDED
    folder = make_folder(project.state_folder, "run-during")
    events = events_of(
        make_plan(project.root), [make_step(0, "a"), make_step(1, "b")], "run-during"
    )
    outcome: list[RecorderExit] = []
    with JournalWriter(folder) as journal:
        for event in events[:-2]:
            journal.write(event)
        recorder = threading.Thread(target=lambda: outcome.append(record_live(folder, store)))
        recorder.start()
        while "run-during/a" not in read_progress(folder, store.key).recorded:
            assert recorder.is_alive()
        postgres.kill()
        for event in events[-2:]:
            journal.write(event)
    recorder.join(60)
    assert outcome == [RecorderExit.UNAVAILABLE]
    failure = read_progress(folder).failure
    assert failure is not None
    assert "mlflow@" not in failure.reason
    failed_pipeline(project.root, project.state_folder, "run-after")
    try:
        waiting = sync(project.state_folder, store).pending
    finally:
        postgres.start()
    assert [run.run_id for run in waiting] == ["run-during", "run-after"]
    address = store.shown_uri
    assert {run.reason for run in waiting} == {f"the database at {address} refuses the connection"}
    assert sync(project.state_folder, store).recorded == ("run-during", "run-after")
    assert_whole(store, "run-after")
    assert len(look(store).statuses()) == 9


def test_characters_that_postgresql_refuses(project: Project, postgres: Postgres, s3: S3) -> None:
    s3.client.create_bucket(Bucket="odd")
    store = Store(postgres.new_database(), "s3://odd/runs", "shöp ☃", False)
    folder = make_folder(project.state_folder)
    changes = {"args": {"a\0b": "x\0y" * 4000, "naïve": "☃"}, "metrics": {"m": float("inf")}}
    step = make_step(0, "train", **changes)
    plan = make_plan(project.root, ("train",), kind="script")
    with JournalWriter(folder) as journal:
        for event in events_of(plan, [step]):
            journal.write(event)
    assert record_live(folder, store) is RecorderExit.RECORDED
    run = look(store).one(folder.run_id)
    assert run.info.start_time == round(START * 1000)
    assert any("☃" in value for value in run.data.params.values())


def test_a_team_server_on_postgresql_and_s3(
    project: Project, postgres: Postgres, s3: S3, tmp_path: Path
) -> None:
    s3.client.create_bucket(Bucket="team")
    uri = postgres.new_database()
    port = free_port()
    variables = {
        "MLFLOW_BACKEND_STORE_URI": uri,
        "MLFLOW_ARTIFACTS_DESTINATION": "s3://team/artifacts",
        "MLFLOW_AUTH_ADMIN_PASSWORD": "a password of ann",
        **s3_environment(s3.endpoint),
    }
    with serving(tmp_path, "--auth", "--port", str(port), **variables) as served:
        shown = f"postgresql://mlflow:***@127.0.0.1:{postgres.port}/{uri.rpartition('/')[2]}"
        assert f"  database:  {shown}\n  artifacts: s3://team/artifacts\n" in served.text
        address = f"http://admin:a password of ann@127.0.0.1:{port}"
        store = Store(address, None, "shop", False)
        failed_pipeline(project.root, project.state_folder, "run-1")
        assert sync(project.state_folder, store) == SyncReport(recorded=("run-1",))
        family = served.family()
        # MLflow goes with it even so.
        served.process.kill()
        for pid in family:
            wait_for(lambda pid=pid: is_gone(pid))
    direct = Store(uri, None, "shop", False)
    assert set(look(direct).statuses()) == {"run-1", "run-1/preprocess", "run-1/train"}
    assert sum(key.endswith("report.md") for key in s3.keys("team")) == 1
    assert not (tmp_path / "mlflow_data").exists()


def test_what_is_wrong_with_a_database(postgres: Postgres) -> None:
    uri = postgres.new_database()
    name = uri.rpartition("/")[2]
    server_checks.check_database(Store(uri, None, "", False))
    wrong = {
        uri.replace(name, "elsewhere"): 'database "elsewhere" does not exist',
        uri.replace("pass%20", "xass%20"): "password authentication failed",
        uri.replace(str(postgres.port), str(free_port())): "refused",
        uri.replace("127.0.0.1", "nowhere.invalid"): "nowhere.invalid",
    }
    for address, reason in wrong.items():
        with pytest.raises(UsageError, match=reason) as caught:
            server_checks.check_database(Store(address, None, "", False))
        assert "%40mlflow" not in caught.value.message
        assert "\n" not in caught.value.message
    with pytest.raises(UsageError, match="bucket-that-is-none"):
        server_checks.check_artifacts("s3://bucket-that-is-none")
