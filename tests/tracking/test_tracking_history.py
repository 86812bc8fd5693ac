"""The read side: which run a text stands for, and what can be had of it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tracking_builders import make_project
from tracking_history import MACHINE, record_run, run_id_of

from mlvalidate.core.errors import InfrastructureError, UsageError
from mlvalidate.core.history import NoHistoryError, Scope, StepRecord
from mlvalidate.core.results import Status
from mlvalidate.tracking import layout, search
from mlvalidate.tracking.history import History, open_history
from mlvalidate.tracking.session import open_session
from mlvalidate.tracking.store import Store

CHURN = Scope(project="shop", kind="pipeline", name="churn")
MAIN = {layout.GIT_BRANCH: "main", layout.GIT_COMMIT: "c0ffee"}


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory, template_database: Path) -> Iterator[History]:
    """Runs 0 to 9 of a pipeline, of a script, of another project, and one that goes on."""
    project, store = make_project(tmp_path_factory.mktemp("history") / "shop", template_database)
    with open_session(store) as gateway:
        record_run(gateway, project, 0, tags=MAIN)
        record_run(gateway, project, 1, tags={**MAIN, "release": "it's 1.0"})
        record_run(gateway, project, 2, tags={layout.GIT_BRANCH: "topic", "odd": """a'b"c"""})
        record_run(gateway, project, 3, status=Status.FAILED)
        record_run(gateway, project, 4, kind="script", nodes=("train",))
        record_run(gateway, project, 5, plan_changes={"scenario": "edge"}, scenario="edge")
        record_run(gateway, project, 6, plan_changes={"project": "other"})
        record_run(gateway, project, 7, kind="matrix", nodes=("train",))
        record_run(gateway, project, 8, ended=False)
    with open_history(store, "shop") as opened:
        yield opened


def ids(history: History, reference: str, number: int = 3) -> list[str]:
    before = history.find(run_id_of(number)).started_at
    return [run.run_id for run in history.baselines(CHURN, reference, before)]


def test_a_run_is_found_by_its_id_the_start_of_it_its_title_and_its_name(history: History) -> None:
    for reference, number in (
        (run_id_of(1), 1),
        ("20251009-01", 1),
        (f"churn {run_id_of(2)}", 2),
        ("churn", 5),
        ("train", 4),
    ):
        assert history.find(reference).run_id == run_id_of(number), reference
    by_mlflow = history.find(history.find(run_id_of(1)).mlflow_run_id)
    assert by_mlflow.run_id == run_id_of(1)
    of_node = history.find(history.steps(by_mlflow)[0].mlflow_run_id)
    assert (of_node.run_id, of_node.kind) == (run_id_of(1), "pipeline")


def test_a_record_has_what_is_known_of_the_run(history: History) -> None:
    run = history.find(run_id_of(1))
    assert (run.kind, run.name, run.project, run.status) == ("pipeline", "churn", "shop", "passed")
    assert (run.branch, run.commit, run.machine, run.is_dirty) == ("main", "c0ffee", MACHINE, False)
    assert (run.rows, run.seed, run.is_passed) == (500, 7, True)
    assert run.scope == CHURN
    assert run.metrics["steps.passed"] == 2
    assert not isinstance(run, StepRecord)


def test_the_nodes_of_a_run_come_in_their_order(history: History) -> None:
    steps = history.steps(history.find(run_id_of(1)))
    assert [step.node for step in steps] == ["prepare", "train"]
    assert steps[1].metrics["auc"] == 0.75
    assert (steps[1].code_hash, steps[1].pipeline) == ("code1", "churn")
    script = history.find(run_id_of(4))
    assert history.steps(script) == (script,)


def test_the_newest_run_has_ended(history: History) -> None:
    assert history.newest().run_id == run_id_of(7)
    assert history.newest("pipeline", "churn").run_id == run_id_of(5)
    with pytest.raises(NoHistoryError, match="no finished run of benchmark"):
        history.newest("benchmark")


@pytest.mark.parametrize(
    ("reference", "numbers"),
    [
        ("last-passed", [2]),
        ("last:2", [2, 1]),
        ("last:9", [2, 1, 0]),
        ("branch:main", [1, 0]),
        ("release=it's 1.0", [1]),
        ("odd=a'b\"c", [2]),
        (run_id_of(0), [0]),
        ("20251009-05", [5]),
    ],
)
def test_baselines(history: History, reference: str, numbers: list[int]) -> None:
    assert ids(history, reference) == [run_id_of(number) for number in numbers]


