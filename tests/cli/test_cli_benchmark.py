"""`mlvalidate benchmark`, whole, on a step that is quadratic on purpose."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlvalidate.api import open_project
from mlvalidate.cli.entry import run
from mlvalidate.core.results import PipelineResult
from mlvalidate.tracking import layout
from mlvalidate.tracking.store import resolve_store
from tests.projects import ProjectFolder
from tests.tracking.tracking_stored import look

PAIRS = """
    import csv

    with open("/opt/ml/processing/input/raw/t.csv", newline="") as file:
        values = [float(row["a"]) for row in csv.DictReader(file)]
    with open("/opt/ml/processing/output/out/o.csv", "w") as file:
        file.write("n\\n")
        for value in values:
            file.write(f"{sum(abs(value - other) < 1 for other in values)}\\n")
"""


@pytest.fixture
def pairs(project: ProjectFolder) -> Path:
    project.write("pairs.py", PAIRS)
    step = {
        "script": "pairs.py",
        "volume": "1M",
        "inputs": {"raw": {"files": {"t.csv": "t"}}},
        "outputs": {"out": {"files": {"o.csv": "file"}}},
    }
    columns = {"a": {"type": "float"}}
    project.declare(datasets={"t": {"columns": columns}}, steps={"pairs": step})
    return project.root


@pytest.mark.slow
def test_a_quadratic_step_is_found_and_recorded(
    pairs: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    words = ["benchmark", "pairs", "--rows", "1k,2k,4k", "--repeat", "3", "-C", str(pairs)]
    # Whether it is sure enough to fail depends on how calm the machine is.
    code = run([*words, "--json"])
    result = PipelineResult.model_validate(json.loads(capfd.readouterr().out))
    assert code == result.exit_code
    assert result.benchmark is not None
    assert result.benchmark.duration_s is not None
    # What it is, tests with made-up measurements say.
    assert result.benchmark.duration_s.exponent.value > 0
    store = resolve_store(open_project(pairs), {})
    stored = look(store)
    key = layout.run_key(result.run_id)
    parent = stored.one(key)
    assert parent.data.tags[layout.KIND] == "benchmark"
    history = stored.client.get_metric_history(
        parent.info.run_id, layout.benchmark_metric("duration_s")
    )
    assert [metric.step for metric in history] == [1000, 2000, 4000]
    assert layout.growth_metric("duration_s.exponent") in parent.data.metrics
    assert layout.growth_metric("duration_s.predicted") in parent.data.metrics
    chart = stored.artifacts(key)[layout.GROWTH_FIGURE].read_text()
    assert "How pairs grows" in chart
    assert "<script src=" not in chart  # it opens without the network


def test_the_table_and_the_growth_are_shown(pairs: Path, capfd: pytest.CaptureFixture[str]) -> None:
    words = ["benchmark", "pairs", "--rows", "10,20", "--repeat", "1", "--no-record"]
    assert run([*words, "-C", str(pairs)]) == 0
    said = " ".join(capfd.readouterr().out.split())
    assert "PASSED benchmark pairs" in said
    assert "time: growth needs at least three volumes and four measurements" in said


@pytest.mark.parametrize("rows", ["", "0", "1.5", "many", "1k,,2k"])
def test_odd_volumes_are_refused(pairs: Path, rows: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["benchmark", "pairs", "--rows", rows, "-C", str(pairs)]) == 2
    assert "--rows" in capfd.readouterr().err


@pytest.mark.slow
def test_profiles_are_shown_and_recorded(pairs: Path, capfd: pytest.CaptureFixture[str]) -> None:
    words = ["benchmark", "pairs", "--rows", "300", "--repeat", "1", "--profile"]
    assert run([*words, "-C", str(pairs)]) == 0
    shown = capfd.readouterr().out
    assert "time by function of pairs@300.cpu (pyinstrument" in shown
    assert "memory by line of pairs@300.memory (memray" in shown
    assert "pairs.py:" in shown
    store = resolve_store(open_project(pairs), {})
    stored = look(store)
    (key,) = (key for key in stored.runs if stored.one(key).data.tags[layout.KIND] == "benchmark")
    assert "/steps/pairs@300.memory/profile/memory.html\n" in shown
    for name in ("cpu.html", "cpu.txt", "memory.html", "memory.txt"):
        assert stored.artifacts(key)[layout.profile_file(name)].stat().st_size > 50
