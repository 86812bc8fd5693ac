"""The project as it was at another commit."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from mlvalidate.core.errors import InfrastructureError, UsageError
from mlvalidate.engine.checkout import checkout
from tests.projects import ProjectFolder

PROJECT = {"steps": {"step": {"script": "step.py", "python": "venv/bin/python"}}}
DATASETS = {"t": {"sample": "data/t.csv", "columns": {"a": {"type": "integer"}}}}


def git(folder: Path, *words: str) -> str:
    options = ["-c", "user.name=a", "-c", "user.email=a@b"]
    command = ["git", "-C", str(folder), *options, *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def committed(tmp_path: Path) -> ProjectFolder:
    """A project in a folder of a repository, with two commits and files that git ignores."""
    root = tmp_path / "repository" / "shop"
    root.mkdir(parents=True)
    git(root.parent, "init", "-q", "-b", "main")
    folder = ProjectFolder(root)
    folder.write("../.gitignore", "venv\n*.csv\n")
    folder.write("data/t.csv", "a\n1\n")
    (folder.write("venv/bin/python", "")).chmod(0o755)
    folder.write("data/README", "")
    git(root.parent, "add", "-A")
    git(root.parent, "commit", "-qm", "nothing yet")
    for text in ("old", "new"):
        folder.write("step.py", text)
        folder.declare(datasets=DATASETS, **PROJECT)
        git(root.parent, "add", "-A")
        git(root.parent, "commit", "-qm", text)
    folder.write("step.py", "newest")
    return folder


def test_a_commit_is_there_for_as_long_as_it_is_needed(committed: ProjectFolder) -> None:
    project = committed.load()
    with checkout(project, "HEAD~1") as found:
        assert found.commit == git(committed.root, "rev-parse", "HEAD~1")
        assert (found.folder / "step.py").read_text() == "old"
        old = ProjectFolder(found.folder).load()
        assert old.path("venv").resolve() == project.path("venv")
        assert old.path("data/t.csv").read_text() == "a\n1\n"
        assert not old.path("data").is_symlink()
    assert not found.folder.exists()
    assert (committed.root / "step.py").read_text() == "newest"
    assert len(git(committed.root, "worktree", "list").splitlines()) == 1
    assert (committed.root / "data/t.csv").exists()


def test_a_commit_that_there_is_not(committed: ProjectFolder) -> None:
    for reference in ("gone", "--all", ""):
        with (
            pytest.raises(UsageError, match="git knows no commit"),
            checkout(committed.load(), reference),
        ):
            pass


def test_a_commit_before_the_project(committed: ProjectFolder) -> None:
    with (
        pytest.raises(UsageError, match=r"has no mlvalidate\.yaml in this folder"),
        checkout(committed.load(), "HEAD~2"),
    ):
        pass
    assert len(git(committed.root, "worktree", "list").splitlines()) == 1


def test_a_folder_without_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    folder = ProjectFolder(tmp_path / "alone")
    folder.root.mkdir()
    folder.declare_step("")
    with (
        pytest.raises(UsageError, match="is no checkout of git"),
        checkout(folder.load(), "HEAD"),
    ):
        pass
    monkeypatch.setenv("PATH", "")
    with (
        pytest.raises(InfrastructureError, match="git is not installed"),
        checkout(folder.load(), "HEAD"),
    ):
        pass
