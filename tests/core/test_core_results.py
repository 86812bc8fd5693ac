"""Verdicts: figures, exit codes, fingerprints, events as JSON."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from mlvalidate.core.errors import ExitCode, InfrastructureError, MlvalidateError, UsageError
from mlvalidate.core.events import (
    ChecksFinished,
    RunFinished,
    StepFinished,
    StepStarted,
    parse_event,
)
from mlvalidate.core.findings import Finding, Severity, count_findings
from mlvalidate.core.plan import DataSource, SkipReason
from mlvalidate.core.results import (
    FileSummary,
    PipelineResult,
    PortSummary,
    Status,
    StepResult,
    Usage,
    is_failed,
)


def make_finding(severity: Severity = Severity.ERROR, **fields: object) -> Finding:
    return Finding.model_validate({"code": "X201", "severity": severity, "message": "m", **fields})


def make_step(node: str = "a", status: Status = Status.PASSED, **fields: object) -> StepResult:
    return StepResult.model_validate(
        {
            "node": node,
            "step": node,
            "kind": "processing",
            "entry_point": "a.py",
            "status": status,
            "started_at": 0,
            "finished_at": 1,
            **fields,
        }
    )


def make_result(
    *steps: StepResult, status: Status = Status.PASSED, **fields: object
) -> PipelineResult:
    return PipelineResult.model_validate(
        {
            "run_id": "r",
            "kind": "pipeline",
            "name": "p",
            "project": "demo",
            "status": status,
            "started_at": 10,
            "finished_at": 12,
            "data_source": DataSource.SYNTHETIC,
            "scenario": "standard",
            "seed": 0,
            "command": "c",
            "steps": steps,
            **fields,
        }
    )


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (Status.PASSED, ExitCode.PASSED),
        (Status.FAILED, ExitCode.FAILED),
        (Status.INTERRUPTED, ExitCode.INTERRUPTED),
        (Status.INTERNAL, ExitCode.INTERNAL),
        (Status.SKIPPED, ExitCode.PASSED),
    ],
)
def test_exit_codes(status: Status, code: ExitCode) -> None:
    assert make_result(make_step(), status=status).exit_code is code


def test_nothing_executed_is_never_a_pass() -> None:
    skipped = make_step("b", Status.SKIPPED, skip_reason=SkipReason.UPSTREAM_SKIPPED)
    assert make_result(skipped, skipped).exit_code is ExitCode.NOTHING_RAN
    assert make_result().exit_code is ExitCode.NOTHING_RAN
    assert make_result(make_step(), skipped).exit_code is ExitCode.PASSED
    assert make_result(skipped, status=Status.FAILED).exit_code is ExitCode.FAILED


def test_exit_codes_of_errors() -> None:
    assert UsageError("m", "h").exit_code == 2
    assert InfrastructureError("m").exit_code == 3
    assert MlvalidateError("m").exit_code == 3
    assert (UsageError("m", "h").message, UsageError("m", "h").hint) == ("m", "h")
    assert [code.value for code in ExitCode] == [0, 1, 2, 3, 5, 130]


def test_figures_of_a_step() -> None:
    files = tuple(FileSummary(name=str(n), size_bytes=1, digest="", rows=n) for n in (2, 3))
    step = make_step(
        usage=Usage(duration_s=1.5, peak_rss_mb=20),
        outputs=(
            PortSummary(port="out", path="/x", files=files),
            PortSummary(
                port="log", path="/y", files=(FileSummary(name="l", size_bytes=1, digest=""),)
            ),
        ),
        metrics={"auc": 0.5},
        findings=(make_finding(), make_finding(Severity.WARNING)),
    )
    assert step.rows == {"out": 5}
    assert step.figures == {
        "duration_s": 1.5, "cpu_s": 0, "peak_rss_mb": 20, "read_mb": 0, "written_mb": 0,
        "findings.error": 1, "findings.warning": 1, "findings.info": 0, "rows.out": 5, "auc": 0.5,
    }  # fmt: skip
    assert make_step(status=Status.SKIPPED, metrics={"auc": 1}).figures == {}


def test_figures_of_a_run() -> None:
    first = make_step("a", usage=Usage(duration_s=1, cpu_s=2, peak_rss_mb=30, read_mb=1))
    second = make_step(
        "b", usage=Usage(duration_s=3, cpu_s=4, peak_rss_mb=20), metrics={"auc": 0.5}
    )
    skipped = make_step("c", Status.SKIPPED, usage=Usage(cpu_s=100))
    figures = make_result(first, second, skipped, findings=(make_finding(),)).figures
    assert figures["duration_s"] == 2
    assert (figures["cpu_s"], figures["peak_rss_mb"], figures["read_mb"]) == (6, 30, 1)
    assert (figures["a.duration_s"], figures["b.auc"]) == (1, 0.5)
    assert figures["findings.error"] == 1
    assert not [name for name in figures if name.startswith("c.")]
    assert make_result().figures["peak_rss_mb"] == 0


def test_all_findings_the_steps_first() -> None:
    own, gate = make_finding(), make_finding(code="G601")
    assert make_result(make_step(findings=(own,)), findings=(gate,)).all_findings == (own, gate)


def test_only_errors_fail() -> None:
    assert is_failed((make_finding(),))
    assert not is_failed((make_finding(Severity.WARNING), make_finding(Severity.INFO)))
    assert count_findings(()) == {"error": 0, "warning": 0, "info": 0}


class TestFingerprint:
    """Equal for the same fault in two runs."""

    def test_numbers_do_not_count(self) -> None:
        one, two = make_finding(message="took 1.5 s"), make_finding(message="took 23 s")
        assert one.fingerprint == two.fingerprint
        assert len(one.fingerprint) == 16

    @pytest.mark.parametrize(
        "change",
        [
            {"code": "X202"},
            {"step": "s"},
            {"port": "p"},
            {"file": "f"},
            {"column": "c"},
            {"message": "n"},
        ],
    )
    def test_what_counts(self, change: dict[str, str]) -> None:
        assert make_finding(**change).fingerprint != make_finding().fingerprint

    def test_what_does_not_count(self) -> None:
        other = make_finding(hint="h", evidence=("e",), location="a.py:3", reproduce="r")
        assert other.fingerprint == make_finding().fingerprint


def test_findings_hold_at_most_five_examples() -> None:
    with pytest.raises(ValidationError):
        make_finding(evidence=tuple("abcdef"))


def test_results_are_frozen() -> None:
    with pytest.raises(ValidationError):
        make_step().node = "b"


@given(st.floats(0, 1e10), st.text(max_size=20), st.integers(-100, 300))
def test_events_round_trip(at: float, message: str, exit_code: int) -> None:
    step = make_step(
        message=message, exit_code=exit_code, findings=(make_finding(message=message),)
    )
    for event in (
        StepStarted(at=at, node="a"),
        StepFinished(at=at, node="a", exit_code=exit_code, signal=None),
        ChecksFinished(at=at, result=step),
        RunFinished(at=at, result=make_result(step, notes=(message,))),
    ):
        line = event.model_dump_json()
        assert "\n" not in line
        assert parse_event(line) == event
        assert parse_event(line.encode()) == event


@pytest.mark.parametrize(
    "line", ["", "{", "{}", '{"event": "Other", "at": 1}', '{"event": "StepStarted"}']
)
def test_what_is_no_event(line: str) -> None:
    with pytest.raises(ValidationError):
        parse_event(line)
