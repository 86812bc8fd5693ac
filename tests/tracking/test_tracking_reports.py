"""Reports and drift that come after a node's record, and baselines that come out of it again."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pandas as pd
import pytest
from tracking_builders import RUN_ID, events_of, make_folder, make_plan, make_step
from tracking_stored import look

from mlvalidate.core.contracts import Project
from mlvalidate.core.events import DriftMeasured, Event
from mlvalidate.core.findings import Finding, Severity
from mlvalidate.core.quality import ColumnDrift, Drift
from mlvalidate.core.results import StepResult
from mlvalidate.core.run_folder import RunFolder
from mlvalidate.data.reports.log import ReportDone, append_done
from mlvalidate.data.reports.orders import ReportOrder, ReportPlan
from mlvalidate.data.table_samples import Role, TableSample, write_sample
from mlvalidate.engine.journal import JournalWriter
from mlvalidate.tracking.baseline import fetch_baselines
from mlvalidate.tracking.progress import decline, read_progress, tracking_lock
from mlvalidate.tracking.recorder import RecorderExit, record_late, record_live
from mlvalidate.tracking.reports import record_reports, reports_pending
from mlvalidate.tracking.session import open_session
from mlvalidate.tracking.store import Store
from mlvalidate.tracking.sync import sync

TABLES = ("a.csv", "b.csv")
NODE = f"{RUN_ID}/train"


def finish(project: Project, *extra: Event, kind: str = "pipeline") -> RunFolder:
    """Return the folder of a finished run of the node `train`."""
    folder = make_folder(project.state_folder)
    events = events_of(make_plan(project.root, ("train",), kind), [make_step(0, "train")])
    with JournalWriter(folder) as journal:
        for event in [*events[:-1], *extra, events[-1]]:
            journal.write(event)
    return folder


def order_reports(folder: RunFolder) -> None:
    orders = tuple(
        ReportOrder(
            node="train",
            port="out",
            table=table,
            sample=folder.root / table,
            target=folder.report("train", "out", table),
            columns=("x",),
        )
        for table in TABLES
    )
    folder.reports.mkdir()
    folder.reports_plan.write_text(ReportPlan(orders=orders).model_dump_json())


def render(folder: RunFolder, table: str, problem: str = "") -> None:
    if not problem:
        target = folder.report("train", "out", table)
        target.parent.mkdir(parents=True, exist_ok=True)
        for ending in (".html", ".json"):
            Path(f"{target}{ending}").write_text(f"{table}{ending}")
    done = ReportDone(node="train", port="out", table=table, problem=problem)
    append_done(folder.reports_log, done)


def reports_of(store: Store, key: str = NODE) -> set[str]:
    return {path for path in look(store).artifacts(key) if path.startswith("reports/")}


def tag_of(store: Store) -> str | None:
    value: str | None = look(store).one(RUN_ID).data.tags.get("mlvalidate.reports")
    return value


def test_reports_are_recorded_once(project: Project, store: Store) -> None:
    folder = finish(project)
    order_reports(folder)
    assert record_live(folder, store) is RecorderExit.RECORDED
    for table in TABLES:
        render(folder, table)

    assert record_late(folder, store) is RecorderExit.RECORDED

    names = {f"reports/out/{t}{e}" for t in TABLES for e in (".html", ".json")}
    assert reports_of(store) == names
    assert tag_of(store) == "2 of 2 rendered"
    assert look(store).statuses() == {RUN_ID: "FINISHED", NODE: "FINISHED"}
    before = folder.tracking_log.read_text()
    assert record_late(folder, store) is RecorderExit.RECORDED
    assert sync(project.state_folder, store).reports == {}
    assert folder.tracking_log.read_text() == before


def test_reports_of_a_script_are_in_its_only_run(project: Project, store: Store) -> None:
    folder = finish(project, kind="script")
    order_reports(folder)
    record_live(folder, store)
    for table in TABLES:
        render(folder, table)
    record_late(folder, store)
    assert len(reports_of(store, RUN_ID)) == 4


def test_a_run_without_reports_has_no_tag(project: Project, store: Store) -> None:
    folder = finish(project)
    record_live(folder, store)
    assert record_late(folder, store) is RecorderExit.RECORDED
    assert tag_of(store) is None


def test_a_recorder_that_died_between_two_reports(
    project: Project, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = finish(project)
    order_reports(folder)
    record_live(folder, store)
    render(folder, TABLES[0])
    with folder.reports_lock.open("ab") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with tracking_lock(folder), open_session(store) as gateway:
            # The renderer still works.
            assert record_reports(folder, gateway) == ""
        assert tag_of(store) == "being rendered"
        assert len(reports_of(store)) == 2
        # A sync leaves it alone for so long.
        assert not reports_pending(folder)
        assert sync(project.state_folder, store).reports == {}
        render(folder, TABLES[1])
    assert reports_pending(folder)
    os.remove(f"{folder.report('train', 'out', TABLES[0])}.html")  # noqa: PTH107

    report = sync(project.state_folder, store)

    assert report.reports == {RUN_ID: "2 of 2 rendered"}
    # The first one was not taken again: its file is gone, and the artifact is not.
    assert len(reports_of(store)) == 4
    assert not sync(project.state_folder, store).reports


def test_a_renderer_that_died_is_told(project: Project, store: Store) -> None:
    folder = finish(project)
    order_reports(folder)
    render(folder, TABLES[0])

    report = sync(project.state_folder, store)

    told = "1 of 2 rendered; the process that renders them ended early"
    assert report.recorded == (RUN_ID,)
    assert report.reports == {RUN_ID: told}
    assert tag_of(store) == told
    assert len(reports_of(store)) == 2


def test_a_report_that_could_not_be_rendered_is_told(project: Project, store: Store) -> None:
    folder = finish(project)
    order_reports(folder)
    record_live(folder, store)
    render(folder, TABLES[0])
    render(folder, TABLES[1], "the table has no rows")
    record_late(folder, store)
    assert tag_of(store) == "1 of 2 rendered; train.out/b.csv: the table has no rows"


def test_a_store_that_is_away_keeps_reports_waiting(project: Project, store: Store) -> None:
    folder = finish(project)
    order_reports(folder)
    record_live(folder, store)
    render(folder, TABLES[0])
    render(folder, TABLES[1])
    away = Store("http://127.0.0.1:9", None, store.experiment, False)
    assert record_late(folder, away) is RecorderExit.UNAVAILABLE
    assert len(sync(project.state_folder, away).pending) == 1
    assert sync(project.state_folder, store).reports == {RUN_ID: "2 of 2 rendered"}


def test_a_run_that_was_deleted_takes_no_reports(project: Project, store: Store) -> None:
    folder = finish(project)
    order_reports(folder)
    record_live(folder, store)
    render(folder, TABLES[0])
    stored = look(store)
    stored.client.delete_run(stored.one(RUN_ID).info.run_id)
    (pending,) = sync(project.state_folder, store).pending
    assert pending.reason == "its run is not in MLflow any more"


def test_a_declined_run_keeps_its_reports_to_itself(project: Project, store: Store) -> None:
    folder = finish(project)
    decline(folder)
    order_reports(folder)
    render(folder, TABLES[0])
    assert sync(project.state_folder, store).recorded == ()


def with_drift(result: StepResult) -> StepResult:
    column = ColumnDrift(column="x", test="ks", score=0.001, threshold=0.05, drifted=True)
    drift = Drift(references=("input raw",), columns=(column,))
    ports = tuple(port.model_copy(update={"drift": drift}) for port in result.outputs)
    finding = Finding(code="Q401", severity=Severity.WARNING, message="x has drifted", step="train")
    return result.model_copy(update={"outputs": ports, "findings": (finding,)})


def test_drift_comes_into_the_run_of_its_node(project: Project, store: Store) -> None:
    plain = make_step(0, "train")
    measured = with_drift(plain)
    port = measured.outputs[0].port
    folder = finish(project, DriftMeasured(at=plain.finished_at + 1, result=measured))

    record_live(folder, store)

    run = look(store).one(NODE)
    assert run.data.metrics[f"drift.{port}.share"] == 1
    assert run.data.metrics["findings.warning"] == 1
    assert run.data.metrics["duration_s"] == plain.usage.duration_s
    assert "x has drifted" in run.data.tags["mlflow.note.content"]
    assert "Q401" in look(store).artifacts(NODE)["result.json"].read_text()
    assert f"{NODE}#drift" in read_progress(folder, store.key).recorded


def keep_baseline(folder: RunFolder) -> None:
    frame = pd.DataFrame({"x": [1.0, 2.0]})
    sample = TableSample(rows=2, roles={"x": Role.NUMBER}, left_out={})
    write_sample(frame, sample, folder.step("train").baseline / "out" / "part" / "a.csv")


@pytest.mark.parametrize("kind", ["pipeline", "script"])
def test_a_baseline_comes_from_the_last_passed_run(
    project: Project, store: Store, tmp_path: Path, kind: str
) -> None:
    folder = finish(project, kind=kind)
    keep_baseline(folder)
    record_live(folder, store)
    plan = make_plan(project.root, ("train", "evaluate"), kind)
    (tmp_path / "b").mkdir()

    found = fetch_baselines(
        plan, store, ("train", "evaluate")[: 1 + (kind == "pipeline")], tmp_path / "b"
    )

    assert found.description == f"baseline {RUN_ID}"
    ((key, stem),) = found.stems.items()
    assert key == ("train", "out", "part/a.csv")
    assert pd.read_parquet(f"{stem}.parquet")["x"].tolist() == [1, 2]
    assert Path(f"{stem}.json").exists()


def test_no_baseline(project: Project, store: Store, tmp_path: Path) -> None:
    plan = make_plan(project.root, ("train",))
    none = "no baseline yet: no passed run is recorded"
    assert fetch_baselines(plan, store, ("train",), tmp_path).problem == none
    finish_other = finish(project)
    record_live(finish_other, store)
    other = plan.model_copy(update={"scenario": "edge"})
    assert fetch_baselines(other, store, ("train",), tmp_path).problem == none
    nowhere = Store(f"sqlite:///{tmp_path}/none.db", None, "x", False)
    assert fetch_baselines(plan, nowhere, ("train",), tmp_path).problem == none
    assert not (tmp_path / "none.db").exists()
    away = Store("http://127.0.0.1:9", None, "x", False)
    found = fetch_baselines(plan, away, ("train",), tmp_path)
    assert found.problem.startswith("no baseline: the MLflow server at http://127.0.0.1:9 refuses")
