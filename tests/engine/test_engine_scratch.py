"""Throwaway folders: gone after the step, swept after a kill, never taken from a living run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from mlvalidate.engine.scratch import scratch_folder, sweep_scratch


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
def owner(place: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds a scratch folder."""
    code = (
        "from mlvalidate.engine.scratch import scratch_folder\n"
        "with scratch_folder() as folder:\n    print(folder, flush=True)\n    input()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code],
        env={**os.environ, "TMPDIR": str(place)},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        yield process
        process.kill()


def folder_of(owner: subprocess.Popen[str]) -> Path:
    assert owner.stdout is not None
    return Path(owner.stdout.readline().strip())


def test_it_is_gone_afterwards() -> None:
    with scratch_folder() as folder:
        (folder / "file").touch()
        sweep_scratch()
        assert (folder / "file").exists()
    assert not folder.exists()


def test_that_of_a_killed_process_is_swept(owner: subprocess.Popen[str]) -> None:
    folder = folder_of(owner)
    sweep_scratch()
    assert folder.exists()
    os.kill(owner.pid, signal.SIGKILL)
    owner.wait()
    sweep_scratch()
    assert not folder.exists()


def test_that_of_a_process_whose_pid_was_given_away_is_swept(place: Path) -> None:
    born = psutil.Process().create_time()
    left = place / f"mlvalidate-step-{os.getpid()}-{born + 1:.0f}-abc"
    left.mkdir()
    sweep_scratch()
    assert not left.exists()


def test_that_of_a_process_in_another_container_stays(owner: subprocess.Popen[str]) -> None:
    folder = folder_of(owner)
    # Its pid means nothing here.
    elsewhere = folder.rename(folder.parent / "mlvalidate-step-3999999-1-abc")
    sweep_scratch()
    assert elsewhere.exists()


def test_folders_of_other_names_stay(place: Path) -> None:
    for name in ("mlvalidate-step-", "mlvalidate-step-x-1-abc", "mlvalidate-other-1-abc"):
        (place / name).mkdir()
    sweep_scratch()
    assert len(list(place.iterdir())) == 3


def test_a_deep_tree_that_a_killed_run_left_behind(
    place: Path,
) -> None:
    left = place / "mlvalidate-step-3999999-x"
    left.mkdir()
    make = f"cd {left}; for i in $(seq 1500); do mkdir d; cd d; done"
    subprocess.run(["sh", "-c", make], check=True)
    sweep_scratch()
    assert not left.exists()
