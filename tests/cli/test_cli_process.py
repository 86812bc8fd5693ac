"""The command line in a process of its own: start-up, streams, signals, exit codes."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

FAKES = Path(__file__).with_name("cli_fakes.py")
HEAVY = (
    "pydantic",
    "yaml",
    "rich",
    "pandas",
    "numpy",
    "pyarrow",
    "mlflow",
    "plotly",
    "evidently",
    "boto3",
    "pandera",
    "pluggy",
    "psutil",
    "importlib.metadata",
)


def run(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output="stdout" not in options,
        text=True,
        timeout=60,
        **options,  # type: ignore[call-overload]
    )


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [
        (["--help"], {}),
        (["test-pipeline", "--help"], {}),
        (["test-script", "--help"], {}),
        (["completion", "bash"], {}),
        (
            [],
            {
                "_MLVALIDATE_COMPLETE": "zsh_complete",
                "COMP_WORDS": "mlvalidate test-",
                "COMP_CWORD": "1",
            },
        ),
        (["--version"], {}),
        (["no-such-command"], {}),
    ],
)
def test_nothing_heavy_is_imported_for_help(
    arguments: list[str], environment: dict[str, str]
) -> None:
    allowed = ("importlib.metadata",) if arguments == ["--version"] else ()
    code = (
        "import sys\nfrom mlvalidate.cli.entry import run\n"
        f"try: run({arguments!r})\nexcept SystemExit: pass\n"
        f"print([m for m in {HEAVY!r} if m in sys.modules and m not in {allowed!r}])"
    )
    done = run("-c", code, env={**os.environ, **environment})
    assert done.stdout.splitlines()[-1] == "[]", done.stdout


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("passed", 0),
        ("failed", 1),
        ("bug", 3),
        ("skipped", 5),
        ("interrupted", 130),
        ("sigint", 130),
    ],
)
def test_exit_codes(name: str, code: int) -> None:
    done = run(str(FAKES), name, "test-pipeline", "--json")
    assert done.returncode == code
    assert "Traceback" not in done.stderr
    if name not in ("bug", "sigint"):
        assert json.loads(done.stdout)["version"] == 1


def test_usage_errors_exit_with_2() -> None:
    assert run(str(FAKES), "passed", "test-pipeline", "--nope").returncode == 2


@pytest.mark.parametrize("arguments", [["test-pipeline"], ["test-pipeline", "--json"], ["schema"]])
def test_a_reader_that_goes_away_changes_no_verdict(arguments: list[str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as stdout:
        done = run(str(FAKES), "failed", *arguments, stdout=stdout, stderr=subprocess.PIPE)
    assert done.returncode == (0 if arguments == ["schema"] else 1)
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr


def test_a_reader_of_help_that_goes_away() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as stdout:
        done = run("-m", "mlvalidate", "--help", stdout=stdout, stderr=subprocess.PIPE)
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("closed", "out", "err"),
    [(">&-", "", ""), (">&- --json", "", "FAILED"), ("2>&- --json", '"status": "failed"', "")],
)
def test_streams_that_the_caller_closed(closed: str, out: str, err: str) -> None:
    command = f"exec {shlex.quote(sys.executable)} {shlex.quote(str(FAKES))} failed test-pipeline"
    done = subprocess.run(["sh", "-c", f"{command} {closed}"], capture_output=True, text=True)
    assert done.returncode == 1
    assert out in done.stdout
    assert err in done.stderr
    assert "bug" not in done.stderr


@pytest.mark.parametrize("arguments", [["test-pipeline"], ["schema"], ["list"]])
def test_a_full_disk_behind_stdout_is_told(arguments: list[str]) -> None:
    with Path("/dev/full").open("w") as stdout:
        done = run(str(FAKES), "passed", *arguments, stdout=stdout, stderr=subprocess.PIPE)
    assert done.returncode == 3
    assert "error: the disk is full" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_terminal_that_speaks_ascii_only() -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    done = run(str(FAKES), "failed", "test-pipeline", env=environment)
    assert done.returncode == 1
    assert done.stdout.isascii()
    schema = subprocess.run(
        [sys.executable, str(FAKES), "passed", "schema"], capture_output=True, env=environment
    )
    assert json.loads(schema.stdout.decode("utf-8")) == {"title": "mlvalidate.yaml ü"}


def test_no_colour_in_a_pipe() -> None:
    done = run(str(FAKES), "failed", "test-pipeline")
    assert "\x1b" not in done.stdout + done.stderr


def test_python_m_mlvalidate() -> None:
    assert run("-m", "mlvalidate", "--version").stdout.startswith("mlvalidate ")
