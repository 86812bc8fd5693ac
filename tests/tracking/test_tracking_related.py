"""What earlier runs know about a fault, looked up while a run is recorded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from tracking_builders import make_folder, make_project
from tracking_history import record_run, run_id_of

from mlvalidate.core.events import RunFinished, RunStarted
from mlvalidate.core.findings import Finding, Severity
from mlvalidate.core.related import RELATED_ISSUES, RelatedIssue
from mlvalidate.core.results import Status
from mlvalidate.engine.journal import read_events
from mlvalidate.reporting.related import related_line
from mlvalidate.tracking import layout
from mlvalidate.tracking.history import open_history
from mlvalidate.tracking.reasons import RecordingError
from mlvalidate.tracking.related import find_related
from mlvalidate.tracking.session import open_session


def crash(message: str, line: int) -> tuple[Finding, ...]:
    finding = Finding(
        code="X201",
        severity=Severity.ERROR,
        message=message,
        step="train",
        location=f"train.py:{line}",
        function="fit",
    )
    return (finding,)


@dataclass(frozen=True)
class Recorded:
    """Runs of a step: 0 passed, 1 and 2 met a fault, 3 fixed it, 4 passed, 5 and 6 failed."""

    state: Path
    known: dict[int, tuple[RelatedIssue, ...]]
    artifact: tuple[RelatedIssue, ...]
    note: str
    without_answer: tuple[RelatedIssue, ...]
    in_no_time: tuple[RelatedIssue, ...]


class Silent:
    """A client of a store that does not answer."""

    def search_runs(self, *_: object, **__: object) -> None:
        raise RecordingError("away")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory, template_database: Path) -> Recorded:
    project, store = make_project(tmp_path_factory.mktemp("related") / "shop", template_database)
    failed, kind = Status.FAILED, {"kind": "script", "nodes": ("train",)}
    with open_session(store) as gateway:
        for number, findings, code in (
            (0, (), "old"),
            (1, crash("ValueError: 3 rows", 10), "worse"),
            (2, crash("ValueError: 17 rows", 12), "worse"),
            (3, (), "fixed"),
            (4, (), "later"),
            (5, crash("ValueError: 4 rows", 30), "again"),
            (6, crash("KeyError: 'age'", 30), "again"),
        ):
            record_run(
                gateway,
                project,
                number,
                status=failed if findings else Status.PASSED,
                findings=findings,
                code_hash=code,
                tags={layout.GIT_COMMIT: f"c0ffee{number}" * 5, layout.GIT_DIRTY: "true"},
                **kind,
            )
        events = list(read_events(make_folder(project.state_folder, run_id_of(5))))
        started, finished = events[0], events[-1]
        assert isinstance(started, RunStarted)
        assert isinstance(finished, RunFinished)
        in_no_time = find_related(gateway, started, finished.result, seconds=0)
        client, gateway._client = gateway._client, Silent()
        without_answer = find_related(gateway, started, finished.result)
        gateway._client = client
    known = {}
    for number in range(7):
        path = make_folder(project.state_folder, run_id_of(number)).related
        known[number] = RELATED_ISSUES.validate_json(path.read_bytes()) if path.exists() else ()
    with open_history(store, "shop") as history:
        run = history.find(run_id_of(5))
        artifact = history.result(run).related_issues
    note = run.tags[layout.MLFLOW_NOTE]
    return Recorded(project.state_folder, known, artifact, note, without_answer, in_no_time)


def ids(issue: RelatedIssue) -> list[str]:
    return [run.run_id for run in issue.seen_in]


def test_runs_that_passed_ask_nothing(recorded: Recorded) -> None:
    assert {number for number, known in recorded.known.items() if known} == {1, 2, 5, 6}


def test_a_new_fault_has_a_run_that_passed_last(recorded: Recorded) -> None:
    (issue,) = recorded.known[1]
    assert not issue.seen_in
    assert issue.fixed_by is None
    assert issue.last_passed
    assert issue.last_passed.run_id == run_id_of(0)
    assert related_line(issue) == (
        f"X201 in train: not seen before; last passed in run {run_id_of(0)} "
        "at commit c0ffee0c0f with changes"
    )


def test_a_fault_that_is_not_fixed_yet(recorded: Recorded) -> None:
    (issue,) = recorded.known[2]
    assert ids(issue) == [run_id_of(1)]
    assert issue.fixed_by is None


def test_a_fault_that_came_back_names_the_first_run_that_had_fixed_it(recorded: Recorded) -> None:
    (issue,) = recorded.known[5]
    assert ids(issue) == [run_id_of(2), run_id_of(1)]
    assert issue.fixed_by
    assert issue.fixed_by.run_id == run_id_of(3)
    assert issue.last_passed
    assert issue.last_passed.run_id == run_id_of(4)
    assert f"seen before in runs {run_id_of(2)}, {run_id_of(1)}; fixed by run" in related_line(
        issue
    )


def test_another_exception_is_another_fault(recorded: Recorded) -> None:
    (issue,) = recorded.known[6]
    assert not issue.seen_in


def test_it_is_in_the_result_and_in_the_description(recorded: Recorded) -> None:
    assert recorded.artifact == recorded.known[5]
    assert "seen before in runs" in recorded.note


def test_a_store_that_does_not_answer_is_no_fault(recorded: Recorded) -> None:
    assert recorded.without_answer == ()
    assert recorded.in_no_time == ()
