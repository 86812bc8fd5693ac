"""Recorded runs, compared: which timings count, and what differs."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tracking_builders import make_project
from tracking_history import record_run, run_id_of

from mlvalidate import api_history
from mlvalidate.core.comparison import Comparison
from mlvalidate.core.contracts import Project
from mlvalidate.core.errors import UsageError
from mlvalidate.core.history import NoHistoryError
from mlvalidate.core.results import Status
from mlvalidate.tracking import layout
from mlvalidate.tracking.comparing import compare_run
from mlvalidate.tracking.git_range import commits_between, range_of
from mlvalidate.tracking.history import History, open_history
from mlvalidate.tracking.session import open_session

OLD = {"code_hash": "old"}
NEW = {"code_hash": "new"}
NOISE = (0.02, -0.01, 0.0, 0.01, -0.02, 0.03)


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory, template_database: Path) -> Iterator[History]:
    """Six runs of old code, six of new code that is slower, and some that do not count."""
    project, store = make_project(tmp_path_factory.mktemp("compare") / "shop", template_database)
    main = {layout.GIT_BRANCH: "main", layout.GIT_COMMIT: "a" * 40}
    with open_session(store) as gateway:
        for number, noise in enumerate(NOISE):
            record_run(gateway, project, number, seconds=4 + noise, tags=main, **OLD)
        record_run(gateway, project, 6, seconds=9, tags={layout.MACHINE: "other"}, **OLD)
        record_run(gateway, project, 7, seconds=9, status=Status.FAILED, **OLD)
        record_run(gateway, project, 8, seconds=9, plan_changes={"rows": 9}, **OLD)
        record_run(gateway, project, 9, seconds=0, reused_from="20251001-000000-aa", **NEW)
        for number, noise in enumerate(NOISE, start=10):
            record_run(
                gateway, project, number, seconds=5 + noise,
                tags={layout.GIT_COMMIT: "b" * 40, layout.GIT_DIRTY: "true"},
                metrics={"auc": 0.7}, args={"ratio": "0.3"}, **NEW,
            )  # fmt: skip
        record_run(gateway, project, 16, kind="script", nodes=("train",), seconds=4)
        record_run(gateway, project, 17, kind="script", nodes=("train",), seconds=4, **NEW)
    with open_history(store, "shop") as opened:
        yield opened


def compared(history: History, run: int, reference: str, folder: Path = Path("/")) -> Comparison:
    return compare_run(history, history.find(run_id_of(run)), reference, folder)


def test_runs_of_equal_code_are_samples(history: History) -> None:
    found = compared(history, 15, run_id_of(5))
    step = found.steps[1]
    assert step.node == "train"
    timing = step.timing("duration_s")
    assert timing is not None
    assert (timing.verdict, timing.reason) == ("slower", "")
    assert timing.ratio == pytest.approx(1.25, abs=0.01)
    assert step.pool.runs_before == tuple(map(run_id_of, range(6)))
    assert step.pool.runs_after == tuple(map(run_id_of, range(10, 16)))
    assert step.pool.left_out == {
        "on another machine": 1,
        "not passed": 1,
        "with another number of rows": 1,
        "reused": 1,
    }
    memory = step.timing("peak_rss_mb")
    assert memory is not None
    assert (memory.verdict, memory.reason) == ("cannot say", "no difference beyond chance")


def test_the_runs_of_the_baseline_are_samples_whatever_their_code(history: History) -> None:
    found = compared(history, 15, "last:4")
    assert found.baselines == tuple(map(run_id_of, (14, 13, 12, 11)))
    pool = found.steps[0].pool
    assert pool.runs_before == tuple(map(run_id_of, (11, 12, 13, 14)))
    assert pool.runs_after == (run_id_of(15),)
    found = compared(history, 15, "branch:main")
    assert len(found.baselines) == 6
    assert found.steps[0].pool.runs_before == tuple(map(run_id_of, range(6)))


def test_what_differs_is_named(history: History) -> None:
    found = compared(history, 10, run_id_of(0))
    step = found.steps[0]
    assert step.changed == ("code",)
    assert [(each.name, each.before, each.after) for each in step.settings] == [
        ("arg.ratio", "", "0.3")
    ]
    changes = {change.name: (change.before, change.after) for change in step.metrics}
    assert changes == {"auc": (0.75, 0.7), "odd metric!": (1.5, None)}
    assert found.git_range == "aaaaaaaaaa..bbbbbbbbbb"
    assert found.notes == ("the run had changes that were not committed",)
    assert {each.name for each in found.environment} == {"branch"}
    assert found.before.url.endswith("?workflowType=machine_learning")
    machine = compared(history, 6, run_id_of(0))
    assert {each.name for each in machine.environment} == {"machine", "branch"}


def test_what_did_not_run_or_pass_has_no_timing(history: History) -> None:
    reused = compared(history, 9, run_id_of(0)).steps[0]
    assert (reused.untimed, reused.timings) == ("was reused now", ())
    failed = compared(history, 7, run_id_of(0)).steps[1]
    assert failed.untimed == "has not passed now"
    assert failed.has_worse_status
    worse = compared(history, 10, run_id_of(7))
    assert "the baseline has failed" in worse.notes
    assert worse.steps[1].untimed == "has not passed in the baseline"


def test_a_step_tested_alone_is_compared_as_well(history: History) -> None:
    found = compared(history, 17, "last-passed")
    assert found.before.run_id == run_id_of(16)
    assert [step.node for step in found.steps] == ["train"]
    assert found.steps[0].timings[0].reason == "1 and 1 measurements are too few"


def test_what_cannot_be_compared(history: History) -> None:
    with pytest.raises(UsageError, match="is its own baseline"):
        compared(history, 3, run_id_of(3))
    with pytest.raises(UsageError, match="is of script train, and run"):
        compared(history, 3, run_id_of(16))
    with pytest.raises(NoHistoryError):
        compared(history, 0, "last-passed")


def test_a_comparison_is_kept_with_the_newer_run(
    history: History, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    found = compared(history, 17, "last-passed")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", history.store.uri)
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", history.store.experiment)
    project = Project.model_validate(
        {"version": 1, "project": "shop", "steps": {"train": {"script": "train.py"}}}
    ).at(tmp_path)
    api_history.log_comparison(project, found, "<html>")
    run = history.find(run_id_of(17))
    names = history.download(run, layout.COMPARISONS, tmp_path)
    path = layout.comparison_artifact(run_id_of(16))
    assert names == (f"{path}.html", f"{path}.json")
    assert Comparison.model_validate_json((tmp_path / names[1]).read_text()) == found


def test_commits_between(tmp_path: Path) -> None:
    def git(*words: str) -> str:
        options = ["-c", "user.name=a", "-c", "user.email=a@b"]
        command = ["git", "-C", str(tmp_path), *options, *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    git("init", "-q")
    commits = []
    for word in ("one", "two", "three"):
        (tmp_path / "file").write_text(word)
        git("add", "-A")
        git("commit", "-qm", word)
        commits.append(git("rev-parse", "HEAD"))
    lines = commits_between(tmp_path, commits[0], commits[2])
    assert [line.split()[1] for line in lines] == ["three", "two"]
    assert commits_between(tmp_path, commits[0], "f" * 40) == ()
    assert commits_between(tmp_path, "--all", commits[0]) == ()
    assert range_of(commits[0], commits[0]) == range_of("", commits[0]) == ""
