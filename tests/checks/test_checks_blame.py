"""A consumer that crashes on a column which its producer renamed: who is to blame."""

from __future__ import annotations

from mlvalidate.core.results import Status
from tests.projects import ProjectFolder, Ran

MAKE = "open('/opt/ml/processing/output/out/data.csv', 'w').write('id,{column}\\n1,2.5\\n')"
# What pandas would say, without the second that importing it takes.
USE = """
    import csv
    rows = list(csv.DictReader(open("/opt/ml/processing/input/data/data.csv")))
    print(sum(float(row["charges"]) for row in rows))
"""
DATASETS = {"d": {"columns": {"id": {"type": "integer"}, "charges": {"type": "float"}}}}


def run(project: ProjectFolder, column: str, **port: object) -> Ran:
    project.write("make.py", MAKE.format(column=column))
    project.write("use.py", USE)
    project.declare(
        datasets=DATASETS,
        steps={
            "make": {"script": "make.py", "outputs": {"out": {}}},
            "use": {"script": "use.py", "inputs": {"data": port}},
        },
        pipelines={"p": {"nodes": ["make", "use"], "edges": {"use.data": "make.out"}}},
    )
    return project.run_pipeline()


def test_the_producer_is_blamed(project: ProjectFolder) -> None:
    ran = run(project, "charge")
    finding = ran.finding("X201")
    assert (finding.step, finding.observed_in) == ("make", "use")
    assert (finding.port, finding.column) == ("data", "charges")
    assert finding.hint == (
        "data.csv, which make wrote, has no column 'charges': did you mean 'charge'?"
    )
    assert finding.location == f"{project.root}/use.py:4"
    assert ran.codes == ["X201"]
    assert [step.status for step in ran.result.steps] == [Status.PASSED, Status.FAILED]


def test_also_when_the_input_declares_the_dataset(project: ProjectFolder) -> None:
    ran = run(project, "amount", files={"data.csv": "d"})
    finding = ran.finding("X201")
    assert (finding.step, finding.observed_in) == ("make", "use")
    assert (finding.port, finding.column) == ("data", "charges")


def test_not_without_a_sign_that_it_was_owed(project: ProjectFolder) -> None:
    finding = run(project, "zzz").finding("X201")
    assert (finding.step, finding.observed_in) == ("use", None)


def test_nobody_when_all_is_well(project: ProjectFolder) -> None:
    assert run(project, "charges").codes == []


def test_not_when_the_input_is_generated(project: ProjectFolder) -> None:
    run(project, "charge")
    project.write("use.py", USE.replace("charges", "charge"))
    project.declare(
        datasets=DATASETS,
        steps={"use": {"script": "use.py", "inputs": {"data": {"files": {"data.csv": "d"}}}}},
    )
    finding = project.run_step("use").finding("X201")
    assert (finding.step, finding.observed_in) == ("use", None)
    assert (finding.port, finding.column) == ("data", "charge")
    assert finding.hint == "data.csv has no column 'charge': did you mean 'charges'?"
