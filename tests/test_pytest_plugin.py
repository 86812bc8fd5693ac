"""`pytest --mlvalidate`, in sessions of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest
import yaml

from mlvalidate import pytest_plugin
from mlvalidate.project import PROJECT_FILES

pytest_plugins = ["pytester"]

SCRIPTS = {
    "good.py": "open('/opt/ml/processing/output/out/a.txt', 'w').write('a')\n",
    "bad.py": "print('reading')\nraise KeyError('tenure')\n",
    "load.py": """
import csv
rows = list(csv.DictReader(open("/opt/ml/processing/input/raw/raw.csv")))
if "amount" not in rows[0]:
    raise ValueError("raw.csv has no column amount")
open("/opt/ml/processing/output/out/a.txt", "w").write(str(len(rows)))
""",
}
OUTPUTS = {"out": {}}
PROJECT = {
    "version": 1,
    "project": "shop",
    "datasets": {"orders": {"columns": {"amount": {"type": "float"}, "note": {"type": "text"}}}},
    "steps": {
        "good": {"script": "good.py", "outputs": OUTPUTS},
        "bad": {"script": "bad.py", "outputs": OUTPUTS},
        "load": {
            "script": "load.py",
            "inputs": {"raw": {"files": {"raw.csv": "orders"}}},
            "outputs": OUTPUTS,
        },
        "last": {"script": "good.py", "inputs": {"data": {}}, "outputs": OUTPUTS},
    },
    "pipelines": {"shop": {"nodes": ["good", "last"], "edges": {"last.data": "good.out"}}},
}


@pytest.fixture
def shop(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    # The session is an ordinary one, whoever runs this one.
    for name in ("PYTEST_ADDOPTS", "PYTEST_XDIST_WORKER", "PYTEST_XDIST_WORKER_COUNT"):
        monkeypatch.delenv(name, raising=False)
    (pytester.path / "mlvalidate.yaml").write_text(yaml.safe_dump(PROJECT, sort_keys=False))
    for name, text in SCRIPTS.items():
        (pytester.path / name).write_text(text)
    return pytester


def run(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    # Warnings are errors in many projects: none of mlvalidate's may become one of theirs.
    plain = ("-p", "no:randomly", "-p", "no:cacheprovider", "-W", "error")
    return pytester.runpytest_subprocess(*plain, *arguments)


def test_items(shop: pytest.Pytester) -> None:
    options = ("--mlvalidate", "--collect-only", "-q")
    result = run(shop, *options)
    names = ["good", "bad", "load", "last", "pipelines::shop"]
    assert result.outlines[:5] == [f"mlvalidate.yaml::{name}" for name in names]
    scenarios = ("--mlvalidate-scenario", "edge.unicode", "--mlvalidate-scenario", "missing_column")
    result = run(shop, *options, *scenarios, "-k", "load")
    assert result.outlines[:2] == [
        "mlvalidate.yaml::load[edge.unicode]",
        "mlvalidate.yaml::load[missing_column.amount]",
    ]
    assert run(shop, "--collect-only", "-q").ret == pytest.ExitCode.NO_TESTS_COLLECTED


@pytest.mark.slow
def test_a_session_on_workers(shop: pytest.Pytester) -> None:
    result = run(
        shop,
        "--mlvalidate",
        "--mlvalidate-no-record",
        "-n",
        "2",
        "-rsf",
        "--junit-xml",
        "junit.xml",
    )
    result.assert_outcomes(passed=3, failed=1, skipped=1)
    text = result.stdout.str()
    for said in (
        "FAILED script bad | 1 failed | 1 error, 1 warning",
        "error X201 in bad: KeyError: 'tenure'",
        "  at bad.py:2",
        "bad printed at the end:\nreading\n",
        "reproduce: mlvalidate test-script bad",
        "FAILED mlvalidate.yaml::bad - X201 KeyError: 'tenure'",
        "SKIPPED [1] mlvalidate.yaml: nothing provides data of last",
        "; covered by shop",
    ):
        assert said in text
    # The traceback in the log is the script's; none is mlvalidate's.
    assert "pytest_plugin.py" not in text
    assert 'name="mlvalidate_run"' in (shop.path / "junit.xml").read_text()


def test_a_single_case(shop: pytest.Pytester) -> None:
    scenario = ("--mlvalidate-scenario", "missing_column.amount")
    named = "mlvalidate.yaml::load[missing_column.amount]"
    result = run(shop, "--mlvalidate", "--mlvalidate-no-record", *scenario, named, "-v")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["mlvalidate.yaml::load[[]missing_column.amount[]] PASSED*"])


@pytest.mark.slow
def test_what_is_recorded(shop: pytest.Pytester) -> None:
    """Runs of all workers, at once when the session ends; without MLflow they wait."""
    project = {**PROJECT, "tracking": {"uri": "http://127.0.0.1:9"}}
    (shop.path / "mlvalidate.yaml").write_text(yaml.safe_dump(project, sort_keys=False))
    result = run(shop, "--mlvalidate", "-n", "2", "-k", "good or load")
    result.assert_outcomes(passed=2)
    assert result.ret == pytest.ExitCode.OK
    section = result.stdout.str().partition("= mlvalidate =")[2]
    assert "127.0.0.1:9" in section
    waiting = [folder.name for folder in (shop.path / ".mlvalidate/runs").iterdir()]
    assert len(waiting) == 2
    assert all(run_id in section for run_id in waiting)


def test_a_broken_project_is_told_in_words(shop: pytest.Pytester) -> None:
    (shop.path / "mlvalidate.yaml").write_text("version: 1\nproject: x\nstep: {}\n")
    result = run(shop, "--mlvalidate")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    text = result.stdout.str()
    assert "mlvalidate.yaml:3" in text
    assert "Traceback" not in text
    assert "pytest_plugin.py" not in text


def test_a_wrong_scenario_is_told_in_words(shop: pytest.Pytester) -> None:
    result = run(shop, "--mlvalidate", "--mlvalidate-scenario", "edeg")
    text = result.stdout.str()
    assert "edge" in text
    assert "Traceback" not in text
    assert result.ret == pytest.ExitCode.INTERRUPTED


def test_it_costs_nothing_when_it_is_not_asked_for() -> None:
    code = (
        "import sys, mlvalidate.pytest_plugin\n"
        "print([m for m in sys.modules if m.startswith('mlvalidate.')"
        " or m in ('pydantic', 'yaml', 'pandas', 'mlflow', 'rich')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "['mlvalidate.pytest_plugin']\n"


def test_the_project_files_are_those_of_the_project() -> None:
    assert pytest_plugin.PROJECT_FILES == PROJECT_FILES
