"""The trace of a run."""

from __future__ import annotations

import re

import pytest
from mlflow.exceptions import MlflowException
from mlflow.tracing.client import TracingClient
from tracking_builders import (
    RUN_ID,
    START,
    events_of,
    failed_pipeline,
    make_folder,
    make_plan,
    make_result,
    make_skipped,
    make_step,
    write_journal,
)
from tracking_stored import look

from mlvalidate.core.contracts import Project
from mlvalidate.core.results import Status
from mlvalidate.tracking.recorder import RecorderExit, record_live
from mlvalidate.tracking.recording import RunRecorder
from mlvalidate.tracking.session import open_session
from mlvalidate.tracking.store import Store
from mlvalidate.tracking.sync import sync
from mlvalidate.tracking.trace import run_spans, span_id, trace_id


def test_spans_of_steps_and_their_parts_lie_within_their_parents(project: Project) -> None:
    steps = [
        make_step(0, "preprocess", reused_from="earlier"),
        make_step(1, "train", Status.FAILED),
        make_skipped("evaluate"),
    ]
    result = make_result(make_plan(project.root), steps)
    train = steps[1]
    spans = run_spans(result, {"preprocess": START, "train": train.finished_at - 0.5})
    by_path = {span.path: span for span in spans}
    assert list(by_path) == ["", "preprocess", "train", "train/load", "train/run", "train/check"]
    for span in spans[1:]:
        parent = by_path[span.parent or ""]
        assert parent.begun <= span.begun <= span.ended <= parent.ended
    assert by_path["train/run"].ended == by_path["train/check"].begun == train.finished_at - 0.5
    assert [span.path for span in spans if span.failed] == ["", "train"]


def test_a_clock_that_was_set_back_makes_no_span_end_before_it_begins(project: Project) -> None:
    step = make_step(0, "train", finished_at=START - 50)
    spans = run_spans(make_result(make_plan(project.root), [step]), {"train": START - 99})
    assert all(span.begun <= span.ended for span in spans)


def test_ids_are_those_of_the_run_in_mlflow() -> None:
    assert re.fullmatch("tr-[0-9a-f]{32}", trace_id("a"))
    assert re.fullmatch("[0-9a-f]{16}", span_id("a", "train"))
    assert len({trace_id("a"), trace_id("b")}) == 2
    assert len({span_id("a", "train"), span_id("a", "train/run"), span_id("b", "train")}) == 3


def test_a_run_has_one_trace_however_often_it_is_recorded(project: Project, store: Store) -> None:
    folder = failed_pipeline(project.root, project.state_folder)
    assert record_live(folder, store) is RecorderExit.RECORDED
    folder.tracking_log.unlink()
    assert record_live(folder, store) is RecorderExit.RECORDED
    with open_session(store) as gateway:
        # Without its log, on top of what is there.
        events = events_of(make_plan(project.root, ("train",)), [make_step(1, "train")])
        assert RunRecorder(folder, gateway, {}, has_ended=True).record(events)
    stored = look(store)
    parent = stored.one(RUN_ID).info
    # In the whole experiment: that of a run that was deleted as a double is gone with it.
    traces = stored.client.search_traces(locations=[parent.experiment_id])
    assert [trace.info.trace_id for trace in traces] == [trace_id(parent.run_id)]


def test_the_trace_is_the_timeline(project: Project, store: Store) -> None:
    folder = make_folder(project.state_folder)
    steps = [make_step(0, "preprocess"), make_step(1, "train", Status.FAILED)]
    write_journal(folder, events_of(make_plan(project.root), steps))
    assert record_live(folder, store) is RecorderExit.RECORDED
    stored = look(store)
    trace = stored.client.get_trace(trace_id(stored.one(RUN_ID).info.run_id))
    assert trace.info.request_time == START * 1000
    assert trace.info.state.value == "ERROR"
    assert trace.info.trace_metadata["mlflow.sourceRun"] == stored.one(RUN_ID).info.run_id
    spans = {span.span_id: span for span in trace.data.spans}
    tree = sorted(
        (spans[span.parent_id].name if span.parent_id else "", span.name) for span in spans.values()
    )
    parts = ("check", "load", "run")
    assert tree == [
        ("", "churn"),
        ("churn", "preprocess"),
        ("churn", "train"),
        *(("preprocess", part) for part in parts),
        *(("train", part) for part in parts),
    ]
    (train,) = (span for span in spans.values() if span.name == "train")
    assert train.status.status_code.value == "ERROR"
    assert train.start_time_ns == round(steps[1].started_at * 1e9)
    assert train.attributes["entry_point"] == "scripts/train.py"


@pytest.mark.parametrize(
    "refusal",
    [
        NotImplementedError(),
        MlflowException("REST OTLP span logging is not supported by FileStore"),
    ],
)
def test_spans_without_a_place_in_the_store_are_in_the_artifact_of_the_trace(
    project: Project, store: Store, monkeypatch: pytest.MonkeyPatch, refusal: Exception
) -> None:
    def refuse(*_: object) -> None:
        raise refusal

    monkeypatch.setattr(TracingClient, "log_spans", refuse)
    folder = failed_pipeline(project.root, project.state_folder)
    assert record_live(folder, store) is RecorderExit.RECORDED
    stored = look(store)
    trace = stored.client.get_trace(trace_id(stored.one(RUN_ID).info.run_id))
    assert {"churn", "preprocess", "train"} <= {span.name for span in trace.data.spans}


def test_a_server_that_is_gone_when_the_trace_is_written_leaves_the_run_waiting(
    project: Project, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise NotImplementedError("could not identify MLflow server version")

    def fail(*_: object) -> None:
        raise MlflowException("connection refused")

    folder = failed_pipeline(project.root, project.state_folder)
    with monkeypatch.context() as away:
        away.setattr(TracingClient, "log_spans", refuse)
        away.setattr(TracingClient, "start_trace", fail)
        assert record_live(folder, store) is RecorderExit.UNAVAILABLE
    assert sync(project.state_folder, store).recorded == (RUN_ID,)
    stored = look(store)
    (trace,) = stored.client.search_traces(locations=[stored.one(RUN_ID).info.experiment_id])
    assert len(trace.data.spans) == 9
