"""Scenarios on the command line."""

from __future__ import annotations

import pytest

from mlvalidate.cli.completions import complete_scenarios
from mlvalidate.cli.entry import run as run_command
from tests.projects import ProjectFolder

SCRIPT = """
    rows = open("/opt/ml/processing/input/raw/t.csv").read()
    if not rows.strip().splitlines()[1:]:
        raise SystemExit("no rows")
    open("/opt/ml/processing/output/out/t.csv", "w").write(rows)
"""


def declare(project: ProjectFolder) -> None:
    project.write("step.py", SCRIPT)
    port = {"files": {"t.csv": "t"}}
    step = {"script": "step.py", "inputs": {"raw": port}, "outputs": {"out": port}}
    columns = {"a": {"type": "integer", "min": 0}, "b": {"type": "text"}}
    project.declare(datasets={"t": {"rows": 20, "columns": columns}}, steps={"step": step})


class Terminal:
    """Runs commands on a project and keeps what they say."""

    def __init__(self, project: ProjectFolder, capfd: pytest.CaptureFixture[str]) -> None:
        self.project, self._capfd = project, capfd

    def run(self, *words: str) -> tuple[int, str]:
        code = run_command([*words, "-C", str(self.project.root)])
        return code, " ".join("".join(self._capfd.readouterr()).split())


@pytest.fixture
def terminal(
    project: ProjectFolder, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Terminal:
    monkeypatch.setenv("COLUMNS", "140")
    declare(project)
    return Terminal(project, capfd)


def test_the_matrix_is_shown(terminal: Terminal) -> None:
    cases = ("--scenario", "edge.unicode", "--scenario", "empty", "--scenario", "unseen_category")
    code, said = terminal.run("test-script", "step", *cases, "--no-record")
    assert code == 0, said
    assert "matrix step" in said
    assert "rejected: no rows" in said
    assert "skipped: t: no column declares `values`" in said


def test_the_dry_run_lists_the_cases(terminal: Terminal) -> None:
    code, said = terminal.run("test-script", "step", "--scenario", "all", "--dry-run")
    assert code == 0, said
    assert "missing_column.a" in said or "missing_column.b" in said
    assert "skipped: t: there is no key, and no unique column" in said


def test_a_mistyped_scenario_is_told(terminal: Terminal) -> None:
    code, said = terminal.run("test-script", "step", "--scenario", "edge.unicod")
    assert code == 2
    assert "did you mean 'unicode'?" in said


def test_generate_writes_a_case(terminal: Terminal) -> None:
    out = terminal.project.root / "made"
    code, said = terminal.run("generate", "t", "--out", str(out), "--scenario", "edge.punctuation")
    assert code == 0, said
    assert "scenario edge.punctuation" in said
    assert '""yes""' in (out / "t.csv").read_text()
    code, said = terminal.run("generate", "t", "--out", str(out), "--scenario", "edge")
    assert (code, "name one of them" in said) == (2, True)


def test_a_search_goes_before_the_run(project: ProjectFolder, terminal: Terminal) -> None:
    declare(project)
    words = ("test-script", "step", "--explore", "3")
    code, said = terminal.run(*words, "--dry-run")
    assert code == 0
    assert "before that: up to 3 small inputs within the contract" in said
    assert "to run it: mlvalidate test-script step" in said
    assert said.endswith("--explore 3")
    code, said = terminal.run(*words, "--no-record")
    assert code == 0
    assert said.startswith("exploring up to 3 small inputs within the contract script step")
    assert "note: Explored 3 small inputs: none made the step fail." in said


def test_scenarios_are_completed() -> None:
    found = [item.value for item in complete_scenarios(None, None, "edge.u")]  # type: ignore[arg-type]
    assert found == ["edge.unicode"]
    everything = [item.value for item in complete_scenarios(None, None, "")]  # type: ignore[arg-type]
    assert everything.count("empty") == 1
    assert "all" in everything
