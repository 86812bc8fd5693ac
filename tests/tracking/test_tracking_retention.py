"""What goes of old runs, and what stays."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tracking_builders import (
    START,
    events_of,
    make_folder,
    make_plan,
    make_project,
    make_step,
    write_journal,
)
from tracking_history import record_run, run_id_of
from tracking_stored import look

from mlvalidate import api_history
from mlvalidate.core.contracts import Project
from mlvalidate.core.results import Status
from mlvalidate.core.retention import Removal, Retention, Sort
from mlvalidate.core.run_folder import RunFolder
from mlvalidate.engine.journal import write_result
from mlvalidate.tracking import layout
from mlvalidate.tracking.progress import Entry, append, decline, tracking_lock
from mlvalidate.tracking.session import open_session
from mlvalidate.tracking.store import Store


def collect(
    project: Project, sort: Sort, *, keep: int = 1, older_than: float = 1.0, dry: bool = False
) -> Removal:
    retention = Retention(sorts=(sort,), keep=keep, older_than=older_than)
    (removal,) = api_history.collect_garbage(project, retention, dry=dry).removals
    return removal


def ids(removal: Removal) -> list[str]:
    return [run.run_id for run in removal.runs]


class TestLocal:
    """Folders of runs."""

    def run(
        self, project: Project, number: int, *, name: str = "churn", **given: object
    ) -> RunFolder:
        run_id = run_id_of(number)
        plan = make_plan(project.root, ("prepare",)).model_copy(update={"name": name})
        status = given.get("status", Status.PASSED)
        events = events_of(plan, [make_step(0, "prepare", status)], run_id)  # type: ignore[arg-type]
        events[0] = events[0].model_copy(update={"at": START + 3600 * number})
        folder = make_folder(project.state_folder, run_id)
        write_journal(folder, events)
        write_result(folder, events[-1].result)  # type: ignore[attr-defined]
        samples = folder.step("prepare").samples / "out"
        samples.mkdir(parents=True, exist_ok=True)
        (samples / "a.parquet").write_bytes(b"x" * 10_000)
        if given.get("recorded", True):
            append(folder, Entry(op="done"))
        return folder

    def test_the_newest_stay(self, project: Project) -> None:
        folders = [self.run(project, number) for number in range(5)]
        self.run(project, 9, name="other")
        foreseen = collect(project, Sort.JOURNALS, keep=2, dry=True)
        assert ids(foreseen) == [run_id_of(number) for number in range(3)]
        assert all(folder.root.exists() for folder in folders)
        assert foreseen.size_bytes >= 30_000
        removal = collect(project, Sort.JOURNALS, keep=2)
        assert removal == foreseen
        assert removal.kept == {"among the newest of their pipeline or step": 3}
        assert [folder.root.exists() for folder in folders] == [False] * 3 + [True] * 2

    def test_the_last_that_passed_stays(self, project: Project) -> None:
        self.run(project, 0)
        passed = self.run(project, 1)
        for number in (2, 3):
            self.run(project, number, status=Status.FAILED)
        removal = collect(project, Sort.JOURNALS)
        assert ids(removal) == [run_id_of(0), run_id_of(2)]
        assert removal.kept["the last that passed"] == 1
        assert passed.root.exists()

    def test_what_waits_or_runs_stays(self, project: Project) -> None:
        self.run(project, 0, recorded=False)
        declined = self.run(project, 1, recorded=False)
        decline(declined)
        self.run(project, 2)
        assert ids(collect(project, Sort.JOURNALS, keep=1)) == [declined.run_id]

    def test_what_is_being_recorded_stays(self, project: Project) -> None:
        held = self.run(project, 0)
        self.run(project, 1)
        with tracking_lock(held) as is_held:
            assert is_held
            removal = collect(project, Sort.JOURNALS)
        assert removal.failed == {held.run_id: "another process is recording it"}
        assert held.root.exists()
        assert ids(collect(project, Sort.JOURNALS)) == [held.run_id]

    def test_young_runs_stay(self, project: Project) -> None:
        self.run(project, 0)
        self.run(project, 1)
        removal = collect(project, Sort.JOURNALS, older_than=10**9)
        assert (ids(removal), removal.kept["not old enough"]) == ([], 1)

    def test_data_goes_and_the_journal_stays(self, project: Project) -> None:
        old = self.run(project, 0)
        self.run(project, 1)
        removal = collect(project, Sort.DATA)
        assert ids(removal) == [old.run_id]
        assert old.journal.exists()
        assert old.result.exists()
        assert not old.step("prepare").samples.exists()
        # Nothing is left to go.
        assert ids(collect(project, Sort.DATA)) == []

    def test_what_another_name_holds_is_not_freed(self, project: Project) -> None:
        old = self.run(project, 0)
        self.run(project, 1)
        alone = collect(project, Sort.DATA, dry=True).size_bytes
        sample = old.step("prepare").samples / "out/a.parquet"
        os.link(sample, project.root / "kept")
        assert alone - collect(project, Sort.DATA, dry=True).size_bytes >= 10_000

    def test_a_folder_of_which_nothing_is_known(self, project: Project) -> None:
        empty = make_folder(project.state_folder, "20250101-000000-aaaaaa")
        self.run(project, 1)
        empty.root.mkdir(parents=True)
        os.utime(empty.root, (START, START))
        collect(project, Sort.JOURNALS)
        # It is the newest of its own sort.
        assert empty.root.exists()


class TestRecorded:
    """Runs in MLflow."""

    @pytest.fixture
    def shop(self, tmp_path: Path, template_database: Path) -> tuple[Project, Store]:
        return make_project(tmp_path / "shop", template_database)

    def test_old_runs_go_with_their_steps(self, shop: tuple[Project, Store]) -> None:
        project, store = shop
        with open_session(store) as gateway:
            for number in range(4):
                record_run(gateway, project, number)
            record_run(gateway, project, 4, plan_changes={"project": "another"})
        removal = collect(project, Sort.RUNS, keep=2)
        assert ids(removal) == [run_id_of(0), run_id_of(1)]
        assert "mlflow gc --backend-store-uri sqlite:///" in removal.note
        left = {key.partition("/")[0] for key in look(store).runs}
        assert left == {run_id_of(number) for number in (2, 3, 4)}

    def test_what_others_need_stays(self, shop: tuple[Project, Store]) -> None:
        project, store = shop
        baseline = {layout.CHOSEN_BASELINE: layout.CHOSEN}
        with open_session(store) as gateway:
            record_run(gateway, project, 0, tags=baseline)
            record_run(gateway, project, 1)
            record_run(gateway, project, 2, ended=False)
            record_run(gateway, project, 3)
            for number in (4, 5):
                record_run(gateway, project, number, status=Status.FAILED)
            record_run(gateway, project, 6, status=Status.FAILED, reused_from=run_id_of(1))
        removal = collect(project, Sort.RUNS)
        assert ids(removal) == [run_id_of(4), run_id_of(5)]
        assert removal.kept == {
            "a baseline that was chosen": 1,
            "running": 1,
            "the last that passed": 1,
            "among the newest of their pipeline or step": 1,
            "reused by runs that stay": 1,
        }

    def test_a_dry_run_deletes_nothing(self, shop: tuple[Project, Store]) -> None:
        project, store = shop
        with open_session(store) as gateway:
            for number in range(3):
                record_run(gateway, project, number)
        before = len(look(store).runs)
        assert len(collect(project, Sort.RUNS, dry=True).runs) == 2
        assert len(look(store).runs) == before

    def test_nothing_is_recorded(self, shop: tuple[Project, Store]) -> None:
        assert collect(shop[0], Sort.RUNS) == Removal(sort=Sort.RUNS)
