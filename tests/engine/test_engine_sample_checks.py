"""A sample that does not fit its dataset is refused before anything runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlvalidate import api
from mlvalidate.core.errors import UsageError
from mlvalidate.core.plan import DataSource
from mlvalidate.data.limits import Limits
from mlvalidate.engine import sample_checks
from tests.projects import ProjectFolder

OUT = {"out": {"path": "/opt/ml/processing/output"}}
COLUMNS = {
    "id": {"type": "string", "pattern": "A[0-9]+", "unique": True},
    "n": {"type": "integer", "min": 0, "max": 9},
    "plan": {"type": "category", "values": ["basic", "plus"]},
}


@pytest.fixture
def project(tmp_path: Path) -> ProjectFolder:
    folder = ProjectFolder(tmp_path)
    folder.write("step.py", "")
    folder.write("data/orders.csv", "id,n,plan\nA1,1,basic\nA2,2,plus\n")
    step = {"script": "step.py", "inputs": {"raw": {"files": {"*.csv": "orders"}}}, "outputs": OUT}
    dataset = {"sample": "data/orders.csv", "columns": COLUMNS, "rules": ["n < 9"]}
    folder.declare(datasets={"orders": dataset}, steps={"step": step})
    return folder


def plan(project: ProjectFolder, data: DataSource = DataSource.SAMPLE) -> None:
    api.plan_script(project.load(), "step", api.Options(data=data))


def complaint(project: ProjectFolder, content: str) -> str:
    project.write("data/orders.csv", content)
    with pytest.raises(UsageError) as caught:
        plan(project)
    return caught.value.message


def test_a_sample_that_fits_is_used(project: ProjectFolder) -> None:
    plan(project)


def test_every_column_that_does_not_fit_is_named(project: ProjectFolder) -> None:
    message = complaint(project, "id,n,colour\nA1,1,red\nB2,12,red\nA1,9,red\n")
    assert message.splitlines() == [
        "datasets.orders.sample: orders.csv: column 'plan' is not there "
        "(expected category of string; the file has 'colour', which is not declared: renamed?)",
        "datasets.orders.sample: orders.csv: column 'colour' is not declared "
        "(did you mean 'plan'?)",
        "datasets.orders.sample: orders.csv: column 'id' has texts of another form "
        "(expected a match of A[0-9]+; 1 of 3 rows; for example row 2: 'B2')",
        "datasets.orders.sample: orders.csv: column 'id' has values that occur twice "
        "(2 of 3 rows; for example row 1: 'A1')",
        "datasets.orders.sample: orders.csv: column 'n' has values out of range "
        "(expected at least 0 and at most 9; 1 of 3 rows; for example row 2: 12)",
        "datasets.orders.sample: orders.csv: the rule `n < 9` does not hold "
        "(2 of 3 rows; for example row 2: n=12)",
    ]


def test_a_sample_that_is_no_table(project: ProjectFolder) -> None:
    assert "orders.csv: can't be read as csv: line 3 has 1 fields" in complaint(
        project, "id,n,plan\nA1,1,basic\nA2\n"
    )


def test_a_sample_that_is_not_used_is_not_read(project: ProjectFolder) -> None:
    project.write("data/orders.csv", "wrong\n1\n")
    plan(project, DataSource.SYNTHETIC)
    assert len(list(sample_checks.sample_problems(project.load()))) > 1


def test_large_samples_are_left_to_the_steps(
    project: ProjectFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sample_checks, "MOST_BYTES", 3)
    project.write("data/orders.csv", "wrong\n1\n")
    plan(project)


def test_many_problems_are_cut(project: ProjectFolder) -> None:
    names = ",".join(f"c{n}" for n in range(60))
    assert complaint(project, f"{names}\n").endswith("... and 43 more")


def test_check_looks_at_all_small_samples(project: ProjectFolder) -> None:
    assert api.check(project.load()) is not None
    project.write("data/orders.csv", "id,n,plan\nA1,77,basic\n")
    with pytest.raises(UsageError, match=r"orders\.csv: column 'n' has"):
        api.check(project.load())
    api.check(project.load(), ["step"])


def test_a_sample_that_is_large_when_unpacked_is_not_compared(
    project: ProjectFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write("data/orders.csv", "id,n,plan\nB1,x,other\n")
    assert list(sample_checks.sample_problems(project.load()))
    monkeypatch.setattr("mlvalidate.data.files.LIMITS", Limits(table=5))
    assert list(sample_checks.sample_problems(project.load())) == []
