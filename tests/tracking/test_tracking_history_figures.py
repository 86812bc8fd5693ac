"""What gates on history are told: from runs that are recorded, of one that is not yet."""

from __future__ import annotations

from pathlib import Path

import pytest
from tracking_builders import START, make_plan, make_project
from tracking_history import MACHINE, make_steps, record_run, run_id_of

from mlvalidate.core.findings import Finding, Severity
from mlvalidate.core.gates import Gate
from mlvalidate.core.history import HistoryFigure, Scope
from mlvalidate.core.results import FileSummary, PipelineResult, PortSummary, Status
from mlvalidate.tracking import history_figures, layout
from mlvalidate.tracking.past import Past, Question, look_up
from mlvalidate.tracking.session import open_session
from mlvalidate.tracking.store import Store

NOISE = (0.02, -0.01, 0.0, 0.01, -0.02)
PLAN = make_plan(Path("/project"), ("prepare", "train"))
OLD, NEW = {"code_hash": "old"}, {"code_hash": "new"}


def ports(**columns: str) -> tuple[PortSummary, ...]:
    table = FileSummary(name="a.csv", size_bytes=1, columns=columns, digest=str(columns))
    return (PortSummary(port="out", path="/opt/ml/processing/out", files=(table,)),)


def finding(code: str, severity: Severity = Severity.WARNING) -> Finding:
    return Finding(code=code, severity=severity, message=f"found {code}", step="train")


KNOWN = finding("F304")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, template_database: Path) -> Store:
    """Five runs of old code, two that failed, and four of new code, which takes longer."""
    project, store = make_project(tmp_path_factory.mktemp("gates") / "shop", template_database)
    held = {"outputs": ports(age="int64"), "findings": (KNOWN,)}
    with open_session(store) as gateway:
        for number, noise in enumerate(NOISE):
            record_run(gateway, project, number, seconds=4 + noise, **OLD, **held)
        for number in (5, 6):
            record_run(gateway, project, number, seconds=4, status=Status.FAILED, **OLD)
        for number, noise in enumerate(NOISE[:4], start=7):
            record_run(gateway, project, number, seconds=5.2 + noise, **NEW, **held)
    return store


def past(store: Store, last: int = 19) -> Past:
    """Return what is recorded, as it comes from a process of its own."""
    question = Question(store=store, scope=Scope.of(PLAN), nodes=2, last=last)
    return Past.model_validate_json(look_up(question).model_dump_json())


def result_of(seconds: float = 4.0, **changes: object) -> PipelineResult:
    shift = 3600.0 * 20
    given = {"outputs": ports(age="int64"), **NEW, **changes}
    steps = tuple(
        step.model_copy(update={"started_at": step.started_at + shift})
        for step in make_steps(("prepare", "train"), seconds, Status.PASSED, **given)
    )
    bare = PipelineResult.of(PLAN, run_id_of(20), Status.PASSED, START + shift, START + shift)
    return bare.model_copy(update={"steps": steps})


@pytest.fixture(autouse=True)
def this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history_figures, "machine_key", lambda: MACHINE)


def figure(text: str, known: Past, result: PipelineResult) -> HistoryFigure:
    gate = Gate.parse(text)
    return history_figures.history_figures(known, PLAN, result, [gate])[gate.figure]


def test_a_regression_is_measured_against_runs_of_other_code(store: Store) -> None:
    known = past(store)
    assert known.baseline is not None
    assert known.baseline.run_id == run_id_of(10)
    found = figure("regression.duration <= 20%", known, result_of(5.2))
    assert found.value == pytest.approx(0.3, abs=0.01)
    assert "takes 1.30 times as much" in found.detail
    assert "5 runs against 5 of the baseline" in found.detail
    memory = figure("train.regression.memory <= 20%", known, result_of(5.2))
    assert (memory.value, memory.detail) == (0.0, "no step takes more")


def test_one_run_of_new_code_is_too_few_to_judge(store: Store) -> None:
    found = figure("regression.duration <= 20%", past(store), result_of(9, code_hash="newer"))
    assert found.value is None
    assert found.reason.startswith("of prepare 4 and 1 measurements are too few")


def test_steps_that_were_reused_have_no_time(store: Store) -> None:
    reused = result_of(9, reused_from=run_id_of(3))
    found = figure("train.regression.duration <= 20%", past(store), reused)
    assert (found.value, found.reason) == (None, "train was reused now")


def test_a_chosen_baseline_stays(store: Store) -> None:
    known = past(store)
    assert known.baseline is not None
    chosen = known.baseline.model_copy(update={"tags": {layout.CHOSEN_BASELINE: layout.CHOSEN}})
    # It has the new code: nothing that comes after it is worse.
    found = figure(
        "regression.duration <= 20%", known.model_copy(update={"baseline": chosen}), result_of(5.2)
    )
    assert "measurements are too few" in found.reason


def test_new_findings(store: Store) -> None:
    info = finding("Q404", Severity.INFO)
    result = result_of(findings=(KNOWN, info, finding("F310")))
    found = figure("new_findings == 0", past(store), result)
    assert found.value == 1
    assert found.detail == f"baseline {run_id_of(10)}: F310 train"
    assert figure("prepare.new_findings == 0", past(store), result).value == 0
    assert figure("train.new_findings == 0", past(store), result).value == 1


def test_schema_changes(store: Store) -> None:
    result = result_of(outputs=ports(age="float64"))
    found = figure("schema_changes == 0", past(store), result)
    assert found.value == 2
    assert found.detail.endswith("prepare.out/a.csv, train.out/a.csv")
    assert figure("train.schema_changes == 0", past(store), result).value == 1
    assert figure("schema_changes == 0", past(store), result_of()).value == 0


@pytest.mark.parametrize(("last", "share"), [(20, 10 / 12), (7, 5 / 7), (5, 1.0)])
def test_a_pass_rate_has_this_run_in_it(store: Store, last: int, share: float) -> None:
    found = figure(f"pass_rate({last}) >= 95%", past(store, last - 1), result_of())
    assert found.value == pytest.approx(share)


def test_a_failed_run_lowers_its_own_pass_rate(store: Store) -> None:
    failed = result_of().model_copy(update={"status": Status.FAILED})
    assert figure("pass_rate(2) >= 95%", past(store, 1), failed).value == 0.5


def test_nothing_is_recorded(tmp_path: Path, template_database: Path) -> None:
    _, empty = make_project(tmp_path / "shop", template_database)
    known = past(empty)
    assert not known.is_away
    for text in ("new_findings == 0", "schema_changes == 0", "regression.duration <= 20%"):
        found = figure(text, known, result_of())
        assert found.value is None
        assert "nothing is recorded yet" in found.reason
    rate = figure("pass_rate >= 95%", known, result_of())
    assert rate.reason == "there are only 1 runs, this one included"
    assert figure("pass_rate(1) >= 95%", known, result_of()).value == 1


def test_nothing_has_passed(tmp_path: Path, template_database: Path) -> None:
    project, store = make_project(tmp_path / "shop", template_database)
    with open_session(store) as gateway:
        record_run(gateway, project, 0, status=Status.FAILED)
    found = figure("new_findings == 0", past(store), result_of())
    assert found.reason == "no run of pipeline churn on synthetic data has passed yet"


def test_the_store_is_away() -> None:
    known = past(Store("http://127.0.0.1:9", None, "shop", False))
    assert known.is_away
    for text in ("new_findings == 0", "pass_rate >= 95%"):
        assert figure(text, known, result_of()).reason == known.problem
