from __future__ import annotations

from pathlib import Path

import pytest
from report_builders import console, pipeline_result, printed, step_result

from mlvalidate.core.results import Status
from mlvalidate.core.run_folder import RunFolder
from mlvalidate.reporting.logs import print_logs, read_tail


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    monkeypatch.chdir(tmp_path)
    run = RunFolder(tmp_path / "run")
    run.step("train").logs.mkdir(parents=True)
    run.step("train").stderr.write_bytes(
        b"warming up\nbar 10%\rbar 100%\r\n\x1b[31mboom\x1b[0m\xff"
    )
    return run


def report(folder: RunFolder, *, tails: bool) -> str:
    pipe = console()
    steps = (step_result("preprocess"), step_result("train", status=Status.FAILED))
    print_logs(pipe, pipeline_result(*steps), folder, tails=tails)
    return printed(pipe)


def test_says_where_the_logs_of_failed_steps_are(folder: RunFolder) -> None:
    assert report(folder, tails=False) == "\ntrain printed: run/steps/train/logs\n"


def test_prints_their_ends_as_a_terminal_would_have(folder: RunFolder) -> None:
    assert report(folder, tails=True) == (
        "\ntrain printed: run/steps/train/logs\n"
        "  stderr, last 3 lines:\n"
        "    warming up\n"
        "    bar 100%\n"
        "    boom\N{REPLACEMENT CHARACTER}\n"
    )


def test_says_nothing_where_there_are_no_logs(tmp_path: Path) -> None:
    assert report(RunFolder(tmp_path), tails=True) == ""


def test_only_the_end_is_read(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("".join(f"line {i}\n" for i in range(50_000)) + "y" * 3000)
    tail = read_tail(log, 3)
    assert tail[:2] == ("line 49998", "line 49999")
    assert tail[2] == "y" * 2000 + "... (1,000 characters more)"


def test_an_empty_or_absent_log_has_no_end(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    assert read_tail(tmp_path / "empty") == ()
    assert read_tail(tmp_path / "absent") == ()
