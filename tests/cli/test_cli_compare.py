"""`mlvalidate compare`, on a comparison that is made up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mlvalidate import api, api_history
from mlvalidate.cli.commands.compare import FAIL_ON
from mlvalidate.cli.entry import run
from mlvalidate.core.comparison import Comparison, FailOn
from mlvalidate.core.results import PipelineResult, Status, StepResult, Usage
from tests.reporting.comparison_builders import make_comparison

Asked = list[tuple[object, ...]]


def make_result(seconds: float) -> PipelineResult:
    step = StepResult(
        node="a", step="a", kind="command", entry_point="a", status=Status.PASSED,
        started_at=0, finished_at=1, usage=Usage(duration_s=seconds),
    )  # fmt: skip
    return PipelineResult(
        run_id="r", kind="script", name="a", project="p", status=Status.PASSED, started_at=0,
        finished_at=1, data_source="synthetic", scenario="standard", seed=0, command="",
        steps=(step,),
    )  # fmt: skip


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """Return what the command asks for; it gets the same comparison each time."""
    calls: Asked = []

    def compare(*arguments: object) -> Comparison:
        calls.append(arguments)
        return make_comparison()

    monkeypatch.setattr(api, "open_project", lambda directory: "project")

    def compare_code(project: str, commit: str, name: str, **options: Any) -> Comparison:
        calls.append((project, commit, name, options["repeat"], options["options"].rows))
        options["on_round"](1, make_result(1.0), make_result(1.5))
        return make_comparison()

    monkeypatch.setattr(api_history, "compare", compare)
    monkeypatch.setattr(api_history, "compare_code", compare_code)
    return calls


def test_the_words_are_those_of_the_model() -> None:
    assert tuple(FAIL_ON) == tuple(FailOn)


def test_the_newest_run_is_compared_with_the_last_that_passed(
    asked: Asked, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(["compare"]) == 0
    assert asked == [("project", "", "baseline")]
    assert capfd.readouterr().out.endswith("2 of 3 steps changed\n")


def test_a_run_and_a_baseline_can_be_named(asked: Asked) -> None:
    assert run(["compare", "churn", "--baseline", "branch:main"]) == 0
    assert asked == [("project", "churn", "branch:main")]


def test_json_is_the_whole_comparison(asked: Asked, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["compare", "--json", "-q"]) == 0
    out, err = capfd.readouterr()
    assert Comparison.model_validate(json.loads(out)) == make_comparison()
    assert err == "2 of 3 steps changed\n"


@pytest.mark.parametrize(("sorts", "code"), [("slower, schema", 1), ("memory", 0)])
def test_it_fails_on_what_it_is_told_to(asked: Asked, sorts: str, code: int) -> None:
    assert run(["compare", "--fail-on", sorts]) == code


def test_a_sort_that_there_is_not(asked: Asked, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["compare", "--fail-on", "slow"]) == 2
    assert "there is no 'slow': did you mean 'slower'?" in capfd.readouterr().err
    assert not asked


def test_it_is_written_and_kept_in_mlflow(
    asked: Asked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[str] = []
    monkeypatch.setattr(
        api_history, "log_comparison", lambda project, comparison, page: kept.append(page)
    )
    markdown, html = tmp_path / "new/c.md", tmp_path / "c.html"
    assert run(["compare", "--markdown", str(markdown), "--html", str(html), "--log"]) == 0
    assert markdown.read_text().startswith("**2 of 3 steps changed**")
    assert html.read_text() == kept[0]


def test_a_file_that_cannot_be_written(
    asked: Asked, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert run(["compare", "--markdown", str(tmp_path / "file/c.md")]) == 3
    assert "can't write" in capfd.readouterr().err


def test_code_is_compared_with_that_of_a_commit(
    asked: Asked, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(["compare", "--against", "main", "--rows", "9"]) == 0
    assert capfd.readouterr().err == "round 1: 1.00s before, 1.50s after\n"
    assert run(["compare", "churn", "--against", "main", "--repeat", "3", "-q"]) == 0
    assert capfd.readouterr().err == ""
    assert asked == [("project", "main", "", 10, 9), ("project", "main", "churn", 3, None)]


@pytest.mark.parametrize(
    "options",
    [
        ["--against", "main", "--baseline", "last:3"],
        ["--against", "main", "--log"],
        ["--repeat", "3"],
        ["--rows", "9"],
    ],
)
def test_options_that_would_do_nothing(asked: Asked, options: list[str]) -> None:
    assert run(["compare", *options]) == 2
    assert not asked
