"""`mlvalidate baseline`, and what a chosen baseline is to later comparisons."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from tracking_builders import make_project
from tracking_history import record_run, run_id_of

from mlvalidate.cli.entry import run
from mlvalidate.core.history import Scope
from mlvalidate.core.results import Status
from mlvalidate.tracking import layout
from mlvalidate.tracking.history import DEFAULT_BASELINE, open_history
from mlvalidate.tracking.session import open_session
from mlvalidate.tracking.store import Store

CHURN = Scope(project="shop", kind="pipeline", name="churn")
DECLARED = "{version: 1, project: shop, steps: {train: {script: train.py}}}"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, template_database: Path) -> tuple[str, Store]:
    """Return the folder and the store of a project: runs 0 to 2 of a pipeline, 3 of a step."""
    root = tmp_path_factory.mktemp("chosen") / "shop"
    project, store = make_project(root, template_database)
    (root / "mlvalidate.yaml").write_text(DECLARED)
    (root / "train.py").write_text("")
    with open_session(store) as gateway:
        record_run(gateway, project, 0, tags={layout.GIT_COMMIT: "c0ffee" * 6})
        record_run(gateway, project, 1)
        record_run(gateway, project, 2, status=Status.FAILED)
        record_run(gateway, project, 3, kind="script", nodes=("train",))
        record_run(gateway, project, 4, ended=False)
    return str(root), store


def default_baseline(store: Store, before: float = math.inf) -> str:
    with open_history(store, "shop") as history:
        (found,) = history.baselines(CHURN, DEFAULT_BASELINE, before)
    return found.run_id


def test_a_run_is_chosen_shown_moved_and_forgotten(
    shop: tuple[str, Store], capfd: pytest.CaptureFixture[str]
) -> None:
    root, store = shop
    # Nothing is chosen: the last that passed.
    assert default_baseline(store) == run_id_of(1)
    assert run(["baseline", "show", "-C", root]) == 0
    assert "no baseline was chosen: the last run that passed counts" in capfd.readouterr().out

    assert run(["baseline", "set", run_id_of(0), "-C", root]) == 0
    assert capfd.readouterr().out == (
        f"pipeline churn on synthetic data: run {run_id_of(0)} at commit c0ffeec0ff\n"
    )
    assert default_baseline(store) == run_id_of(0)

    # Each pipeline or step has its own.
    assert run(["baseline", "set", "train", "-C", root, "-q"]) == 0
    assert run(["baseline", "set", run_id_of(2), "-C", root]) == 0
    assert capfd.readouterr().out.endswith(f"run {run_id_of(2)} (failed)\n")
    assert run(["baseline", "show", "-C", root, "--json"]) == 0
    shown = json.loads(capfd.readouterr().out)
    assert [found["run_id"] for found in shown] == [run_id_of(3), run_id_of(2)]

    # It is no baseline of itself, nor of runs before it.
    with open_history(store, "shop") as history:
        begun = history.find(run_id_of(2)).started_at
    assert default_baseline(store, begun) == run_id_of(1)

    assert run(["baseline", "clear", "churn", "-C", root]) == 0
    assert default_baseline(store) == run_id_of(1)
    assert run(["baseline", "show", "train", "-C", root, "--json"]) == 0
    assert len(json.loads(capfd.readouterr().out.split("\n", 1)[1])) == 1


def test_what_cannot_be_a_baseline(
    shop: tuple[str, Store], capfd: pytest.CaptureFixture[str]
) -> None:
    root, _ = shop
    for arguments, said in (
        (["set", run_id_of(4)], "is not finished"),
        (["set", "20991231"], "no recorded run has the id"),
        (["clear", "nothing"], "no baseline was chosen for 'nothing'"),
    ):
        assert run(["baseline", *arguments, "-C", root]) == 2
        assert said in capfd.readouterr().err
