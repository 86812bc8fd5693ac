"""Trends: which runs are in one series, where it changes, what fails and what is flaky."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tracking_builders import make_project
from tracking_history import MACHINE, record_run, run_id_of

import mlvalidate
from benchmarks.trend import Copy, copy_run
from mlvalidate.cli.entry import run
from mlvalidate.core.contracts import Project
from mlvalidate.core.errors import UsageError
from mlvalidate.core.findings import Finding, Severity
from mlvalidate.core.history import NoHistoryError, RunRecord, StepRecord
from mlvalidate.core.trend import Series, Trend
from mlvalidate.tracking import layout
from mlvalidate.tracking.history import open_history
from mlvalidate.tracking.session import open_session
from mlvalidate.tracking.store import resolve_store
from mlvalidate.tracking.trend import find_trend
from mlvalidate.tracking.trend_series import make_series, recurrences, reliability

YAML = """
version: 1
project: shop
steps: {prepare: {script: s.py}, train: {script: s.py}, idle: {script: s.py}}
pipelines: {churn: {nodes: [prepare, train]}, fresh: {nodes: [idle]}}
"""


def step(number: int, seconds: float = 2.0, **changes: Any) -> StepRecord:
    values: dict[str, Any] = {
        "mlflow_run_id": f"m{number}",
        "run_id": f"r{number}",
        "kind": "step",
        "name": "train",
        "node": "train",
        "step": "train",
        "pipeline": "churn",
        "project": "shop",
        "status": "passed",
        "started_at": 100.0 * number,
        "machine": "big",
        "commit": f"commit{number}",
        "start": "warm",
        "code_hash": "c",
        "contract_hash": "k",
        "data_hash": "d",
        "metrics": {"duration_s": seconds, "auc": 0.8},
    }
    return StepRecord.model_validate({**values, **changes})


def ids(series: Series) -> list[str]:
    return [point.run_id for point in series.points]


def test_a_change_is_where_it_was_made() -> None:
    runs = [step(number, 2.0 if number < 8 else 3.0) for number in range(16)]
    (change,) = make_series("train", "duration_s", runs).changes
    assert (change.run_id, change.run_before) == ("r8", "r7")
    assert (change.commit, change.commit_before) == ("commit8", "commit7")
    assert (change.before, change.after, change.ratio) == (2.0, 3.0, 0.5)


def test_a_step_of_milliseconds_is_no_change_but_one_of_a_score_is() -> None:
    runs = [
        step(number, metrics={"duration_s": 0.01 + late / 50, "auc": 0.8 - late / 1000})
        for number in range(20)
        for late in [number >= 10]
    ]
    assert not make_series("train", "duration_s", runs).changes
    assert len(make_series("train", "auc", runs).changes) == 1


@pytest.mark.parametrize(
    ("change", "reason", "matters_to_scores"),
    [
        ({"machine": "small"}, "on another machine", False),
        ({"start": "cold"}, "started otherwise (warm, cold)", False),
        ({"tags": {layout.SANDBOX: "none"}}, "in another sandbox", False),
        ({"rows": 50}, "with another number of rows", True),
        ({"data_source": "sample"}, "on other data", True),
        ({"scenario": "edge"}, "of another scenario", True),
        ({"pipeline": "", "kind": "script"}, "in another pipeline, or alone", True),
        ({"status": "failed"}, "not passed", True),
        ({"reused_from": "r0"}, "reused", True),
    ],
)
def test_only_comparable_runs_are_in_a_series(
    change: dict[str, Any], reason: str, matters_to_scores: bool
) -> None:
    runs = [step(0), step(1), step(2, **change)]
    series = make_series("train", "duration_s", runs)
    assert ids(series) == ["r0", "r1"]
    assert series.left_out == {reason: 1}
    assert len(make_series("train", "auc", runs).points) == (2 if matters_to_scores else 3)


def test_runs_without_the_metric_are_left_out() -> None:
    runs = [step(0), step(1, metrics={}), step(2, metrics={"duration_s": float("nan")})]
    assert make_series("train", "duration_s", runs).left_out == {"without duration_s": 2}
    empty = make_series("train", "duration_s", runs[1:])
    assert (empty.points, empty.conditions) == ((), {})


def test_of_groups_of_one_size_the_newest_counts() -> None:
    runs = [step(0), step(1, machine="small")]
    series = make_series("train", "duration_s", runs)
    assert (ids(series), series.conditions["machine"]) == (["r1"], "small")


def test_whole_runs_are_comparable_when_they_did_the_same_work() -> None:
    whole = [
        RunRecord(
            mlflow_run_id=f"p{number}", run_id=f"r{number}", kind="pipeline", name="churn",
            project="shop", status="passed", started_at=number, metrics={"duration_s": 1.0},
        )
        for number in range(3)
    ]  # fmt: skip
    nodes = {"r0": [step(0)], "r1": [step(1, reused_from="r0")], "r2": [step(2)]}
    series = make_series("", "duration_s", whole, nodes)
    assert ids(series) == ["r0", "r2"]
    assert series.left_out == {"with other steps reused, cold or not run": 1}
    assert series.conditions["steps"] == "train warm"


def test_a_verdict_that_flips_on_equal_hashes_is_flaky() -> None:
    statuses = ["passed", "failed", "failed", "passed", "interrupted", "passed"]
    found = reliability("train", [step(n, status=status) for n, status in enumerate(statuses)])
    assert (found.runs, found.failed, found.failure_rate) == (5, 2, 0.4)
    assert [(flip.run_before, flip.run_id) for flip in found.flips] == [("r0", "r1"), ("r2", "r3")]
    assert found.is_flaky


@pytest.mark.parametrize(
    "change", [{"code_hash": "x"}, {"data_hash": "x"}, {"contract_hash": "x"}, {"code_hash": ""}]
)
def test_a_verdict_that_changes_with_what_ran_is_not_flaky(change: dict[str, str]) -> None:
    found = reliability("train", [step(0), step(1, status="failed", **change)])
    assert (found.failed, found.is_flaky) == (1, False)
    assert not reliability("train", []).failure_rate


def test_findings_come_by_how_many_runs_have_them() -> None:
    rare = Finding(code="X201", severity=Severity.ERROR, message="exit code 1", step="train")
    often = Finding(code="Q401", severity=Severity.WARNING, message="7 nulls", step="prepare")
    later = often.model_copy(update={"message": "9 nulls"})
    info = often.model_copy(update={"severity": Severity.INFO, "code": "Q402"})
    found = recurrences({"r0": [often, often], "r1": [rare, info], "r2": [later]})
    assert [(each.code, each.runs) for each in found] == [("Q401", 2), ("X201", 1)]
    assert (found[0].message, found[0].first_run, found[0].last_run) == ("9 nulls", "r0", "r2")
    assert (found[1].node, found[1].severity) == ("train", "error")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, template_database: Path) -> Project:
    """Eleven runs of a pipeline: the last five take longer. One failed; a script and a matrix."""
    root = tmp_path_factory.mktemp("trend") / "shop"
    project, store = make_project(root, template_database)
    (root / "mlvalidate.yaml").write_text(YAML)
    (root / "s.py").write_text("")
    with open_session(store) as gateway:
        record_run(gateway, project, 0, seconds=2.0, tags={layout.GIT_COMMIT: "00c0ffee"})
        record_run(gateway, project, 11, kind="script", nodes=("train",))
        record_run(gateway, project, 12, kind="matrix", nodes=("train",))
        record_run(gateway, project, 13, ended=False)
    assert store.local_path is not None
    copy_run(store.local_path, run_id_of(0), map(_later, range(1, 11)))
    return mlvalidate.open_project(root)


def _later(number: int) -> Copy:
    tags = {layout.GIT_COMMIT: f"{number:02d}c0ffee"}
    verdict = {layout.STATUS: "failed" if number == 2 else "passed"}
    seconds = {"duration_s": 2.0 if number < 6 else 3.0}
    return Copy(
        run_id_of(number),
        shift_s=3600.0 * number,
        tags={"": {**tags, **verdict}, "prepare": tags, "train": {**tags, **verdict}},
        metrics={"prepare": seconds, "train": seconds},
    )


def nodes_of(trend: Trend) -> list[tuple[str, int]]:
    return [(series.node, len(series.points)) for series in trend.series]


def test_a_pipeline_has_a_series_of_its_own_and_one_for_each_node(project: Project) -> None:
    trend = mlvalidate.trend(project, "churn")
    assert isinstance(trend, Trend)
    assert (trend.kind, trend.runs) == ("pipeline", 11)
    assert nodes_of(trend) == [("", 10), ("prepare", 11), ("train", 10)]
    assert trend.series[0].conditions["machine"] == MACHINE
    assert trend.series[2].left_out == {"not passed": 1}
    (change,) = trend.series[2].changes
    assert (change.run_id, change.commit) == (run_id_of(6), "06c0ffee")
    assert (change.before, change.after) == (2.0, 3.0)
    by_node = {each.node: each for each in trend.reliability}
    assert (by_node[""].failed, by_node["prepare"].failed, by_node["train"].failed) == (1, 0, 1)
    assert [flip.run_id for flip in by_node["train"].flips] == [run_id_of(2), run_id_of(3)]


def test_findings_are_read_from_the_results(project: Project) -> None:
    trend = mlvalidate.trend(project, "churn")
    (finding,) = trend.findings
    # All copies share the artifacts of one run.
    assert (finding.code, finding.runs, finding.last_run) == ("G601", 11, run_id_of(10))
    assert (trend.runs_with_findings, trend.runs_read) == (11, 11)
    assert not mlvalidate.trend(project, "train").findings


def test_the_last_runs_are_looked_at(project: Project) -> None:
    trend = mlvalidate.trend(project, "churn", last=3)
    assert (trend.runs, nodes_of(trend)) == (3, [("", 3), ("prepare", 3), ("train", 3)])
    assert trend.series[0].points[-1].run_id == run_id_of(10)


def test_a_step_is_trended_where_it_ran_most(project: Project) -> None:
    trend = mlvalidate.trend(project, "train", "memory")
    assert (trend.kind, trend.runs, nodes_of(trend)) == ("step", 12, [("train", 10)])
    left_out = {"not passed": 1, "in another pipeline, or alone": 1}
    assert trend.series[0].left_out == left_out


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ("auc", [("prepare", "auc"), ("train", "auc")]),
        ("train.auc", [("train", "auc")]),
        ("rows", [("prepare", "rows.train"), ("train", "rows.train")]),
        ("steps.passed", [("", "steps.passed")]),
        ("prepare.memory", [("prepare", "peak_rss_mb")]),
    ],
)
def test_metrics(project: Project, metric: str, expected: list[tuple[str, str]]) -> None:
    trend = mlvalidate.trend(project, "churn", metric)
    assert [(series.node, series.metric) for series in trend.series] == expected


@pytest.mark.parametrize(
    ("name", "metric", "message", "hint"),
    [
        ("chrun", "duration", "there is no pipeline or step 'chrun'", "did you mean 'churn'?"),
        ("fresh", "duration", "no finished run of pipeline 'fresh'", "test-pipeline fresh"),
        ("idle", "duration", "no finished run of step 'idle'", "test-script idle"),
        ("churn", "acu", "no run of 'churn' has a metric 'acu'", "did you mean 'auc'?"),
        ("churn", "zzzz", "no run of 'churn' has a metric 'zzzz'", "there is auc, cpu_s, duration"),
    ],
)
def test_what_is_not_there_is_told(
    project: Project, name: str, metric: str, message: str, hint: str
) -> None:
    with pytest.raises(UsageError) as raised:
        mlvalidate.trend(project, name, metric)
    assert message in raised.value.message
    assert hint in raised.value.hint


def test_no_passed_run_is_told(project: Project) -> None:
    store = resolve_store(project, {})
    with open_history(store, "shop") as history, pytest.raises(NoHistoryError) as raised:
        find_trend(history, project, "nothing")
    assert "there is no pipeline or step 'nothing'" in raised.value.message


def show(project: Project, capfd: pytest.CaptureFixture[str], *words: str) -> str:
    assert run(["trend", *words, "-C", str(project.root)]) == 0
    return capfd.readouterr().out


def test_a_trend_is_shown(
    project: Project, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    said = show(project, capfd, "churn")
    assert said.startswith("trend of pipeline churn | duration | 11 runs, 2025-10-")
    assert "▁▁▁▁▁|█████" in said
    assert "11 G601 gate is close" in " ".join(said.split())
    line = (
        f"CHANGED  train duration_s from 2.00s to 3.00s (+50 %) in run {run_id_of(6)}, "
        "at commit 06c0ffee; the run before was at 05c0ffee"
    )
    assert line in said
    assert "FLAKY    train changed its verdict 2 times on equal code, contract and data" in said
    assert "left out: churn, train: 1 not passed" in said
    assert "comparable: churn: steps prepare, train" in said
    short = show(project, capfd, "churn", "-q")
    assert line in short
    assert "▁" not in short


def test_a_trend_is_written_as_json(project: Project, capfd: pytest.CaptureFixture[str]) -> None:
    written = json.loads(show(project, capfd, "train", "--metric", "auc", "--last", "2", "--json"))
    assert Trend.model_validate(written) == mlvalidate.trend(project, "train", "auc", 2)


def test_unknown_names_are_errors_of_the_call(
    project: Project, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(["trend", "chrun", "-C", str(project.root)]) == 2
    assert "did you mean 'churn'?" in capfd.readouterr().err


def test_charts_are_written_to_a_page(
    project: Project, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    page = tmp_path / "new" / "trend.html"
    show(project, capfd, "churn", "-q", "--html", str(page))
    text = page.read_text()
    assert "Trend of pipeline churn over 11 runs" in text
    assert "from 2.00s to 3.00s (+50 %) at 06c0ffee" in text
    assert "<script src=" not in text  # it opens without the network
    assert run(["trend", "churn", "--html", f"{page}/x.html", "-C", str(project.root)]) == 2
    assert "can't write the charts to" in capfd.readouterr().err
