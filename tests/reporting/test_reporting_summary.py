"""The report of a run, as a whole and in its corners."""

from __future__ import annotations

from pathlib import Path

import pytest
from report_builders import (
    SNAPSHOTS,
    console,
    failed_result,
    finding,
    pipeline_result,
    printed,
    skipped,
    step_result,
    table_port,
)

from mlvalidate.core.findings import Severity
from mlvalidate.core.plan import SkipReason
from mlvalidate.core.results import PipelineResult, Status, Usage
from mlvalidate.core.run_folder import RunFolder
from mlvalidate.reporting.summary import print_summary
from mlvalidate.reporting.verdict import verdict_line

NOWHERE = RunFolder(Path("/nonexistent"))


def report(result: PipelineResult, width: int = 80, **options: bool) -> str:
    pipe = console(width)
    print_summary(pipe, result, NOWHERE, **options)
    return printed(pipe)


@pytest.mark.parametrize("width", [80, 120])
def test_everything(width: int) -> None:
    assert report(failed_result(), width) == (SNAPSHOTS / f"summary_{width}.txt").read_text()


def test_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    screen = console(80, tty=True)
    print_summary(screen, failed_result(), NOWHERE, verbose=True)
    assert printed(screen) == (SNAPSHOTS / "summary_terminal.txt").read_text()


def test_a_passed_run_is_short() -> None:
    result = pipeline_result(
        step_result("preprocess", outputs=(table_port("train", 600),)),
        run_url="http://localhost:5000/#/experiments/1/runs/abc",
        open_command="mlvalidate ui -C examples/churn",
    )
    assert report(result) == (SNAPSHOTS / "summary_passed.txt").read_text()


def test_quiet_is_the_verdict() -> None:
    assert report(failed_result(), quiet=True) == (
        "FAILED pipeline churn | 2 passed, 1 failed, 2 skipped | 3 errors, 1 warning | 12.3s\n"
    )


def test_infos_are_counted_and_shown_on_demand() -> None:
    info = finding("X230", Severity.INFO, message="read 3 files")
    result = pipeline_result(step_result(findings=(info,)))
    assert "1 finding of severity info: -v shows them" in report(result)
    assert "read 3 files" not in report(result)
    assert "info X230: read 3 files" in report(result, verbose=True)


def test_nothing_executed_is_never_a_pass() -> None:
    nothing = pipeline_result(skipped("train", SkipReason.INTERRUPTED))
    assert verdict_line(nothing).plain == "NOTHING RAN pipeline churn | 1 skipped | 12.3s"
    assert "PASSED" not in report(nothing)
    assert "the run was interrupted" in report(nothing)


@pytest.mark.parametrize(
    ("status", "word"),
    [
        (Status.INTERRUPTED, "INTERRUPTED script churn | 1 interrupted"),
        (Status.INTERNAL, "INTERNAL ERROR script churn | 1 internal"),
    ],
)
def test_other_verdicts(status: Status, word: str) -> None:
    result = pipeline_result(step_result(status=status), status=status, kind="script")
    assert verdict_line(result).plain.startswith(word)


def test_user_text_is_neutralised() -> None:
    nasty = "\x1b[2J[bold]x[/bold]\x07 :smile:"
    result = pipeline_result(
        step_result(
            status=Status.FAILED,
            message=nasty,
            entry_point=nasty,
            findings=(finding(message=nasty, hint=nasty, evidence=(nasty,), location=nasty),),
        ),
        status=Status.FAILED,
        notes=(nasty,),
        unrecorded=nasty,
    )
    text = report(result)
    assert "\x1b" not in text
    assert "\x07" not in text
    assert text.count("[bold]x[/bold]\\x07 :smile:") == 8


def test_messages_are_never_cropped() -> None:
    message = "path /" + "very-long-name/" * 40 + " is not there"
    result = pipeline_result(step_result(findings=(finding(message=message, step="preprocess"),)))
    assert message in report(result, 80)
    screen = console(60, tty=True)
    print_summary(screen, result, NOWHERE)
    assert message.replace(" ", "") in "".join(printed(screen).split())


def test_long_names_are_folded_not_lost() -> None:
    node = "a-very-long-name-of-a-node-" * 3
    result = pipeline_result(
        step_result(node, outputs=tuple(table_port(f"port_{i}", 1000) for i in range(6)))
    )
    text = report(result)
    assert "+2 more" in text
    assert max(map(len, text.splitlines())) <= 80


def test_blame_on_a_node_that_the_run_does_not_hold() -> None:
    result = pipeline_result(step_result(findings=(finding(step="elsewhere"),)))
    assert "\nelsewhere\n  error X201: the script failed\n" in report(result)
    assert "1 error blamed on elsewhere" in report(result, 120)


def test_a_finding_of_the_run_may_blame_a_step() -> None:
    result = pipeline_result(step_result(), findings=(finding("G601", step="preprocess"),))
    assert "the run as a whole" not in report(result)
    assert "preprocess (scripts/preprocess.py)\n  error G601" in report(result)


def test_findings_with_different_commands_print_each() -> None:
    findings = (finding(reproduce="one"), finding("F301", reproduce="two"))
    text = report(pipeline_result(step_result(findings=findings)))
    assert text.index("reproduce: one") < text.index("F301") < text.index("reproduce: two")


@pytest.mark.parametrize(
    ("reason", "detail", "said"),
    [
        (SkipReason.UPSTREAM_FAILED, "", "a step before it failed"),
        (SkipReason.UPSTREAM_SKIPPED, "", "a step before it was skipped"),
        (SkipReason.UPSTREAM_SKIPPED, "prep", "prep was skipped"),
    ],
)
def test_skips_have_a_reason(reason: SkipReason, detail: str, said: str) -> None:
    assert said in report(pipeline_result(step_result(), skipped("train", reason, detail)), 120)


def test_a_skip_without_reason_shows_its_detail() -> None:
    step = step_result(status=Status.SKIPPED, skip_detail="odd", usage=Usage())
    assert "odd" in report(pipeline_result(step))
