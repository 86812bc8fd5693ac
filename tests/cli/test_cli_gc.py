"""`mlvalidate gc` on a project that has not run yet, and on wrong words."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from mlvalidate.cli.group import cli
from tests.projects import ProjectFolder


@pytest.fixture
def directory(project: ProjectFolder) -> str:
    project.declare_step("pass")
    return str(project.root)


def test_nothing_goes_of_a_new_project(directory: str) -> None:
    done = CliRunner().invoke(cli, ["gc", "-C", directory, "--json"])
    assert done.exit_code == 0
    told = json.loads(done.stdout)
    assert told["is_dry"]
    assert [removal["sort"] for removal in told["removals"]] == ["journals", "runs"]
    assert [removal["runs"] for removal in told["removals"]] == [[], []]


def test_a_folder_that_is_old_enough_is_named_and_deleted(
    directory: str, project: ProjectFolder
) -> None:
    folders = [project.root / ".mlvalidate/runs" / f"2025010{n}-000000-aaaaaa" for n in (1, 2)]
    for folder in folders:
        folder.mkdir(parents=True)
    words = ["gc", "journals", "-C", directory, "--keep", "1", "--older-than", "1ms"]
    told = CliRunner().invoke(cli, [*words, "-v"]).output
    assert "folders of runs on this disk: 1 run would go" in told
    assert "nothing was deleted: --delete does it" in told
    assert all(folder.exists() for folder in folders)
    told = CliRunner().invoke(cli, [*words, "--delete"]).output
    assert "folders of runs on this disk: 1 run deleted" in told
    assert [folder.exists() for folder in folders].count(True) == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["journal"], "'journal' is not one of 'data', 'journals', 'runs'"),
        (["--older-than", "soon"], "expected a duration such as 30s"),
        (["--keep", "0"], "0 is not in the range x>=1"),
    ],
)
def test_wrong_words(directory: str, words: list[str], said: str) -> None:
    done = CliRunner().invoke(cli, ["gc", "-C", directory, *words])
    assert done.exit_code == 2
    assert said in done.output
