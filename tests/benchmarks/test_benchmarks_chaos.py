"""A killed engine leaves nothing behind: a few kills of those that `benchmarks/chaos.py` makes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_some_kills() -> None:
    done = subprocess.run(
        # Its own process: it adopts what it kills the parent of.
        [sys.executable, ROOT / "benchmarks" / "chaos.py", "--times", "4", "--seed", "1"],
        capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "nothing is left" in done.stdout
