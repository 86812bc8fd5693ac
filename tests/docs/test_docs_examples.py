"""What the pages ask a reader to do does what they say."""

from __future__ import annotations

from pathlib import Path

import pytest
from docs_pages import DOCS, refresh


@pytest.fixture
def lab(tmp_path: Path) -> object:
    return refresh.Lab(tmp_path)


@pytest.mark.slow
def test_the_quick_start(lab: object, tmp_path: Path) -> None:
    folder = lab.quickstart  # type: ignore[attr-defined]
    command = "mlvalidate test-pipeline --no-record; echo exit code $?"
    shown = lab.run(command, folder)  # type: ignore[attr-defined]
    assert "PASSED pipeline returns | 2 passed" in shown
    assert shown.endswith("exit code 0")
    refresh.edit(folder / "prepare.py", '"amount": orders', '"amt": orders')
    shown = lab.run(command, folder)  # type: ignore[attr-defined]
    assert "error F311: output features: features.csv has no column 'amount'" in shown
    assert "SKIPPED train because prepare failed" in shown
    assert shown.endswith("exit code 1")


def test_a_typo_in_the_quick_start(lab: object) -> None:
    shown = refresh.RECIPES["quickstart-typo"](lab)
    assert "did you mean 'hyperparameters'?" in shown
    assert "mlvalidate.yaml:" in shown


@pytest.mark.slow
def test_the_plugin(lab: object) -> None:
    shown = refresh.RECIPES["plugin"](lab)
    assert "warning Z101: output kept: returned of kept.csv has one value only" in shown


@pytest.mark.slow
def test_what_a_script_sees(lab: object) -> None:
    shown = refresh.RECIPES["sees"](lab)
    documented = dict(refresh.blocks((DOCS / "how-a-step-runs.md").read_text()))["sees"]
    names = {line.partition("=")[0] for line in shown.splitlines() if "=" in line}
    assert names == {line.partition("=")[0] for line in documented.splitlines() if "=" in line}
    assert "API_TOKEN=***" in shown
