"""Throws old runs away: their folders on this disk, and their runs in MLflow.

What waits to be recorded, what runs, and what later runs are compared with stays.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlvalidate.core.history import NoHistoryError
from mlvalidate.core.results import Status
from mlvalidate.core.retention import OldRun, Removal, Retention, Sort
from mlvalidate.core.run_folder import RunFolder
from mlvalidate.engine.journal import all_runs, owner_is_alive
from mlvalidate.engine.scratch import remove_folder
from mlvalidate.tracking import layout, search
from mlvalidate.tracking.history import History, open_history
from mlvalidate.tracking.progress import tracking_lock
from mlvalidate.tracking.reasons import RecordingError
from mlvalidate.tracking.session import open_session
from mlvalidate.tracking.store import Store
from mlvalidate.tracking.sync import has_to_be_recorded

# Of a run's folder and of each of its steps: all that is data.
_DATA_OF_RUN = ("sources", "references", "reports")
_DATA_OF_STEP = ("ml", "outputs", "samples", "analysis", "baseline", "entry.json", "harness")


@dataclass(frozen=True)
class _Known:
    """A run that may go, and the ``group`` in which the newest stay.

    ``spared_by`` says why it stays whatever its age.
    """

    run: OldRun
    group: tuple[str, ...]
    passed: bool
    spared_by: str = ""


def collect_local(state_folder: Path, retention: Retention, sort: Sort, *, dry: bool) -> Removal:
    """Throw away folders of runs, or the data in them; ``sort`` is one of these two."""
    folders = {folder.run_id: folder for folder in all_runs(state_folder)}
    known = [_known(folder) for folder in folders.values()]
    chosen, kept = _choose(known, retention)
    failed: dict[str, str] = {}
    gone = []
    for run in chosen:
        places = _places(folders[run.run_id], sort)
        size = sum(map(_size, places))
        if sort is Sort.DATA and not places:
            continue
        if not dry and (reason := _remove(folders[run.run_id], places)):
            failed[run.run_id] = reason
            continue
        gone.append(run.model_copy(update={"size_bytes": size}))
    return Removal(sort=sort, runs=tuple(gone), kept=kept, failed=failed)


def _choose(known: Iterable[_Known], retention: Retention) -> tuple[list[OldRun], dict[str, int]]:
    """Return the runs that go, the oldest first, and how many stay for which reason."""
    groups: dict[tuple[str, ...], list[_Known]] = defaultdict(list)
    for each in known:
        groups[each.group].append(each)
    limit = time.time() - retention.older_than
    chosen: list[OldRun] = []
    kept: Counter[str] = Counter()
    for group in groups.values():
        newest_first = sorted(group, key=lambda each: each.run.started_at, reverse=True)
        last_passed = next((each for each in newest_first if each.passed), None)
        for place, each in enumerate(newest_first):
            reason = each.spared_by
            if place < retention.keep:
                reason = reason or "among the newest of their pipeline or step"
            elif each is last_passed:
                reason = reason or "the last that passed"
            elif each.run.started_at > limit:
                reason = reason or "not old enough"
            if reason:
                kept[reason] += 1
            else:
                chosen.append(each.run)
    return sorted(chosen, key=lambda run: run.started_at), dict(kept)


def _known(folder: RunFolder) -> _Known:
    started = _first_event(folder)
    plan = started.get("plan", {})
    run = OldRun(
        run_id=folder.run_id,
        name=str(plan.get("name", "")),
        kind=str(plan.get("kind", "")),
        started_at=started.get("at") or folder.root.stat().st_mtime,
    )
    return _Known(run, (run.kind, run.name), _has_passed(folder), _reason_to_spare(folder))


def _first_event(folder: RunFolder) -> dict[str, Any]:
    """Return the first line of a journal as plain data; empty where there is none."""
    try:
        with folder.journal.open("rb") as journal:
            found = json.loads(journal.readline())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _has_passed(folder: RunFolder) -> bool:
    try:
        result = json.loads(folder.result.read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(result, dict) and result.get("status") == Status.PASSED.value


def _reason_to_spare(folder: RunFolder) -> str:
    try:
        if owner_is_alive(folder):
            return "running"
    except OSError as error:
        return f"not readable: {error.strerror}"
    return "waiting to be recorded" if has_to_be_recorded(folder) else ""


def _places(folder: RunFolder, sort: Sort) -> list[Path]:
    if sort is Sort.JOURNALS:
        return [folder.root]
    steps = folder.root / "steps"
    found = [folder.root / name for name in _DATA_OF_RUN]
    found += [step / name for step in sorted(steps.glob("*")) for name in _DATA_OF_STEP]
    return [place for place in found if place.exists()]


def _size(place: Path) -> int:
    """Return the bytes that removing a file or folder frees: those that no other name holds."""
    files = [place] if place.is_file() else place.rglob("*")
    size = 0
    for file in files:
        with contextlib.suppress(OSError):
            state = file.lstat()
            if state.st_nlink == 1 or file.is_symlink():
                size += state.st_blocks * 512
    return size


def _remove(folder: RunFolder, places: list[Path]) -> str:
    """Remove files and folders of a run; return why that was not possible, or an empty text."""
    try:
        with tracking_lock(folder) as held:
            if not held:
                return "another process is recording it"
            for place in places:
                if place.is_dir():
                    remove_folder(place)
                else:
                    place.unlink(missing_ok=True)
    except OSError as error:
        return f"{error.strerror}: {error.filename}"
    left = [place for place in places if place.exists()]
    return f"{left[0]} could not be removed" if left else ""


def collect_recorded(store: Store, project: str, retention: Retention, *, dry: bool) -> Removal:
    """Delete runs of a project in MLflow, with the nested ones and the traces.

    InfrastructureError when the store is away. MLflow keeps deleted runs in its trash.
    """
    try:
        with open_history(store, project) as history:
            chosen, kept = _choose(_recorded(history), retention)
            referred = _referred(history, {run.run_id for run in chosen}) if chosen else set()
    except NoHistoryError:
        return Removal(sort=Sort.RUNS)
    gone = [run for run in chosen if run.run_id not in referred]
    if len(gone) < len(chosen):
        kept["reused by runs that stay"] = len(chosen) - len(gone)
    failed = {} if dry else _delete(store, gone)
    gone = [run for run in gone if run.run_id not in failed]
    return Removal(
        sort=Sort.RUNS,
        runs=tuple(gone),
        kept=kept,
        failed=failed,
        note=_trash(store) if gone else "",
    )


def _recorded(history: History) -> Iterator[_Known]:
    for run in history.search(search.lacks_value(layout.KIND, search.STEP)):
        chosen = run.tags.get(layout.CHOSEN_BASELINE) == layout.CHOSEN
        spared = "a baseline that was chosen" if chosen else ""
        if run.status == layout.RUNNING:
            spared = "running"
        old = OldRun(run_id=run.run_id, name=run.name, kind=run.kind, started_at=run.started_at)
        # Of each scope the last that passed is what later runs are compared with.
        group = tuple(run.scope.model_dump().values())
        yield _Known(old, group, run.is_passed, spared)


def _referred(history: History, going: set[str]) -> set[str]:
    """Return those of the runs that others have reused steps of, which stay."""
    reused = history.search(search.has_tag(layout.KIND, search.STEP), search.is_reused(), page=1000)
    return {
        reused_from
        for step in reused
        if step.run_id not in going and (reused_from := step.tags[layout.REUSED_FROM]) in going
    }


def _delete(store: Store, runs: Sequence[OldRun]) -> dict[str, str]:
    failed: dict[str, str] = {}
    try:
        with open_session(store) as gateway:
            for run in runs:
                try:
                    gateway.delete_family(run.run_id)
                except RecordingError as error:
                    failed[run.run_id] = error.message
    except RecordingError as error:
        failed.update({run.run_id: error.message for run in runs})
    return failed


def _trash(store: Store) -> str:
    where = "MLflow keeps deleted runs until `mlflow gc` is run"
    if store.needs_ui:
        return f"{where}: mlflow gc --backend-store-uri {store.shown_uri}"
    return f"{where} where the server's database is"
