from __future__ import annotations

import re

import pytest
from report_builders import (
    Tty,
    console,
    finding,
    pipeline_result,
    plan,
    planned_step,
    printed,
    skipped,
    step_result,
    table_port,
)

from mlvalidate.core.events import (
    ChecksFinished,
    Event,
    RunFinished,
    RunStarted,
    SampleTaken,
    StepFinished,
    StepStarted,
)
from mlvalidate.core.plan import SkipReason
from mlvalidate.core.results import Status, Usage
from mlvalidate.reporting.live import LiveProgress, choose_progress
from mlvalidate.reporting.progress import PlainProgress, Progress

FIRST = step_result("preprocess", outputs=(table_port("train", 4800), table_port("test", 1200)))
SECOND = step_result(
    "train",
    status=Status.FAILED,
    usage=Usage(duration_s=75.0),
    findings=(finding(step="train"), finding(step="preprocess")),
)
THIRD = skipped("evaluate", SkipReason.UPSTREAM_FAILED, "train")
EVENTS: tuple[Event, ...] = (
    RunStarted(
        at=0,
        run_id="r",
        plan=plan(*(planned_step(n) for n in ("preprocess", "train", "evaluate")), rows=500),
    ),
    StepStarted(at=1, node="preprocess"),
    SampleTaken(at=2, node="preprocess", rss_mb=140, cpu_s=1, processes=2),
    StepFinished(at=3, node="preprocess", exit_code=0, signal=None),
    ChecksFinished(at=4, result=FIRST),
    StepStarted(at=4, node="train"),
    StepFinished(at=5, node="train", exit_code=1, signal=None),
    ChecksFinished(at=5, result=SECOND),
    ChecksFinished(at=5, result=THIRD),
    RunFinished(at=6, result=pipeline_result(FIRST, SECOND, THIRD, status=Status.FAILED)),
)
HEADING = (
    "pipeline churn | 3 steps | synthetic data, scenario standard | 500 rows per dataset | seed 0\n"
)


def test_a_line_per_finished_step() -> None:
    pipe = console(120)
    progress = PlainProgress(pipe)
    for event in EVENTS:
        progress.handle(event)
    progress.close()
    assert printed(pipe) == HEADING + (
        "PASSED  preprocess 1.24s 140MB 6,000 rows\n"
        "FAILED  train 1m 15s 1 error; 1 error blamed on preprocess\n"
        "SKIPPED evaluate because train failed\n"
    )


def test_verbose_also_tells_starts() -> None:
    pipe = console(120)
    progress = PlainProgress(pipe, verbose=True)
    for event in EVENTS:
        progress.handle(event)
    assert printed(pipe).splitlines()[1:3] == [
        "STARTED preprocess",
        "PASSED  preprocess 1.24s 140MB 6,000 rows",
    ]


def test_the_handler_suits_the_console(monkeypatch: pytest.MonkeyPatch) -> None:
    assert type(choose_progress(console(tty=True), quiet=True)) is Progress
    assert type(choose_progress(console(tty=True))) is LiveProgress
    assert type(choose_progress(console())) is PlainProgress
    monkeypatch.setenv("CI", "1")
    assert type(choose_progress(console(tty=True))) is PlainProgress


def test_the_quiet_handler_prints_nothing() -> None:
    progress = Progress()
    for event in EVENTS:
        progress.handle(event)
    progress.close()


def drawings(events: tuple[Event, ...], times: list[float], height: int = 20) -> list[str]:
    """What the terminal showed after each event, without colours and cursor movements."""
    screen = console(100, tty=True)
    screen.height = height
    moments = iter(times)
    now = [0.0]
    progress = LiveProgress(screen, clock=lambda: now[0])
    shown: list[str] = []
    stream = screen.file
    assert isinstance(stream, Tty)
    for event in events:
        now[0] = next(moments)
        stream.seek(0)
        stream.truncate()
        progress.handle(event)
        # What precedes the last erased line has been drawn over.
        text = stream.getvalue()
        text = text.rpartition("\x1b[2K")[2] if isinstance(event, RunFinished) else text
        text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r", "", text)
        shown.append("\n".join(line.rstrip() for line in text.split("\n")).strip("\n"))
    progress.close()
    assert stream.getvalue().endswith("\x1b[2K")
    return shown


def test_a_live_line_per_step() -> None:
    shown = drawings(EVENTS, [0, 1, 2, 3, 4, 4, 5, 5, 5, 6])
    assert shown[0] == HEADING + (
        "0 of 3 steps done, 0ms\n        preprocess\n        train\n        evaluate"
    )
    assert shown[2] == (
        "0 of 3 steps done, 2.00s\n-       preprocess 1.00s 140MB\n        train\n        evaluate"
    )
    assert "preprocess 2.00s 140MB being checked" in shown[3]
    assert shown[8] == (
        "3 of 3 steps done, 5.00s\n"
        "PASSED  preprocess 1.24s 140MB 6,000 rows\n"
        "FAILED  train 1m 15s 1 error; 1 error blamed on preprocess\n"
        "SKIPPED evaluate because train failed"
    )
    assert shown[9] == ""


def test_samples_redraw_at_most_ten_times_a_second() -> None:
    sample = SampleTaken(at=2, node="preprocess", rss_mb=150, cpu_s=1, processes=2)
    shown = drawings((*EVENTS[:2], sample, sample, sample), [0, 1, 1.05, 1.11, 1.12])
    assert [bool(text) for text in shown[2:]] == [False, True, False]


def test_a_clock_that_goes_back_is_no_trouble() -> None:
    assert drawings(EVENTS[:3], [100, 50, 40])[2].startswith("0 of 3 steps done, 40.0s")


def test_more_steps_than_the_screen_has_lines() -> None:
    names = [f"n{i}" for i in range(30)]
    events = (
        RunStarted(at=0, run_id="r", plan=plan(*(planned_step(n) for n in names))),
        *(ChecksFinished(at=1, result=step_result(n)) for n in names[:15]),
        StepStarted(at=1, node="n15"),
    )
    last = drawings(events, [1.0] * len(events), height=12)[-1].splitlines()
    assert last[0] == "15 of 30 steps done, 1.00s"
    assert len(last) == 11
    assert any(line.split()[1:2] == ["n15"] for line in last)


def test_all_that_runs_at_once_is_on_the_screen() -> None:
    names = [f"n{i}" for i in range(30)]
    running = ("n0", "n14", "n29")
    events = (
        RunStarted(at=0, run_id="r", plan=plan(*(planned_step(n) for n in names))),
        *(StepStarted(at=1, node=name) for name in running),
        StepFinished(at=2, node="n14", exit_code=0, signal=None),
    )
    last = drawings(events, [1.0] * len(events), height=12)[-1].splitlines()
    assert len(last) == 11
    assert [line.split()[1] for line in last if line.startswith("-")] == [*running]
    assert sum("being checked" in line for line in last) == 1


def test_closing_early_and_twice_is_harmless() -> None:
    progress = LiveProgress(console(tty=True))
    progress.close()
    progress.handle(EVENTS[0])
    progress.close()
    progress.close()
