"""A folder with scripts, and functions that load a project file from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import dedent

import pytest

from mlvalidate.core.contracts import Project
from mlvalidate.project import ProjectError, load_project

Load = Callable[..., Project]
Failure = Callable[..., str]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project's folder, and the current one: errors name files relative to it."""
    root = tmp_path / "project"
    for name in ("scripts/preprocess.py", "scripts/train.py", "scripts/lib/score.py"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("")
    (root / "data").mkdir()
    (root / "data/customers.csv").write_text("id\n1\n")
    monkeypatch.chdir(root)
    return root


@pytest.fixture
def load(folder: Path) -> Load:
    """Write the text as project file and load it."""

    def load(text: str, environ: Mapping[str, str] | None = None) -> Project:
        (folder / "mlvalidate.yaml").write_text(dedent(text), encoding="utf-8")
        return load_project(folder, environ or {})

    return load


@pytest.fixture
def failure(load: Load) -> Failure:
    """Load the text, which must fail, and return the message with a newline in front."""

    def failure(text: str, environ: Mapping[str, str] | None = None) -> str:
        with pytest.raises(ProjectError) as caught:
            load(text, environ)
        return f"\n{caught.value}\n"

    return failure


@pytest.fixture
def minimal() -> str:
    return dedent(
        """
        version: 1
        project: churn
        steps:
          train:
            kind: training
            script: scripts/train.py
        """
    )
