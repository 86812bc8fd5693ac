"""What has to hold between the steps of a pipeline: F336 over an edge, F340 and F347."""

from __future__ import annotations

from typing import Any

import pytest

from mlvalidate.core.findings import Finding, Severity
from mlvalidate.core.results import Status
from tests.projects import ProjectFolder, Ran

OUT = "/opt/ml/processing/output/out"
# Writes what its argument says, with | for the end of a line.
WRITE = f"""
import sys
open('{OUT}/t.csv', 'w').write(sys.argv[2].replace('|', '\\n') + '\\n')
"""
SAME = "id,x,kind|a,1,p|b,2,q"
COLUMNS = {
    "id": {"type": "string"},
    "x": {"type": "float", "null": 0.5},
    "kind": {"type": "string"},
    "more": {"type": "float", "optional": True, "null": 0.5},
}


def run_nodes(project: ProjectFolder, *texts: str, columns: Any = COLUMNS, **pipeline: Any) -> Ran:
    """Run one step in several nodes, n0, n1 ..., each of which writes its text as a table."""
    project.write("step.py", WRITE)
    project.declare(
        datasets={"d": {"columns": columns}},
        steps={
            "step": {
                "script": "step.py",
                "args": {"text": ""},
                "outputs": {"out": {"files": {"*.csv": "d"}}},
            }
        },
        pipelines={
            "p": {
                "nodes": {
                    f"n{number}": {"step": "step", "args": {"text": text}}
                    for number, text in enumerate(texts)
                },
                **pipeline,
            }
        },
    )
    return project.run_pipeline()


class TestNodesOfOneStep:
    """F340 without a declaration."""

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("x,id,kind|1,a,True", "the columns are in another order"),
            ("id,x,kind|a,1,0|b,2,1", "kind is "),
        ],
    )
    def test_differ(self, project: ProjectFolder, text: str, said: str) -> None:
        columns = {**COLUMNS, "kind": {"type": "boolean"}}
        ran = run_nodes(project, "id,x,kind|a,1,True|b,2,False", text, columns=columns)
        finding = ran.finding("F340")
        assert (finding.step, finding.port, finding.file) == ("n1", "out", "t.csv")
        assert finding.severity is Severity.WARNING
        assert "differs from that of n0, which runs the same step" in finding.message
        assert said in finding.message
        assert ran.result.status is Status.PASSED

    def test_the_odd_one_is_blamed(self, project: ProjectFolder) -> None:
        ran = run_nodes(project, "x,id,kind|1,a,p", SAME, SAME)
        assert ran.finding("F340").step == "n0"

    @pytest.mark.parametrize(
        "text",
        ["id,x,kind|c,7,r|d,8,s", "id,x,kind|c,,r|d,8.5,s", "id,x,kind,more|c,1,r,2"],
        ids=["other values", "gaps", "an optional column"],
    )
    def test_alike(self, project: ProjectFolder, text: str) -> None:
        assert run_nodes(project, SAME, text).codes == []


def agree(project: ProjectFolder, first: str, second: str, **more: Any) -> list[Finding]:
    check = {"ports": ["n0.out", "n1.out"], "on": "id", "columns": ["x", "kind"], **more}
    ran = run_nodes(project, first, second, checks=[{"agree": check}])
    return [finding for finding in ran.result.all_findings if finding.code == "F347"]


class TestRowsDisagree:
    """F347."""

    @pytest.mark.parametrize(
        ("other", "more"),
        [
            (SAME, {}),
            ("id,x,kind|b,2,q|c,9,z|a,1,p", {}),
            ("id,x,kind|a,1.01,p|b,2,q", {"tolerance": 0.1}),
            ("id,x,kind|a,1,p|a,5,p|b,2,q", {}),
        ],
        ids=["same", "other rows and order", "tolerance", "a repeated key"],
    )
    def test_agree(self, project: ProjectFolder, other: str, more: Any) -> None:
        assert agree(project, SAME, other, **more) == []

    def test_gaps_agree(self, project: ProjectFolder) -> None:
        text = "id,x,kind|a,,p|b,2,q"
        assert agree(project, text, text) == []

    @pytest.mark.parametrize(
        ("other", "column", "example"),
        [
            ("id,x,kind|a,1.5,p|b,2,q", "x", "id=a: x is 1.5, there 1"),
            ("id,x,kind|b,2,q|a,1,q", "kind", "id=a: kind is q, there p"),
            ("id,x,kind|a,,p|b,2,q", "x", "id=a: x is missing, there 1"),
        ],
    )
    def test_disagree(self, project: ProjectFolder, other: str, column: str, example: str) -> None:
        (finding,) = agree(project, SAME, other)
        assert (finding.step, finding.port, finding.column) == ("n1", "out", column)
        assert finding.severity is Severity.ERROR
        assert finding.message.startswith(f"output out: 1 of 2 rows have another {column!r} than")
        assert finding.evidence == (example,)

    def test_nothing_in_common(self, project: ProjectFolder) -> None:
        (finding,) = agree(project, SAME, "id,x,kind|y,1,p|z,2,q")
        assert "n0.out and n1.out have no id in common" in finding.message

    def test_a_column_is_not_there(self, project: ProjectFolder) -> None:
        (finding,) = agree(project, SAME, SAME, columns=["y"])
        assert "agree: n0.out: t.csv has no column 'y'" in finding.message

    def test_after_a_failure(self, project: ProjectFolder) -> None:
        assert agree(project, SAME, "id,y|a,1") == []


def test_f336_over_an_edge(project: ProjectFolder) -> None:
    project.write("make.py", WRITE)
    project.write("use.py", WRITE)
    made = {"script": "make.py", "outputs": {"out": {"files": {"*.csv": "file"}}}}
    project.declare(
        steps={
            "make": {**made, "args": {"text": "kind|a|b"}},
            "use": {
                "script": "use.py",
                "args": {"text": "done|1"},
                "inputs": {"train": {}, "test": {}},
                "outputs": {"out": {}},
                "checks": [{"known_categories": {"known": "train", "ports": ["test"]}}],
            },
        },
        pipelines={
            "p": {
                "nodes": {
                    "train": {"step": "make"},
                    "test": {"step": "make", "args": {"text": "kind|a|z"}},
                    "use": {},
                },
                "edges": {"use.train": "train.out", "use.test": "test.out"},
            }
        },
    )
    finding = project.run_pipeline().finding("F336")
    assert (finding.step, finding.observed_in, finding.column) == ("test", "use", "kind")
    assert "input test: column 'kind' has 1 categories that train lacks: z" in finding.message
