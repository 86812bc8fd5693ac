"""Reports of a run in files: when they are written, and what stands in the way of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import junitparser
import pytest
from cli_fakes import EXECUTIONS, FakeApi

import mlvalidate
from mlvalidate.cli.entry import run
from mlvalidate.core.reporters import Report
from mlvalidate.hookspecs import hookimpl
from mlvalidate.reporting import formats

FAKES = Path(__file__).with_name("cli_fakes.py")
SCRIPT = ["test-script", "prep"]


@pytest.fixture(autouse=True)
def _elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith(("GITHUB_", "CI_"))]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> FakeApi:
    fake = FakeApi(EXECUTIONS["failed"])
    monkeypatch.setitem(sys.modules, "mlvalidate.api", fake)
    monkeypatch.setattr(mlvalidate, "api", fake, raising=False)
    return fake


@pytest.mark.parametrize(
    ("name", "code", "failures", "errors"),
    [("passed", 0, 0, 0), ("failed", 1, 2, 0), ("skipped", 5, 0, 0), ("interrupted", 130, 0, 2)],
)
def test_reports_are_written_however_a_run_ends(
    api: FakeApi, name: str, code: int, failures: int, errors: int
) -> None:
    api.execution = EXECUTIONS[name]
    options = ["--junit", "out/junit.xml", "--markdown", "run.md", "--sarif", "run.sarif"]
    assert run([*SCRIPT, *options]) == code
    (suite,) = junitparser.JUnitXml.fromfile("out/junit.xml")
    assert (suite.name, suite.failures, suite.errors) == ("script prep", failures, errors)
    assert Path("run.md").read_text().startswith("## mlvalidate: churn ")
    (sarif,) = json.loads(Path("run.sarif").read_text())["runs"]
    assert len(sarif["results"]) == (name == "failed")
    assert sarif["invocations"][0]["exitCode"] == code


def test_the_reports_of_a_suite_have_all_runs(api: FakeApi) -> None:
    assert run(["test-all", "--output", "junit=junit.xml"]) == 1
    suites = [suite.name for suite in junitparser.JUnitXml.fromfile("junit.xml")]
    assert suites == ["pipeline main", "script prep", "not run"]


@pytest.mark.parametrize("name", ["bug", "refused", "sigint"])
def test_no_report_of_an_earlier_run_is_left(api: FakeApi, name: str) -> None:
    api.execution = EXECUTIONS[name]
    Path("junit.xml").write_text("of an earlier run")
    assert run([*SCRIPT, "--junit", "junit.xml"]) in (3, 130)
    assert not Path("junit.xml").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--junit", "file/junit.xml"], "can't write a report to"),
        (["--output", "sarif=."], "can't write a report to"),
        (["--sarif", "."], "is a directory"),
        (["--output", "junti=x"], "there is no format 'junti'"),
        (["--output", "junit"], "expected NAME=FILE, got 'junit'"),
        (["--junit", "x", "--sarif", "./x"], "two reports are to be written to"),
        (["--github"], "--github is for jobs on GitHub: GITHUB_STEP_SUMMARY is not set"),
    ],
)
def test_what_cannot_be_written_is_told_before_the_run(
    api: FakeApi, capsys: pytest.CaptureFixture[str], options: list[str], said: str
) -> None:
    Path("file").touch()
    assert run([*SCRIPT, *options]) == 2
    assert said in capsys.readouterr().err
    assert not any(call[0] == "execute" for call in api.calls)


def test_a_dry_run_writes_none(api: FakeApi) -> None:
    assert run([*SCRIPT, "--dry-run", "--junit", "junit.xml"]) == 0
    assert not Path("junit.xml").exists()


def test_reports_go_where_links_and_devices_lead(
    api: FakeApi, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(["-q", *SCRIPT, "--output", "markdown=/dev/stdout"]) == 1
    assert "## mlvalidate: churn FAILED" in capfd.readouterr().out


def test_github(
    api: FakeApi, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    summary = Path("summary.md")
    summary.write_text("from an earlier command\n")
    environment = {
        "GITHUB_STEP_SUMMARY": str(summary),
        "GITHUB_WORKSPACE": "/",
        "GITHUB_SERVER_URL": "https://github.com",
        "GITHUB_REPOSITORY": "you/repo",
        "GITHUB_SHA": "abc",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert run([*SCRIPT, "--github"]) == 1
    annotation = "::error file=project/prep.py,line=1,title=X201 prep::prep broke\n"
    assert annotation in capsys.readouterr().out
    text = summary.read_text()
    assert text.startswith("from an earlier command\n## mlvalidate: churn FAILED\n")
    assert "[project/prep.py](<https://github.com/you/repo/blob/abc/project/prep.py>)" in text
    assert run([*SCRIPT, "--github", "--json"]) == 1
    told = capsys.readouterr()
    assert json.loads(told.out)["status"] == "failed"
    assert annotation in told.err


def test_the_links_of_gitlab(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI_PROJECT_DIR", "/project")
    monkeypatch.setenv("CI_PROJECT_URL", "https://gitlab.com/you/repo")
    monkeypatch.setenv("CI_COMMIT_SHA", "abc")
    assert run([*SCRIPT, "--markdown", "run.md"]) == 1
    link = "[prep.py](<https://gitlab.com/you/repo/-/blob/abc/prep.py>)"
    assert link in Path("run.md").read_text()


class _Broken:
    @staticmethod
    @hookimpl
    def mlvalidate_reporters() -> dict[str, object]:
        return {"broken": _Broken.fail}

    @staticmethod
    def fail(report: Report) -> str:
        raise ValueError("no such thing")


def test_a_broken_writer_costs_the_other_reports_nothing(
    api: FakeApi, capsys: pytest.CaptureFixture[str]
) -> None:
    manager = formats.plugin_manager()
    manager.register(_Broken())
    try:
        options = ["--output", "broken=broken.txt", "--output", "markdown=run.md"]
        assert run([*SCRIPT, *options]) == 3
    finally:
        manager.unregister(next(p for p in manager.get_plugins() if isinstance(p, _Broken)))
    told = capsys.readouterr()
    assert "can't write the broken report broken.txt: ValueError: no such thing" in told.err
    # The verdict is told all the same.
    assert "FAILED script prep" in told.out
    assert Path("run.md").exists()


def test_two_writers_of_one_name_are_refused(
    api: FakeApi, capsys: pytest.CaptureFixture[str]
) -> None:
    class Twin:
        @hookimpl
        def mlvalidate_reporters(self) -> dict[str, object]:
            return {"junit": str}

    manager, twin = formats.plugin_manager(), Twin()
    manager.register(twin)
    try:
        assert run([*SCRIPT, "--junit", "x.xml"]) == 3
    finally:
        manager.unregister(twin)
    assert "two writers share the name 'junit'" in capsys.readouterr().err


def test_a_plugin_adds_a_format(tmp_path: Path) -> None:
    """As it is installed: a module and the metadata that names it."""
    packages = tmp_path / "packages"
    metadata = packages / "mlvalidate_text-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: mlvalidate-text\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text("[mlvalidate]\ntext = mlvalidate_text\n")
    (packages / "mlvalidate_text.py").write_text(
        "from mlvalidate.hookspecs import hookimpl\n"
        "def render(report):\n"
        "    return ''.join(f'{run.name}: {run.status}\\n' for run in report.result.runs)\n"
        "@hookimpl\n"
        "def mlvalidate_reporters():\n"
        "    return {'text': render}\n"
    )
    done = subprocess.run(
        [sys.executable, FAKES, "failed", *SCRIPT, "--output", "text=run.txt"],
        env={**os.environ, "PYTHONPATH": f"{packages}{os.pathsep}{Path.cwd()}"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1, done.stderr
    assert (tmp_path / "run.txt").read_text() == "prep: failed\n"
