"""Code compared with that of a commit, by running both."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

import mlvalidate as mlv
from mlvalidate.core.errors import UsageError
from tests.projects import ProjectFolder

STEP = """
    import csv, time

    time.sleep({seconds})
    with open("/opt/ml/processing/output/out.csv", "w") as file:
        csv.writer(file).writerows([{header}, *([[n, n] for n in range({rows})])])
"""


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project whose step takes longer than at its only commit, and writes more."""
    folder = ProjectFolder(tmp_path_factory.mktemp("against"))
    outputs = {"out": {"path": "/opt/ml/processing/output"}}
    folder.declare_step(STEP.format(seconds=0, header=["a", "b"], rows=60), outputs=outputs)
    folder.write(".gitignore", ".mlvalidate")
    git = ["git", "-C", str(folder.root), "-c", "user.name=a", "-c", "user.email=a@b"]
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "first"]):
        subprocess.run([*git, *words], check=True, capture_output=True)
    folder.write("step.py", STEP.format(seconds=0.3, header=["a", "c"], rows=80))
    return folder.root


def test_code_is_compared_in_turn_with_that_of_a_commit(changed: Path) -> None:
    rounds = []
    comparison = mlv.compare_code(
        mlv.open_project(changed),
        "HEAD",
        "step",
        repeat=2,
        on_round=lambda *each: rounds.append(each),
    )
    assert [number for number, _, _ in rounds] == [1, 2]
    (step,) = comparison.steps
    assert (step.status_before, step.status_after) == ("passed", "passed")
    assert step.changed == ("code",)
    (rows,) = step.rows
    assert (rows.before, rows.after) == (60, 80)
    (table,) = step.tables
    assert [(each.change, each.column) for each in table.columns] == [
        ("added", "c"),
        ("removed", "b"),
    ]
    assert [column.column for column in table.drift] == ["a"]
    timing = step.timing("duration_s")
    assert timing is not None
    assert len(timing.values_before) == len(timing.values_after) == 2
    assert timing.ratio > 1
    assert comparison.before.commit == comparison.after.commit
    assert (comparison.before.is_dirty, comparison.after.is_dirty) == (False, True)
    assert comparison.notes == ("run in turn, 2 times each, and not recorded",)
    # Only what was run here is left, and no store.
    assert not (changed / ".mlvalidate/mlflow.db").exists()


def test_a_name_that_there_is_not(changed: Path) -> None:
    project = mlv.open_project(changed)
    with pytest.raises(UsageError, match="there is no pipeline or step 'stop'") as raised:
        mlv.compare_code(project, "HEAD", "stop")
    assert raised.value.hint == "did you mean 'step'?"
    with pytest.raises(UsageError, match="at least one round"):
        mlv.compare_code(project, "HEAD", "step", repeat=0)
