"""What `checks:` name has to be there."""

from __future__ import annotations

from typing import Any

import pytest

from mlvalidate.project import ProjectError
from tests.projects import ProjectFolder


@pytest.mark.parametrize(
    ("checks", "problem"),
    [
        ([{"rows": {"from": "rw", "to": "out"}}], "rows.from: the step has no input 'rw'"),
        ([{"rows": {"from": "raw", "to": "oot"}}], "rows.to: the step has no output 'oot'"),
        ([{"disjoint": {"between": ["out", "tst"], "on": "id"}}], "disjoint.between: the step has"),
        ([{"foreign_key": {"from": "out.id", "to": "rew.id"}}], "foreign_key.to: the step has no"),
        ([{"json_schema": {"file": "out/a.json", "schema": "no.json"}}], "there is no file no"),
        ([{"known_categories": {"known": "rew", "ports": "out"}}], "known: the step has no port"),
        ([{"known_categories": {"known": "raw", "ports": "uot"}}], "ports: the step has no port"),
        ([{"archive": {"file": "uot/a.zip"}}], "archive.file: the step has no output 'uot'"),
        ([{"check": "nowhere.py:f"}], "check: there is no file nowhere.py"),
        ([{"check": "no function"}], "expected package.module:function"),
        ([{"deterministik": {}}], "did you mean 'deterministic'?"),
        (["deterministik"], "did you mean 'deterministic'?"),
        ([{"rows": {"form": "raw", "to": "out"}}], "did you mean 'from'?"),
        ([{"rows": {"from": "raw", "to": "out", "ratio": [2, 1]}}], "`ratio` is [least, greatest]"),
        ([{"disjoint": {"between": "out", "on": "id"}}], "`between` names two ports"),
        ([{}], "a check is one word, or one key"),
        ([{"finite": {}, "deterministic": {}}], "a check is one word, or one key"),
        ([{"archive": {"file": "out"}}], "expected port/file"),
    ],
)  # fmt: skip
def test_of_steps(project: ProjectFolder, checks: Any, problem: str) -> None:
    project.write("step.py", "")
    step = {"script": "step.py", "inputs": {"raw": {}}, "outputs": {"out": {}}, "checks": checks}
    project.declare(steps={"step": step})
    with pytest.raises(ProjectError) as error:
        project.load()
    assert problem in str(error.value)
    assert "mlvalidate.yaml:" in str(error.value)


@pytest.mark.parametrize(
    ("check", "problem"),
    [
        ({"equal": {"figures": ["step.auc", "stop.auc"]}}, "the pipeline has no node 'stop'"),
        ({"agree": {"ports": ["step.out", "stop.out"], "on": "a", "columns": "b"}},
         "the pipeline has no node 'stop'"),
        ({"agree": {"ports": ["step.out", "step.uot"], "on": "a", "columns": "b"}},
         "'step' has no output 'uot'"),
        ({"agree": {"ports": ["step.out", "step"], "on": "a", "columns": "b"}},
         "expected node.output, got 'step'"),
        ({}, "a check of a pipeline is one of `equal` and `agree`"),
    ],
)  # fmt: skip
def test_of_pipelines(project: ProjectFolder, check: Any, problem: str) -> None:
    project.write("step.py", "")
    project.declare(
        steps={"step": {"script": "step.py", "outputs": {"out": {}}}},
        pipelines={"p": {"nodes": ["step"], "checks": [check]}},
    )
    with pytest.raises(ProjectError) as error:
        project.load()
    assert problem in str(error.value)
