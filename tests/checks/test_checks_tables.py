"""What is inside output files: F307 and F311 to F316."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlvalidate.checks.tables import CHECKS
from mlvalidate.core.findings import Finding, Severity
from mlvalidate.core.results import Status
from mlvalidate.data.limits import Limits
from tests.projects import ProjectFolder, Ran

OUT = "/opt/ml/processing/output"
COLUMNS = {
    "customer_id": {"type": "string"},
    "tenure": {"type": "integer", "null": 0.5},
    "charges": {"type": "float"},
    "note": {"type": "text", "optional": True},
}
GOOD = "customer_id,tenure,charges\nC1,1,1.5\nC2,,2\n"


def run_writing(
    project: ProjectFolder, content: str, declared: str = "d", name: str = "a.csv"
) -> Ran:
    """Run a script that writes one declared file."""
    project.write("step.py", f"open('{OUT}/{name}', 'w', encoding='latin-1').write({content!r})")
    project.declare(
        datasets={"d": {"format": "csv", "columns": COLUMNS}},
        steps={
            "step": {
                "script": "step.py",
                "outputs": {"out": {"path": OUT, "files": {name: declared}}},
            }
        },
    )
    return project.run_step()


def check_place(finding: Finding, column: str | None) -> None:
    assert (finding.step, finding.port, finding.file) == ("step", "out", "a.csv")
    assert finding.column == column
    assert finding.reproduce.startswith("mlvalidate test-script step")


def test_a_good_table(project: ProjectFolder) -> None:
    ran = run_writing(project, GOOD)
    assert ran.codes == []
    assert ran.step.rows == {"out": 2}


def test_f311_a_renamed_column(project: ProjectFolder) -> None:
    ran = run_writing(project, GOOD.replace("charges", "charge"))
    finding = ran.finding("F311")
    check_place(finding, "charges")
    assert finding.message == "output out: a.csv has no column 'charges'"
    assert finding.hint == "the file has 'charge', which is not declared: renamed?"
    assert finding.severity is Severity.ERROR
    assert ran.codes == ["F311"]
    assert ran.result.status is Status.FAILED


def test_f311_a_column_that_is_gone(project: ProjectFolder) -> None:
    ran = run_writing(project, "customer_id,charges\nC1,1.5\n")
    assert ran.finding("F311").column == "tenure"
    assert ran.finding("F311").hint == ""
    assert ran.codes == ["F311"]


def test_f312_an_undeclared_column(project: ProjectFolder) -> None:
    ran = run_writing(project, "customer_id,tenure,charges,zzz\nC1,1,1.5,9\n")
    finding = ran.finding("F312")
    check_place(finding, "zzz")
    assert finding.message == "output out: a.csv has the undeclared column 'zzz'"
    assert finding.hint == "declare it in dataset d, or drop it"
    assert finding.severity is Severity.WARNING
    assert ran.result.status is Status.PASSED


def test_f312_the_index_of_pandas(project: ProjectFolder) -> None:
    ran = run_writing(project, ",customer_id,tenure,charges\n0,C1,1,1.5\n")
    assert "index=False" in ran.finding("F312").hint


def test_f313_a_wrong_type(project: ProjectFolder) -> None:
    rows = "".join(f"C{n},many,1.5\n" for n in range(9))
    ran = run_writing(project, "customer_id,tenure,charges\n" + rows)
    finding = ran.finding("F313")
    check_place(finding, "tenure")
    assert finding.message.startswith("output out: column 'tenure' of a.csv should be integer")
    assert finding.hint == "convert it, or change its type in dataset d"
    assert len(finding.evidence) == 5
    assert finding.evidence[0] == "row 1: 'many'"
    assert finding.severity is Severity.ERROR
    assert ran.codes == ["F313"]


def test_f314_two_columns_of_one_name(project: ProjectFolder) -> None:
    ran = run_writing(project, "customer_id,tenure,charges,tenure\nC1,1,1.5,2\n")
    finding = ran.finding("F314")
    check_place(finding, "tenure")
    assert finding.message == "output out: a.csv has 2 columns of this name: 'tenure'"
    assert finding.hint == "drop or rename all but one"
    assert finding.severity is Severity.ERROR


class TestFileUnreadable:
    """F307."""

    @pytest.mark.parametrize(
        ("declared", "content"),
        [
            ("d", 'a,b\n"torn'),
            ("json", "{'single': 1}"),
            ("json", "[" * 100_000),
            ("json", '{"auc": NaN}'),
            ("json", '{"auc": -Infinity}'),
            ("archive", "not a tar file"),
        ],
    )
    def test_what_it_is_not(self, project: ProjectFolder, declared: str, content: str) -> None:
        ran = run_writing(project, content, declared)
        finding = ran.finding("F307")
        check_place(finding, None)
        assert finding.message.startswith(f"output out: a.csv can't be read as {declared}: ")
        assert finding.hint == "check format, delimiter and encoding"
        assert finding.severity is Severity.ERROR
        assert ran.codes == ["F307"]

    def test_what_it_is(self, project: ProjectFolder) -> None:
        assert run_writing(project, json.dumps({"auc": 1}), "json").codes == []
        assert run_writing(project, "whatever", "file").codes == []

    @pytest.mark.parametrize("kind", ["w:gz", "zip"])
    def test_archives(self, project: ProjectFolder, kind: str) -> None:
        make = (
            "import zipfile\nzipfile.ZipFile(path, 'w').writestr('a', 'x')"
            if kind == "zip"
            else "import tarfile\nwith tarfile.open(path, 'w:gz') as tar: tar.add(__file__)"
        )
        project.declare_step(
            f"path = '{OUT}/model.tar.gz'\n{make}",
            outputs={"out": {"path": OUT, "files": {"model.tar.gz": "archive"}}},
        )
        assert project.run_step().codes == []

    def test_an_empty_file_is_only_empty(self, project: ProjectFolder) -> None:
        assert run_writing(project, "", "json").codes == ["F302"]


class TestF316:
    """What is too large is judged by its columns and rows."""

    @pytest.fixture(autouse=True)
    def limits(self, monkeypatch: pytest.MonkeyPatch) -> None:
        limits = Limits(table=20, json=20)
        monkeypatch.setattr("mlvalidate.data.files.LIMITS", limits)
        monkeypatch.setattr("mlvalidate.checks.tables.LIMITS", limits)

    def test_a_table_that_is_too_large(self, project: ProjectFolder) -> None:
        ran = run_writing(project, GOOD)
        finding = ran.finding("F316")
        check_place(finding, None)
        assert finding.message == (
            "output out: a.csv was not judged, except for its columns and rows: "
            "its table takes more than 20B of memory"
        )
        assert finding.hint == "test with fewer rows: --rows"
        assert finding.severity is Severity.WARNING
        assert ran.result.status is Status.PASSED
        assert ran.step.rows == {"out": 2}
        columns = ran.step.outputs[0].files[0].columns
        assert list(columns or ()) == ["customer_id", "tenure", "charges"]
        assert run_writing(project, GOOD, "file").codes == []

    def test_its_columns_are_judged(self, project: ProjectFolder) -> None:
        ran = run_writing(project, GOOD.replace("charges", "charge"))
        assert ran.finding("F311").column == "charges"
        assert ran.codes == ["F311", "F316"]

    def test_a_large_json_file(self, project: ProjectFolder) -> None:
        ran = run_writing(project, "[1, 2, 3, 4, 5, 6, 7, 8, 9]", "json")
        assert ran.finding("F316").message == (
            "output out: a.csv was not judged: it holds more than 20B of JSON"
        )
        assert run_writing(project, "[1, 2", "json").codes == ["F307"]


def test_every_code_of_the_family_is_tested() -> None:
    text = Path(__file__).read_text().upper()
    assert [check.code for check in CHECKS if check.code not in text] == []
