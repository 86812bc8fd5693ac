"""Which files a script left, and where: F301 to F310 and F315, on real runs."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import pytest
from checks_evidence import make_evidence, make_outcome

from mlvalidate.checks.outputs import CHECKS, InputChanged, WroteThrowaway
from mlvalidate.core.execution import Change
from mlvalidate.core.findings import Severity
from mlvalidate.core.results import Status
from tests.projects import ProjectFolder, Ran

OUT = "/opt/ml/processing/output"
WRITE = f"open('{OUT}/done.txt', 'w').write('x')\n"


def write(*paths: str, content: str = "x") -> str:
    """A script that writes files."""
    return (
        "import os\n"
        f"for path in {paths!r}:\n"
        "    os.makedirs(os.path.dirname(path), exist_ok=True)\n"
        f"    open(path, 'w').write({content!r})\n"
    )


def run_script(project: ProjectFolder, script: str, **step: object) -> Ran:
    project.declare_step(script, **step)
    return project.run_step()


def with_files(*names: str, **port: object) -> dict[str, object]:
    """An output port that declares plain files."""
    return {"out": {"path": OUT, "files": dict.fromkeys(names, "file"), **port}}


class TestOutputMissing:
    """F301."""

    TWO: ClassVar = {"a": {"path": "/opt/ml/processing/a"}, "b": {"path": "/opt/ml/processing/b"}}

    def test_an_empty_output(self, project: ProjectFolder) -> None:
        ran = run_script(project, write("/opt/ml/processing/a/x.csv"), outputs=self.TWO)
        finding = ran.finding("F301")
        assert finding.message == "output b: the output is empty"
        assert (finding.step, finding.port, finding.file) == ("step", "b", None)
        assert finding.hint == "nothing was written to /opt/ml/processing/b"
        assert finding.severity is Severity.ERROR
        assert ran.result.status is Status.FAILED

    def test_an_optional_output_may_be_empty(self, project: ProjectFolder) -> None:
        outputs = {**self.TWO, "b": {"path": "/opt/ml/processing/b", "required": False}}
        ran = run_script(project, write("/opt/ml/processing/a/x.csv"), outputs=outputs)
        assert ran.codes == []

    def test_a_file_of_another_name(self, project: ProjectFolder) -> None:
        ran = run_script(project, write(f"{OUT}/trian.csv"), outputs=with_files("train.csv"))
        finding = ran.finding("F301")
        assert finding.message == "output out: the file train.csv is missing"
        assert finding.hint == "did you mean 'trian.csv'?"
        assert finding.file == "train.csv"
        assert finding.evidence == (f"{OUT}/trian.csv",)
        assert ran.codes == ["F301", "F303"]

    def test_a_file_in_another_output(self, project: ProjectFolder) -> None:
        outputs = {
            "a": {"path": "/opt/ml/processing/a", "files": {"a.csv": "file"}},
            "b": {"path": "/opt/ml/processing/b"},
        }
        ran = run_script(project, write("/opt/ml/processing/b/a.csv"), outputs=outputs)
        assert ran.finding("F301").hint == "nothing was written to /opt/ml/processing/a"
        ran = run_script(
            project,
            write("/opt/ml/processing/b/a.csv", "/opt/ml/processing/a/z"),
            outputs=outputs,
        )
        assert ran.finding("F301").hint == "the script wrote /opt/ml/processing/b/a.csv"

    def test_a_folder_of_another_name(self, project: ProjectFolder) -> None:
        ran = run_script(
            project,
            write("/opt/ml/processing/a/x.csv", "/opt/ml/processing/bb/y.csv"),
            outputs=self.TWO,
        )
        assert ran.finding("F301").hint == "the script wrote /opt/ml/processing/bb/y.csv"
        assert ran.codes == ["F301", "F305"]

    def test_a_file_beside_its_folder(self, project: ProjectFolder) -> None:
        ran = run_script(project, write(f"{OUT}/train.csv"), outputs=with_files("data/train.csv"))
        assert ran.finding("F301").hint == "did you mean 'train.csv'?"

    def test_globs(self, project: ProjectFolder) -> None:
        outputs = with_files("part-*.csv", "*.json")
        ran = run_script(project, write(f"{OUT}/part-1.csv", f"{OUT}/part-2.csv"), outputs=outputs)
        assert ran.finding("F301").file == "*.json"
        ran = run_script(project, write(f"{OUT}/part-1.csv", f"{OUT}/x.json"), outputs=outputs)
        assert ran.codes == []


class TestNothingWritten:
    """F306."""

    def test_exit_0_with_nothing(self, project: ProjectFolder) -> None:
        ran = run_script(project, "for n in range(9): print('line', n)")
        finding = ran.finding("F306")
        assert finding.message == "the script ended with exit code 0 and wrote nothing"
        assert finding.hint == f"expected files below {OUT}"
        assert finding.evidence == ("line 6", "line 7", "line 8")
        assert (finding.step, finding.severity) == ("step", Severity.ERROR)
        assert ran.codes == ["F306"]

    def test_written_to_the_wrong_place(self, project: ProjectFolder) -> None:
        ran = run_script(project, write("/opt/ml/processing/outptu/x.csv"))
        assert ran.finding("F306").hint == "it wrote /opt/ml/processing/outptu/x.csv instead"
        assert ran.codes == ["F306"]

    def test_a_step_without_outputs_may_write_nothing(self, project: ProjectFolder) -> None:
        assert run_script(project, "print('checked')", outputs={}).codes == []

    def test_a_step_with_optional_outputs_may_write_nothing(self, project: ProjectFolder) -> None:
        outputs = {"out": {"path": OUT, "required": False}}
        assert run_script(project, "print('checked')", outputs=outputs).codes == []


class TestFileEmpty:
    """F302."""

    def test_no_bytes(self, project: ProjectFolder) -> None:
        ran = run_script(project, write(f"{OUT}/a.bin", content=""), outputs=with_files("a.bin"))
        finding = ran.finding("F302")
        assert finding.message == "output out: a.bin is empty (0 bytes)"
        assert (finding.port, finding.file) == ("out", "a.bin")
        assert finding.hint == "make the script fail when it has nothing to write"
        assert ran.codes == ["F302"]

    def test_no_rows(self, project: ProjectFolder) -> None:
        project.write("step.py", write(f"{OUT}/a.csv", content="x,y\n"))
        project.declare(
            datasets={"d": {"columns": {"x": {"type": "integer"}, "y": {"type": "integer"}}}},
            steps={
                "step": {
                    "script": "step.py",
                    "outputs": {"out": {"path": OUT, "files": {"a.csv": "d"}}},
                }
            },
        )
        ran = project.run_step()
        assert ran.finding("F302").message == "output out: a.csv has columns but no rows"

    def test_an_undeclared_file_may_be_empty_beside_others(self, project: ProjectFolder) -> None:
        both = write(f"{OUT}/_SUCCESS", content="") + "\n" + write(f"{OUT}/a.csv")
        assert run_script(project, both).codes == []

    def test_nothing_but_files_without_bytes_is_nothing(self, project: ProjectFolder) -> None:
        assert run_script(project, write(f"{OUT}/_SUCCESS", content="")).codes == ["F306"]


def test_f303_undeclared_files(project: ProjectFolder) -> None:
    ran = run_script(
        project,
        write(*(f"{OUT}/{name}" for name in ("a.csv", "tmp1", "tmp2"))),
        outputs=with_files("a.csv"),
    )
    finding = ran.finding("F303")
    assert finding.message == "output out: tmp1, tmp2 not declared"
    assert (finding.port, finding.file) == ("out", "tmp1")
    assert finding.evidence == (f"{OUT}/tmp1", f"{OUT}/tmp2")
    assert finding.hint == "add to `files` of output out, or write to /tmp"
    assert finding.severity is Severity.WARNING
    assert ran.result.status is Status.PASSED


class TestInputChanged:
    """F304."""

    def run_on_input(self, project: ProjectFolder, script: str) -> Ran:
        project.write("data/a.csv", "x\n1\n")
        project.write("data/b.csv", "x\n1\n")
        inputs = {"raw": {"sample": "data"}}
        ran = run_script(
            project, f"root = '/opt/ml/processing/input/raw/'\n{script}\n{WRITE}", inputs=inputs
        )
        assert (project.root / "data/a.csv").read_text() == "x\n1\n"
        assert (project.root / "data/b.csv").read_text() == "x\n1\n"
        return ran

    def test_modified_and_deleted(self, project: ProjectFolder) -> None:
        ran = self.run_on_input(
            project, "import os\nopen(root + 'a.csv', 'a').write('2')\nos.remove(root + 'b.csv')"
        )
        finding = ran.finding("F304")
        assert finding.message == "input raw: the script changed a.csv, b.csv"
        assert (finding.step, finding.port, finding.file) == ("step", "raw", "a.csv")
        assert sorted(finding.evidence) == [
            "deleted: /opt/ml/processing/input/raw/b.csv",
            "modified: /opt/ml/processing/input/raw/a.csv",
        ]
        assert finding.hint == "write to an output or to /tmp instead"
        assert finding.severity is Severity.WARNING
        assert ran.codes == ["F304"]

    def test_added_files_do_not_count(self, project: ProjectFolder) -> None:
        assert self.run_on_input(project, "open(root + 'new.csv', 'w').write('x')").codes == []

    def test_reading_does_not_count(self, project: ProjectFolder) -> None:
        assert self.run_on_input(project, "open(root + 'a.csv').read()").codes == []

    def test_changes_elsewhere_do_not_count(self) -> None:
        changes = (Change("input:other", "a", "modified"), Change("project", "b", "modified"))
        evidence = make_evidence(outcome=make_outcome(exit_code=0, changes=changes))
        assert list(InputChanged().run(evidence)) == []


class TestWroteElsewhere:
    """F305."""

    def test_below_opt_ml(self, project: ProjectFolder) -> None:
        ran = run_script(project, write("/opt/ml/processing/extra/x.csv") + WRITE)
        finding = ran.finding("F305")
        assert finding.message == (
            "the script wrote /opt/ml/processing/extra/x.csv outside its outputs"
        )
        assert finding.file == "/opt/ml/processing/extra/x.csv"
        assert finding.evidence == ("/opt/ml/processing/extra/x.csv",)
        assert finding.hint == f"outputs are {OUT}"
        assert (finding.step, finding.severity) == ("step", Severity.WARNING)
        assert ran.result.status is Status.PASSED

    def test_tmp_is_free(self, project: ProjectFolder) -> None:
        assert run_script(project, write("/tmp/a/b.txt") + WRITE).codes == []

    def test_a_step_without_outputs(self, project: ProjectFolder) -> None:
        ran = run_script(project, write("/opt/ml/processing/extra/x.csv"), outputs={})
        assert ran.finding("F305").hint == "declare an output"


class TestWroteThrowaway:
    """F310."""

    def test_into_the_project(self, project: ProjectFolder) -> None:
        path = f"{project.root}/here.txt"
        ran = run_script(project, f"open({path!r}, 'w').write('x')\n" + WRITE)
        finding = ran.finding("F310")
        assert finding.message == f"the script wrote {path}, which does not last"
        assert (finding.step, finding.file, finding.evidence) == ("step", path, (path,))
        assert (finding.port, finding.severity) == (None, Severity.INFO)
        assert finding.hint == "write to an output what is needed later"
        assert ran.codes == ["F310"]
        assert not Path(path).exists()

    def test_a_script_that_wrote_nothing_else(self, project: ProjectFolder) -> None:
        ran = run_script(project, f"open('{project.root}/here.txt', 'w').write('x')\n")
        assert ran.codes == ["F306"]

    def test_inputs_and_packages_are_judged_elsewhere(self) -> None:
        changes = (Change("input:raw", "a", "modified"), Change("packages0", "b", "modified"))
        evidence = make_evidence(outcome=make_outcome(exit_code=0, changes=changes))
        assert list(WroteThrowaway().run(evidence)) == []


class TestUnsafeFile:
    """F308."""

    @pytest.mark.parametrize(
        ("script", "problem"),
        [
            (f"os.symlink('/etc/passwd', '{OUT}/f')", "is a link to /etc/passwd"),
            (f"os.symlink('gone', '{OUT}/f')", "is a link to gone"),
            (f"os.symlink('/', '{OUT}/f')", "is a link to /"),
            (f"os.mkfifo('{OUT}/f')", "is no regular file"),
        ],
    )
    def test_what_is_no_file(self, project: ProjectFolder, script: str, problem: str) -> None:
        ran = run_script(project, f"import os\n{script}\n{WRITE}")
        finding = ran.finding("F308")
        assert finding.message == f"output out: f {problem}"
        assert (finding.step, finding.port, finding.file) == ("step", "out", "f")
        assert (finding.hint, finding.severity) == ("write a regular file", Severity.ERROR)
        assert ran.codes == ["F308"]

    def test_a_link_inside_the_output(self, project: ProjectFolder) -> None:
        ran = run_script(project, f"{WRITE}import os\nos.symlink('done.txt', '{OUT}/latest.txt')")
        assert ran.codes == []


class TestMetricMissing:
    """F315."""

    def run_with(self, project: ProjectFolder, report: str) -> Ran:
        return run_script(
            project,
            write(f"{OUT}/report.json", content=report),
            metrics={"auc": "out/report.json#metrics.auc"},
        )

    def test_a_wrong_path(self, project: ProjectFolder) -> None:
        ran = self.run_with(project, '{"metrics": {"AUC": 0.5}}')
        finding = ran.finding("F315")
        assert finding.message == (
            "metric auc has no value: there is no 'auc' on the way to metrics.auc; there is AUC"
        )
        assert finding.hint == "declared as out/report.json#metrics.auc"
        assert (finding.step, finding.severity) == ("step", Severity.ERROR)
        assert ran.codes == ["F315"]

    def test_a_value(self, project: ProjectFolder) -> None:
        ran = self.run_with(project, '{"metrics": {"auc": 0.5}}')
        assert ran.codes == []
        assert ran.step.metrics == {"auc": 0.5}


def test_f309_a_folder_that_the_producer_did_not_write(project: ProjectFolder) -> None:
    project.write("make.py", write("/opt/ml/processing/output/out/trian/a.csv"))
    project.write("use.py", "print(1)")
    project.declare(
        steps={
            "make": {"script": "make.py", "outputs": {"out": {}}},
            "use": {"script": "use.py", "inputs": {"data": {}}},
        },
        pipelines={"p": {"nodes": ["make", "use"], "edges": {"use.data": "make.out/train"}}},
    )
    ran = project.run_pipeline()
    finding = ran.finding("F309")
    assert finding.message == "output out: there is no folder train, which use.data reads"
    assert (finding.step, finding.observed_in, finding.port) == ("make", "use", "out")
    assert (finding.file, finding.hint) == ("train", "did you mean 'trian'?")
    assert finding.severity is Severity.ERROR
    assert finding.reproduce.startswith("mlvalidate test-pipeline p")
    assert [step.status for step in ran.result.steps] == [Status.PASSED, Status.FAILED]
    project.write("make.py", write("/opt/ml/processing/output/out/train/a.csv"))
    assert project.run_pipeline().codes == []


def test_every_code_of_the_family_is_tested() -> None:
    text = Path(__file__).read_text().upper()
    assert [check.code for check in CHECKS if check.code not in text] == []
