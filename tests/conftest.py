"""Fixtures for all tests."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from hypothesis import settings

from tests.projects import ProjectFolder

# A machine under load is no fault.
settings.register_profile("without deadline", deadline=None)
settings.load_profile("without deadline")

# A shell starts a job in the background with Ctrl-C ignored, and so would be what the tests start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def project(tmp_path: Path) -> ProjectFolder:
    """An empty project folder."""
    root = tmp_path / "project"
    root.mkdir()
    return ProjectFolder(root)


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests neither see nor reach the tracking server of whoever runs them."""
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME", "CI", "GITHUB_ACTIONS"):
        monkeypatch.delenv(name, raising=False)
    # Reports are rendered by processes that outlive the run; the tests that want them say so.
    monkeypatch.setenv("MLVALIDATE_REPORTS", "none")
