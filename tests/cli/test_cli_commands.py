"""Every command: what it asks of the API, what it prints where, and its exit code."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click
import pytest
from cli_fakes import EXECUTIONS, FakeApi, Options, PendingRun, SyncReport

import mlvalidate
from mlvalidate.cli.commands.completion import SHELLS
from mlvalidate.cli.commands.test_script import ENTRIES
from mlvalidate.cli.entry import run
from mlvalidate.cli.group import COMMANDS, cli
from mlvalidate.cli.run_options import DATA_SOURCES, REPORTS, SANDBOXES
from mlvalidate.core.contracts import Reports
from mlvalidate.core.plan import DataSource, Entry, Plan, SandboxChoice
from mlvalidate.core.results import PipelineResult
from mlvalidate.tracking.team_server import TeamServer


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> FakeApi:
    fake = FakeApi(EXECUTIONS["passed"])
    monkeypatch.setitem(sys.modules, "mlvalidate.api", fake)
    monkeypatch.setattr(mlvalidate, "api", fake, raising=False)
    return fake


@pytest.fixture
def output(capfd: pytest.CaptureFixture[str]) -> pytest.CaptureFixture[str]:
    return capfd


def commands() -> dict[str, click.Command]:
    ctx = click.Context(cli)
    found = {name: cli.get_command(ctx, name) for name in COMMANDS}
    return {name: command for name, command in found.items() if command is not None}


def test_the_table_of_commands_says_what_the_commands_say() -> None:
    assert {n: c.short_help for n, c in commands().items()} == {
        name: line for name, (_, line) in COMMANDS.items()
    }
    assert all(name == command.name and command.help for name, command in commands().items())


def test_every_option_has_a_help_text() -> None:
    groups = [c.commands.values() for c in commands().values() if isinstance(c, click.Group)]
    for command in (cli, *commands().values(), *(each for group in groups for each in group)):
        for param in command.params:
            assert isinstance(param, click.Argument) or param.help, param.opts  # type: ignore[attr-defined]


def test_the_data_sources_are_those_of_the_plan() -> None:
    assert tuple(ENTRIES) == tuple(entry.value for entry in Entry)
    assert tuple(SANDBOXES) == tuple(choice.value for choice in SandboxChoice)
    assert tuple(REPORTS) == tuple(word.value for word in Reports)
    assert tuple(DATA_SOURCES) == tuple(source.value for source in DataSource)


def test_an_unknown_command_is_none() -> None:
    assert cli.get_command(click.Context(cli), "no-such-command") is None


def test_test_pipeline(api: FakeApi, output: pytest.CaptureFixture[str]) -> None:
    assert run(["test-pipeline"]) == 0
    out, err = output.readouterr()
    assert err == ""
    assert out.startswith("pipeline main | 2 steps | synthetic data")
    assert "\nPASSED  prep 1.00s 100MB\n" in out
    assert out.endswith(
        "PASSED pipeline main | 2 passed | 2.00s\n"
        "files: /project/.mlvalidate/runs/r1\n"
        "not recorded yet: the server is away; run `mlvalidate sync`\n"
    )
    assert api.calls == [
        ("open_project", None),
        ("plan_pipeline", None, Options()),
        ("execute", "main", True),
    ]


def test_test_script_passes_every_option_on(
    api: FakeApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.csv").touch()
    arguments = ["test-script", "train", "--data=sample", "--rows=10", "--seed=3", "--no-record"]
    arguments += ["--reports", "failed", "--sandbox", "none", "--cold"]
    dirs = ["--data-dir", "data=rows.csv", "--data-dir", "train.x=~/rows.csv"]
    assert run([*arguments, *dirs]) == 0
    folders = {"data": tmp_path / "rows.csv", "train.x": tmp_path / "rows.csv"}
    expected = Options(
        DataSource.SAMPLE,
        folders,
        rows=10,
        seed=3,
        reports=Reports.FAILED,
        sandbox=SandboxChoice.NONE,
        cold=True,
    )
    assert api.calls[1:] == [("plan_script", "train", expected), ("execute", "train", False)]


def test_jobs_are_passed_on(api: FakeApi) -> None:
    assert run(["test-pipeline", "--jobs", "3"]) == 0
    assert run(["test-script", "prep", "--jobs", "1"]) == 0
    executed = [call for call in api.calls if call[0] == "execute"]
    assert executed == [("execute", "main", True, 3), ("execute", "prep", True, 1)]
    assert run(["test-pipeline", "--jobs", "0"]) == 2


def test_test_all(api: FakeApi, output: pytest.CaptureFixture[str]) -> None:
    arguments = ["test-all", "--data=sample", "--rows=10", "--scenario=edge", "--no-record"]
    assert run([*arguments, "--jobs", "2"]) == 0
    chosen = Options(DataSource.SAMPLE, rows=10, scenarios=("edge",))
    assert api.calls[1:] == [("plan_all", chosen), ("execute_all", False, 2)]
    out, err = output.readouterr()
    assert err == ""
    assert out.startswith("all tests of churn | 1 pipeline | 1 step alone\n")
    assert "\nPASSED  main/prep 1.00s 100MB\n" in out
    assert "\nPASSED  prep 1.00s 100MB\n" in out
    assert "\nPASSED all tests of churn | 2 of 2 runs passed | 1.00s\n" in out


def test_test_all_in_json_and_as_a_plan(api: FakeApi, output: pytest.CaptureFixture[str]) -> None:
    assert run(["test-all", "--json"]) == 0
    result = json.loads(output.readouterr().out)
    assert [item["name"] for item in result["runs"]] == ["main", "prep"]
    assert result["left_out"][0]["covered_by"] == ["main"]
    assert run(["test-all", "--dry-run", "--json"]) == 0
    said = output.readouterr().out
    assert [plan["name"] for plan in json.loads(said)["plans"]] == ["main", "prep"]
    assert "tok-123456" not in said
    assert run(["test-all", "--dry-run"]) == 0
    assert "to run all of it: mlvalidate test-all" in output.readouterr().out
    assert [call[0] for call in api.calls].count("execute_all") == 1


@pytest.mark.parametrize("quiet", [False, True])
def test_the_progress_of_a_search(
    api: FakeApi, output: pytest.CaptureFixture[str], quiet: bool
) -> None:
    arguments = ["test-script", "train", "--explore", "40", *(["-q"] if quiet else [])]
    assert run(arguments) == 0
    assert api.calls[1:] == [
        ("plan_exploration", "train", Options(explore=40)),
        ("execute", "train", True),
    ]
    lines = [
        "exploring up to 40 small inputs within the contract",
        "input 7 makes the step fail: making it smaller",
        "25 inputs tried",
    ]
    shown = output.readouterr().out.splitlines()
    assert shown[: len(lines)] == lines if not quiet else len(shown) == 1


@pytest.mark.parametrize("name", ["passed", "failed", "skipped", "interrupted", "internal"])
def test_exit_codes_of_results(api: FakeApi, output: pytest.CaptureFixture[str], name: str) -> None:
    codes = {"passed": 0, "failed": 1, "skipped": 5, "interrupted": 130, "internal": 3}
    api.execution = EXECUTIONS[name]
    assert run(["test-pipeline", "main", "-q"]) == codes[name]
    assert len(output.readouterr().out.splitlines()) == 1


def test_json_is_alone_on_stdout(api: FakeApi, output: pytest.CaptureFixture[str]) -> None:
    api.execution = EXECUTIONS["failed"]
    assert run(["test-pipeline", "--json"]) == 1
    out, err = output.readouterr()
    assert PipelineResult.model_validate_json(out).exit_code == 1
    assert "FAILED  prep" in err
    assert "error X201: train broke" in err


def test_json_before_the_command_and_quiet(
    api: FakeApi, output: pytest.CaptureFixture[str]
) -> None:
    assert run(["--json", "-q", "test-pipeline"]) == 0
    out, err = output.readouterr()
    assert json.loads(out)["status"] == "passed"
    assert err == "PASSED pipeline main | 2 passed | 2.00s\n"


def test_dry_run_runs_nothing(api: FakeApi, output: pytest.CaptureFixture[str]) -> None:
    assert run(["test-pipeline", "--dry-run"]) == 0
    out = output.readouterr().out
    assert "1. prep processing prep.py" in out
    assert "execute" not in [call[0] for call in api.calls]


def test_dry_run_as_json_keeps_secrets(api: FakeApi, output: pytest.CaptureFixture[str]) -> None:
    assert run(["test-script", "train", "--dry-run", "--json"]) == 0
    out = output.readouterr().out
    assert Plan.model_validate_json(out).steps[0].env == {"API_TOKEN": "***"}
    assert "tok-123456" not in out


def test_verbose(api: FakeApi, output: pytest.CaptureFixture[str]) -> None:
    assert run(["-v", "test-pipeline"]) == 0
    assert "STARTED prep" in output.readouterr().out


def test_list(api: FakeApi, output: pytest.CaptureFixture[str]) -> None:
    assert run(["list"]) == 0
    assert "main  prep -> train" in output.readouterr().out
    assert run(["list", "--json"]) == 0
    assert list(json.loads(output.readouterr().out)["steps"]) == ["prep", "train"]


def test_ui(api: FakeApi) -> None:
    assert run(["ui"]) == 0
    assert run(["ui", "--host", "0.0.0.0", "--port", "8080"]) == 0
    opened = [call for call in api.calls if call[0] == "open_ui"]
    assert opened == [("open_ui", "127.0.0.1", 5000), ("open_ui", "0.0.0.0", 8080)]


def test_server(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(["server"]) == 0
    monkeypatch.setenv("MLFLOW_BACKEND_STORE_URI", "postgresql://ann:hunter22@db/mlflow")
    options = ["--artifacts-destination", "s3://b/x", "--host", "0.0.0.0", "--port", "8080"]
    assert run(["server", *options, "--workers", "2", "--auth", "--allowed-hosts", "h"]) == 0
    assert api.calls == [
        ("run_server", TeamServer(Path("mlflow_data"))),
        (
            "run_server",
            TeamServer(
                Path("mlflow_data"),
                "postgresql://ann:hunter22@db/mlflow",
                "s3://b/x",
                "0.0.0.0",
                8080,
                workers=2,
                auth=True,
                allowed_hosts="h",
            ),
        ),
    ]


def test_schema(api: FakeApi, output: pytest.CaptureFixture[str]) -> None:
    assert run(["schema"]) == 0
    assert json.loads(output.readouterr().out) == api.json_schema()


def test_sync(api: FakeApi, output: pytest.CaptureFixture[str]) -> None:
    api.report = SyncReport(recorded=("r1",))
    assert run(["sync"]) == 0
    assert output.readouterr().out == "recorded 1 run in MLflow\n"
    assert run(["sync", "-q"]) == 0
    assert output.readouterr().out == ""


def test_sync_with_a_run_that_waits(api: FakeApi, output: pytest.CaptureFixture[str]) -> None:
    api.report = SyncReport(pending=(PendingRun("r1", "the server is away"),))
    assert run(["sync", "-q"]) == 3
    assert output.readouterr().out == "run r1 still waits: the server is away\n"
    assert run(["sync", "--json"]) == 3
    assert json.loads(output.readouterr().out) == {
        "recorded": [],
        "closed": [],
        "pending": [{"run_id": "r1", "reason": "the server is away"}],
        "reports": {},
    }


@pytest.mark.parametrize("arguments", [["-C", "{}", "list"], ["list", "-C", "{}"]])
def test_the_directory_goes_before_or_after_the_command(
    api: FakeApi, tmp_path: Path, arguments: list[str]
) -> None:
    assert run([argument.format(tmp_path) for argument in arguments]) == 0
    assert api.calls == [("open_project", tmp_path)]


def test_the_nearer_directory_wins(api: FakeApi, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    assert run(["-C", str(tmp_path), "list", "-C", str(tmp_path / "a")]) == 0
    assert api.calls == [("open_project", tmp_path / "a")]


def test_the_sync_command_names_the_directory(
    api: FakeApi, tmp_path: Path, output: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "my project").mkdir()
    assert run(["test-pipeline", "-C", str(tmp_path / "my project")]) == 0
    assert f"run `mlvalidate sync -C '{tmp_path}/my project'`" in output.readouterr().out


@pytest.mark.parametrize("shell", SHELLS)
def test_completion_prints_a_script(
    shell: str, monkeypatch: pytest.MonkeyPatch, output: pytest.CaptureFixture[str]
) -> None:
    assert run(["completion", shell]) == 0
    named = output.readouterr().out
    assert "_MLVALIDATE_COMPLETE" in named
    monkeypatch.setenv("SHELL", f"/usr/bin/{shell}")
    assert run(["completion"]) == 0
    assert output.readouterr().out == named


def test_completion_without_a_known_shell(output: pytest.CaptureFixture[str]) -> None:
    assert run(["completion"]) == 2
    assert "error: say which shell: bash, zsh, fish" in output.readouterr().err


@pytest.mark.parametrize(
    ("words", "current", "offered"),
    [
        ("mlvalidate test-", "test-", ["test-pipeline", "test-script", "test-all"]),
        ("mlvalidate test-script tr", "tr", ["train"]),
        ("mlvalidate test-script ", "", ["prep", "train"]),
        ("mlvalidate test-pipeline ", "", ["main"]),
        ("mlvalidate test-script --data s", "s", ["synthetic", "sample"]),
        ("mlvalidate -C broken test-script ", "", []),
    ],
)
def test_names_are_completed(
    *,
    api: FakeApi,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    output: pytest.CaptureFixture[str],
    words: str,
    current: str,
    offered: list[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "broken").mkdir()
    monkeypatch.setenv("_MLVALIDATE_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(len(words.split()) - bool(current)))
    with pytest.raises(SystemExit) as exit_:
        run([])
    assert exit_.value.code == 0
    lines = output.readouterr().out.split()
    assert [line.partition(",")[2] for line in lines] == offered
