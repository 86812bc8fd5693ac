"""Importing the package costs nothing: the CLI does it before it knows what is needed."""

from __future__ import annotations

import subprocess
import sys

HEAVY = ("numpy", "pandas", "pyarrow")


def test_importing_loads_nothing_heavy() -> None:
    code = (
        "import sys, mlvalidate.data, mlvalidate.data.synthesis, mlvalidate.data.files\n"
        "import mlvalidate.data.conformity, mlvalidate.data.samples\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"