@pytest.mark.parametrize("reference", ["branch:gone", "release=2.0", "last:0"])
def test_a_baseline_that_is_not_there_is_told(history: History, reference: str) -> None:
    with pytest.raises(NoHistoryError, match="no run of pipeline churn on synthetic data is"):
        ids(history, reference)


def test_a_word_that_is_no_baseline_is_told(history: History) -> None:
    with pytest.raises(UsageError, match="there is no baseline 'lastpassed'") as raised:
        ids(history, "lastpassed")
    assert "last-passed" in raised.value.hint


def test_what_a_run_may_be_called(history: History) -> None:
    with pytest.raises(NoHistoryError, match="there is no run 'chrun'") as raised:
        history.find("chrun")
    assert raised.value.hint == "did you mean 'churn'?"
    with pytest.raises(UsageError, match="'20251009' is the start of several run ids"):
        history.find("20251009")
    with pytest.raises(NoHistoryError, match="no recorded run has the id '20240101'"):
        history.find("20240101")


def test_a_scope_whose_name_is_only_in_the_title(history: History) -> None:
    scope = Scope(project="shop", kind="matrix", name="train")
    assert [run.run_id for run in history.runs(scope)] == [run_id_of(7)]
    assert not list(history.runs(scope.model_copy(update={"name": "tra%"})))


def test_runs_of_one_node(history: History) -> None:
    found = list(history.step_runs(CHURN, "train"))
    # The run that goes on has none yet.
    assert [step.run_id for step in found] == [run_id_of(number) for number in (3, 2, 1, 0)]
    alone = history.step_runs(Scope(project="shop", kind="script", name="train"), "train")
    assert [step.run_id for step in alone] == [run_id_of(4)]


def test_results_are_fetched_when_they_are_asked_for(history: History, tmp_path: Path) -> None:
    run = history.find(run_id_of(1))
    assert [step.node for step in history.result(run).steps] == ["prepare", "train"]
    assert history.step_result(history.steps(run)[1]).metrics["auc"] == 0.75
    script = history.find(run_id_of(4))
    assert isinstance(script, StepRecord)
    assert history.step_result(script).node == "train"
    assert history.download(run, "result.json", tmp_path) == ("result.json",)
    assert history.download(run, "nothing/here", tmp_path) == ()
    going_on = next(history.search(search.has_tag(layout.RUN_ID, run_id_of(8))))
    with pytest.raises(NoHistoryError, match="has no result"):
        history.result(going_on)


def test_pages_are_only_asked_for_when_they_are_needed(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    search_runs = history._client.search_runs

    def count(*args: object, **options: int) -> object:
        asked.append(options["max_results"])
        return search_runs(*args, **options)

    monkeypatch.setattr(history._client, "search_runs", count)
    assert len(list(islice(history.search(), 3))) == 3
    assert asked == [10]
    # Five pipelines of two nodes, a script, a matrix of one case, and a parent without nodes.
    assert len(list(history.search())) == 5 * 3 + 1 + 2 + 1
    assert asked == [10, 10, 200]


def test_nothing_is_recorded_yet(tmp_path: Path, store: Store) -> None:
    nowhere = Store(f"sqlite:///{tmp_path}/none.db", None, "x", False)
    with pytest.raises(NoHistoryError, match=r"there is no .*none\.db"), open_history(nowhere, ""):
        pass
    assert not (tmp_path / "none.db").exists()
    with pytest.raises(NoHistoryError, match="no experiment"), open_history(store, "shop"):
        pass
    with open_session(store):
        pass
    with open_history(store, "shop") as history:
        with pytest.raises(NoHistoryError, match="has no finished run"):
            history.newest()
        with pytest.raises(NoHistoryError):
            history.baselines(CHURN, "last-passed", math.inf)


def test_a_server_that_is_away_is_told_at_once() -> None:
    away = Store("http://127.0.0.1:9", None, "x", False)
    with pytest.raises(InfrastructureError) as raised, open_history(away, "shop"):
        pass
    assert raised.value.message.startswith("the MLflow server at http://127.0.0.1:9 refuses")
    assert "MLFLOW_TRACKING_URI" in raised.value.hint


@given(st.text())
def test_a_filter_holds_its_text_in_quotes_of_one_sort(value: str) -> None:
    condition = search.has_tag("name", value)
    quoted = condition.removeprefix("tags.`name` ").removeprefix("LIKE ").removeprefix("= ")
    assert quoted[0] == quoted[-1]
    assert quoted[0] in "'\""
    assert quoted[0] not in quoted[1:-1]
    assert (quoted[1:-1] == value) is ("LIKE" not in condition)
