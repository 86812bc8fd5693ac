"""What the recorder needs of the journal: every follower sees the end of a run."""

from __future__ import annotations

import fcntl
import threading
from pathlib import Path

from tracking_builders import events_of, make_folder, make_plan, make_step, write_journal

from mlvalidate.core.events import RunFinished
from mlvalidate.core.run_folder import RunFolder
from mlvalidate.engine.journal import close_if_abandoned, follow_events, read_events


def abandoned(tmp_path: Path) -> RunFolder:
    folder = make_folder(tmp_path / "state")
    write_journal(folder, events_of(make_plan(tmp_path), [make_step(0, "preprocess")])[:3])
    return folder


def test_a_run_that_someone_else_is_closing_is_followed_to_its_end(tmp_path: Path) -> None:
    folder = abandoned(tmp_path)
    ends: list[object] = []
    follower = threading.Thread(target=lambda: ends.append(list(follow_events(folder))[-1]))
    with folder.owner_lock.open("rb") as lock:
        # As another process does while it asks whether the owner is alive.
        fcntl.flock(lock, fcntl.LOCK_SH)
        follower.start()
        follower.join(0.3)
        assert follower.is_alive()
    follower.join(10)
    assert isinstance(ends[0], RunFinished)


def test_many_followers_close_a_run_once_and_all_see_it(tmp_path: Path) -> None:
    folder = abandoned(tmp_path)
    ends: list[object] = []
    followers = [
        threading.Thread(target=lambda: ends.append(list(follow_events(folder))[-1]))
        for _ in range(8)
    ]
    for follower in followers:
        follower.start()
    for follower in followers:
        follower.join(10)
    assert [type(end) for end in ends] == [RunFinished] * 8
    assert sum(isinstance(event, RunFinished) for event in read_events(folder)) == 1


def test_an_event_without_its_end_of_line_is_torn(tmp_path: Path) -> None:
    folder = abandoned(tmp_path)
    content = folder.journal.read_bytes()
    folder.journal.write_bytes(content.rstrip(b"\n"))
    assert len(read_events(folder)) == 2
    assert close_if_abandoned(folder)
    events = read_events(folder)
    assert len(events) == 3
    assert isinstance(events[-1], RunFinished)


def test_a_run_without_a_beginning_has_nothing_to_follow(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "state")
    assert list(follow_events(folder)) == []
    write_journal(folder, [])
    assert list(follow_events(folder)) == []
