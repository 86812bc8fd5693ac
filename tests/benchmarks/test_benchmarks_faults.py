"""The seeded faults of `benchmarks/faults` fit today's example, and some of them run whole."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from mlvalidate import api
from mlvalidate.checks.registry import reference_page

ROOT = Path(__file__).resolve().parents[2]


def _load() -> ModuleType:
    path = ROOT / "benchmarks" / "faults" / "faults.py"
    spec = importlib.util.spec_from_file_location("benchmark_faults", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


catalogue = _load()
FAULTS = {fault.name: fault for fault in catalogue.load_faults()}


@pytest.mark.parametrize("name", FAULTS)
def test_fits_the_example(name: str, tmp_path: Path) -> None:
    fault = FAULTS[name]
    project = tmp_path / "churn"
    for edit in fault.edits:
        (project / edit.file).parent.mkdir(parents=True, exist_ok=True)
        (project / edit.file).write_text((catalogue.EXAMPLE / edit.file).read_text())
    catalogue.apply_fault(fault, project)
    for edit in fault.edits:
        text = (project / edit.file).read_text()
        assert text != (catalogue.EXAMPLE / edit.file).read_text()
        if edit.file.endswith(".py"):
            compile(text, edit.file, "exec")


def test_steps_and_codes_exist() -> None:
    steps = set(api.open_project(catalogue.EXAMPLE).steps)
    assert {fault.step for fault in FAULTS.values()} <= steps
    known = {line.split()[1] for line in reference_page().splitlines() if line[:4] == "### "}
    assert {code for fault in FAULTS.values() for code in fault.codes} <= known
    assert len(FAULTS) >= 40


def test_an_edit_that_does_not_fit(tmp_path: Path) -> None:
    fault = FAULTS["unseeded-split"]
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "preprocess.py").write_text("print(1)\n")
    with pytest.raises(ValueError, match="has 0 times"):
        catalogue.apply_fault(fault, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    ["label-in-feature", "hyperparameter-ignored", "features-fitted-anew", "manifest-empty"],
)
def test_is_reported(name: str, tmp_path: Path) -> None:
    folder = catalogue.copy_example(tmp_path / "churn")
    catalogue.apply_fault(FAULTS[name], folder)
    project = api.open_project(folder)
    result = api.execute(project, api.plan_pipeline(project), record=False)
    assert catalogue.compare(FAULTS[name], result).right
