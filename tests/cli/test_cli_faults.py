"""Wrong calls and things that go wrong: one clear message, the right code, no traceback."""

from __future__ import annotations

import errno
import io
import sys
from pathlib import Path

import pytest
from cli_fakes import EXECUTIONS, FakeApi, failing

import mlvalidate
from mlvalidate.cli.entry import run
from mlvalidate.cli.faults import report_fault
from mlvalidate.core.errors import MlvalidateError


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> FakeApi:
    fake = FakeApi(EXECUTIONS["passed"])
    monkeypatch.setitem(sys.modules, "mlvalidate.api", fake)
    monkeypatch.setattr(mlvalidate, "api", fake, raising=False)
    return fake


WRONG_CALLS = [
    (["tset-pipeline"], "there is no command 'tset-pipeline': did you mean 'test-pipeline'?"),
    (["frobnicate"], "'completion', "),
    (["test-pipeline", "--row", "3"], "--rows"),
    (["test-pipeline", "--rows", "0"], "0 is not in the range x>=1"),
    (["test-pipeline", "--seed", "-1"], "-1 is not in the range x>=0"),
    (["test-pipeline", "--data", "real"], "'real' is not one of 'synthetic', 'sample'"),
    (["test-pipeline", "--data-dir", "x"], "expected PORT=PATH, got 'x'"),
    (["test-pipeline", "--data-dir", "x=/nope"], "there is no file or folder '/nope'"),
    (["test-pipeline", "--data-dir", "x=/", "--data-dir", "x=/"], "'x' is given twice"),
    (["test-pipeline", "a", "b"], "unexpected extra argument"),
    (["test-script"], "Missing argument 'STEP'"),
    (["test-script", "trian"], "there is no step 'trian'\nhint: did you mean 'train'?"),
    (["test-pipeline", "man"], "there is no pipeline 'man'\nhint: did you mean 'main'?"),
    (["list", "-C", "/nope"], "Path '/nope' does not exist"),
    (["-v", "list", "-q"], "--verbose and --quiet exclude each other"),
    (["ui", "--port", "0"], "0 is not in the range 1<=x<=65535"),
    (["--frob"], "No such option"),
]


@pytest.mark.parametrize(("arguments", "message"), WRONG_CALLS)
def test_wrong_calls(
    api: FakeApi, capfd: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert run(arguments) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert message in err
    assert err.startswith("error: ")
    assert "hint: " in err
    assert "Traceback" not in err


def test_nothing_asked_is_help_but_no_success(capfd: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 2
    assert "Usage: mlvalidate" in capfd.readouterr().out


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["list", "-h"], ["--version"]])
def test_help_and_version(capfd: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    assert run(arguments) == 0
    assert "mlvalidate" in capfd.readouterr().out


def test_a_usage_error_leaves_json_empty(
    api: FakeApi, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "broken").mkdir()
    assert run(["test-pipeline", "--json", "-C", str(tmp_path / "broken")]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert err == "error: mlvalidate.yaml:3: steps.x: no such key\nhint: write steps:\n"


@pytest.mark.parametrize(
    ("name", "code", "message"),
    [
        ("refused", 3, "error: no namespaces\nhint: sysctl -w x=1\n"),
        ("full", 3, "error: the disk is full: /x/journal.jsonl\nhint: free some space"),
        ("readonly", 3, "error: the file system is read-only: /x\nhint: "),
        ("odd", 3, "internal error: OSError: [Errno 9] Bad file descriptor\nhint: this is a bug"),
        ("bug", 3, "internal error: ZeroDivisionError: division by zero\nhint: this is a bug in"),
    ],
)
@pytest.mark.parametrize("debug", [False, True])
def test_faults(
    *,
    api: FakeApi,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    code: int,
    message: str,
    debug: bool,
) -> None:
    api.execution = EXECUTIONS[name]
    monkeypatch.setenv("MLVALIDATE_DEBUG", "1" if debug else "0")
    assert run(["test-pipeline"]) == code
    err = capfd.readouterr().err
    assert message in err
    assert ("Traceback (most recent call last)" in err) is debug
    assert ("MLVALIDATE_DEBUG=1" in err) is (not debug and name in ("odd", "bug"))


def test_verbose_shows_the_traceback(api: FakeApi, capfd: pytest.CaptureFixture[str]) -> None:
    api.execution = failing(KeyError())
    assert run(["test-pipeline", "-v"]) == 3
    err = capfd.readouterr().err
    assert "Traceback" in err
    assert "internal error: KeyError\n" in err


def test_an_interrupt_outside_a_run(api: FakeApi, capfd: pytest.CaptureFixture[str]) -> None:
    api.execution = failing(KeyboardInterrupt())
    assert run(["test-pipeline"]) == 130
    assert capfd.readouterr().err.strip() == "interrupted"


def test_a_fault_of_the_display_does_not_stop_the_run(
    api: FakeApi, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("in the display")

    monkeypatch.setattr("mlvalidate.reporting.progress.heading", fail)
    assert run(["test-pipeline", "--json"]) == 3
    out, err = capfd.readouterr()
    assert '"status": "passed"' in out
    assert "internal error: ZeroDivisionError: in the display" in err


def test_colour_of_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    class Tty(io.StringIO):
        def isatty(self) -> bool:
            return True

    def told() -> str:
        stream = Tty()
        monkeypatch.setattr(sys, "stderr", stream)
        report_fault(MlvalidateError("broken"))
        return stream.getvalue()

    assert told() == "\x1b[31m\x1b[1merror:\x1b[0m broken\n"
    monkeypatch.setenv("NO_COLOR", "1")
    assert told() == "error: broken\n"


def test_a_stderr_that_is_full_is_no_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(sys, "stderr", Full())
    assert report_fault(MlvalidateError("broken")) == 3
