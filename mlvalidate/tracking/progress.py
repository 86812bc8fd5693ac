"""The progress of recording one run: `tracking.jsonl`, one line per finished operation.

A crash leaves a torn last line at worst. Who records a run, or syncs it later, holds its lock.
"""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from pydantic import Field, ValidationError

from mlvalidate.core.model import Model
from mlvalidate.core.run_folder import RunFolder

_POLL_SECONDS = 0.05


class Entry(Model):
    """One finished operation.

    `context` keeps the tags that can only be found out while the run goes on (commit, CI job).
    `started` comes before the first write to a store, `created` after a run of MLflow's exists,
    `recorded` when all of a node is in it, `done` when the whole run is, `report` when one of its
    reports is, `reports` when no more will come, `failed` when recording gave up until the next
    sync, and `declined` when the user wants no record.
    """

    op: Literal[
        "context",
        "started",
        "created",
        "recorded",
        "done",
        "report",
        "reports",
        "failed",
        "declined",
    ]
    at: float = Field(default_factory=time.time)
    store: str = ""
    key: str = ""
    experiment_id: str = ""
    mlflow_run_id: str = ""
    run_url: str = ""
    tags: dict[str, str] = Field(default_factory=dict)
    reason: str = ""
    traceback: str = ""


@dataclass(frozen=True)
class Progress:
    """What the log says. Nodes are `recorded` in one store, all else counts whatever the store.

    Two URIs can lead to one database, as a server's and that of the file which it serves: so a
    first attempt in a store may find runs there if there has been an attempt in any.
    """

    context: dict[str, str] | None = None
    was_started: bool = False
    recorded: frozenset[str] = frozenset()
    done: Entry | None = None
    uploaded: tuple[Entry, ...] = ()
    reports: Entry | None = None
    failure: Entry | None = None
    was_declined: bool = False


def read_progress(folder: RunFolder, store_key: str = "") -> Progress:
    """Return how far recording the run has come."""
    entries = _read_entries(folder)
    context = next((entry.tags for entry in entries if entry.op == "context"), None)
    here = [entry for entry in entries if entry.store == store_key]
    return Progress(
        context=context,
        was_started=any(entry.op == "started" for entry in entries),
        recorded=frozenset(entry.key for entry in here if entry.op == "recorded"),
        done=next((entry for entry in entries if entry.op == "done"), None),
        uploaded=tuple(entry for entry in here if entry.op == "report"),
        reports=next((entry for entry in entries if entry.op == "reports"), None),
        failure=entries[-1] if entries and entries[-1].op == "failed" else None,
        was_declined=any(entry.op == "declined" for entry in entries),
    )


def recorded_run(folder: RunFolder, store_key: str, keys: Sequence[str]) -> str:
    """Return the run in MLflow that has one of the keys of a run's nodes in a store; else ''."""
    found = {
        entry.key: entry.mlflow_run_id
        for entry in _read_entries(folder)
        if entry.store == store_key and entry.op in ("recorded", "done")
    }
    return next((found[key] for key in keys if key in found), "")


def _read_entries(folder: RunFolder) -> list[Entry]:
    try:
        lines = folder.tracking_log.read_bytes().splitlines()
    except FileNotFoundError:
        return []
    entries = []
    for line in lines:
        try:
            entries.append(Entry.model_validate_json(line))
        except ValidationError:
            # Torn by a crash. What it would have said is found out again in the store.
            continue
    return entries


def append(folder: RunFolder, entry: Entry) -> None:
    """Add one line to the log. OSError (a full or read-only disk) reaches the caller."""
    with folder.tracking_log.open("a+b") as log:
        log.seek(0, 2)
        if log.tell():
            log.seek(-1, 2)
            if log.read(1) != b"\n":
                log.write(b"\n")
        log.write(entry.model_dump_json(exclude_defaults=True).encode() + b"\n")


def decline(folder: RunFolder) -> None:
    """Keep a run out of MLflow for good: without this the next sync would record it."""
    append(folder, Entry(op="declined"))


@contextmanager
def tracking_lock(folder: RunFolder, wait: float = 0.0) -> Iterator[bool]:
    """Hold the right to record the run; yields False when another process has it all the time."""
    deadline = time.monotonic() + wait
    with folder.tracking_lock.open("ab") as lock:
        held = _try_lock(lock.fileno())
        while not held and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
            held = _try_lock(lock.fileno())
        yield held


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
