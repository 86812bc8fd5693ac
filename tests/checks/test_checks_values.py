"""What output tables hold: F317 to F327, through a whole test of a step."""

from __future__ import annotations

from typing import Any

import pytest

from mlvalidate.core.findings import Severity
from tests.projects import ProjectFolder, Ran

OUT = "/opt/ml/processing/output"
COLUMNS: dict[str, Any] = {
    "id": {"type": "string", "pattern": "C[0-9]"},
    "n": {"type": "integer", "min": 0, "max": 9, "null": 0.1},
    "kind": {"type": "category", "values": ["a", "b"]},
    "x": {"type": "float"},
    "code": {"type": "integer", "unique": True, "monotone": "increasing"},
}
HEADER = "id,n,kind,x,code\n"
GOOD = HEADER + "C1,1,a,0.5,1\nC2,2,b,1.5,2\n"


def run_writing(project: ProjectFolder, **files: str) -> Ran:
    lines = [f"open('{OUT}/{name}.csv', 'w').write({text!r})" for name, text in files.items()]
    project.write("step.py", "\n".join(lines))
    dataset = {"key": "id", "columns": COLUMNS, "rules": ["x < n + 1"]}
    project.declare(
        datasets={"d": dataset},
        steps={
            "step": {
                "script": "step.py",
                "outputs": {"out": {"path": OUT, "files": {"*.csv": "d"}}},
            }
        },
    )
    return project.run_step()


def test_good_values(project: ProjectFolder) -> None:
    assert run_writing(project, a=GOOD).codes == []


@pytest.mark.parametrize(
    ("old", "new", "code", "column", "message"),
    [
        ("b,1.5", ",1.5", "F317", "kind", "has 1 of 2 values missing, and none may be"),
        ("2,b", "12,b", "F319", "n", "values out of range: expected at least 0 and at most 9"),
        ("b", "z", "F320", "kind", "has 1 of 2 undeclared values: expected one of a, b"),
        ("C2", "C2.0", "F321", "id", "1 of 2 texts of another form: expected a match of C[0-9]"),
        ("1.5,2", "1.5,1", "F322", "code", "is unique by contract, and 2 of 2 values occur more"),
        ("C2", "C1", "F323", "id", "2 of 2 rows of a.csv share their key id with another row"),
        ("1.5,", "5,", "F324", None, "rule `x < n + 1` on a.csv: 1 of 2 rows break it"),
        ("1.5,", "-inf,", "F325", "x", "has 1 of 2 infinite values"),
        ("1.5,2", "1.5,0", "F327", "code", "increasing values, and 1 of 2 break the order"),
    ],
)  # fmt: skip
def test_one_fault(
    project: ProjectFolder, old: str, new: str, code: str, column: str | None, message: str
) -> None:
    ran = run_writing(project, a=GOOD.replace(old, new))
    assert ran.codes == [code]
    finding = ran.finding(code)
    assert message in finding.message
    assert (finding.step, finding.port, finding.file) == ("step", "out", "a.csv")
    assert (finding.column, finding.severity) == (column, Severity.ERROR)
    assert finding.evidence
    assert finding.hint


def test_f318_many_missing(project: ProjectFolder) -> None:
    rows = "".join(f"C{i % 10},,a,0.5,{i}\n" for i in range(9))
    ran = run_writing(project, a=HEADER + rows)
    finding = ran.finding("F318")
    assert "has 100.0% of its values missing; declared are about 10.0%" in finding.message
    assert finding.severity is Severity.WARNING


def test_f323_a_key_in_two_files(project: ProjectFolder) -> None:
    finding = run_writing(project, a=GOOD, b=HEADER + "C2,1,a,0.5,9\n").finding("F323")
    assert "2 of 3 rows of a.csv, b.csv share their key id" in finding.message
    assert finding.evidence == ("a.csv: id=C2", "b.csv: id=C2")


def test_f326_constant(project: ProjectFolder) -> None:
    rows = "".join(f"C{i},{3},{'ab'[i % 2]},0.5,{i}\n" for i in range(10))
    more = "".join(f"D{i},{3},{'ab'[i % 2]},0.5,{i + 10}\n" for i in range(10))
    ran = run_writing(project, a=HEADER + rows + more)
    finding = ran.finding("F326")
    assert finding.column == "n"
    assert finding.severity is Severity.WARNING
    assert finding.evidence == ("row 1: 3",)
