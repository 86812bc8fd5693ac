"""Declarations that no table satisfies are refused before anything runs."""

from __future__ import annotations

from typing import Any

import pytest

from mlvalidate import api
from mlvalidate.core.errors import UsageError
from tests.projects import ProjectFolder

OUT = {"out": {"path": "/opt/ml/processing/output"}}


def load(project: ProjectFolder, column: dict[str, Any], **more: Any) -> Any:
    project.write("step.py", "")
    datasets = {
        "d": {"rows": 100, "columns": {"n": {"type": "float"}, "a": column}, **more},
        "orders": {"columns": {"d": {"type": "string", "foreign_key": "d.a"}}},
    }
    step = {"script": "step.py", "inputs": {"raw": {"files": {"*.csv": "orders"}}}, "outputs": OUT}
    project.declare(datasets=datasets, steps={"step": step})
    return project.load()


@pytest.mark.parametrize(
    ("column", "problem"),
    [
        (
            {"type": "integer", "min": 1, "max": 10, "unique": True},
            "100 different values are needed, the declaration allows 10",
        ),
        (
            {"type": "integer", "min": 1, "max": 89, "unique": True, "null": 0.1},
            "90 different values are needed, the declaration allows 89",
        ),
        ({"type": "string", "pattern": "[ab]", "unique": True}, "100 different values"),
        ({"type": "string", "pattern": "(?=x)y"}, "pattern '(?=x)y' has a lookahead"),
        (
            {"type": "string", "pattern": "[ab]{2}", "length": [5, 9]},
            "no match of '[ab]{2}' has 5 to 9 characters",
        ),
        ({"type": "integer", "min": 0.2, "max": 0.8}, "no whole number from 0.2 to 0.8"),
        ({"type": "integer", "min": 2, "rate": 0.5}, "`rate` gives 0 and 1"),
        ({"type": "list", "items": {"type": "string", "pattern": "\\bx"}}, "a word boundary"),
        ({"type": "json", "fields": {"x": {"type": "float"}}, "unique": True}, "can't be unique"),
    ],
)
def test_a_column_that_cannot_be_generated(
    project: ProjectFolder, column: dict[str, Any], problem: str
) -> None:
    loaded = load(project, column)
    for command in (api.check, lambda loaded: api.plan_script(loaded, "step")):
        with pytest.raises(UsageError) as caught:
            command(loaded)
        assert str(caught.value).startswith("datasets.d.columns.a: ")
        assert problem in str(caught.value)


def test_rows_and_keys_count(project: ProjectFolder) -> None:
    column = {"type": "string", "pattern": "[0-9]{2}"}
    loaded = load(project, column, key="a")
    api.check(loaded)
    api.plan_script(loaded, "step", api.Options(rows=100))
    with pytest.raises(UsageError, match=r"datasets\.d\.columns\.a: 101 different values"):
        api.plan_script(loaded, "step", api.Options(rows=101))


def test_what_is_not_generated_may_be_anything(project: ProjectFolder) -> None:
    project.write("real.csv", "n,a\n1.5,y\n")
    column = {"type": "string", "pattern": "(?!x)y"}
    loaded = load(project, column)
    outputs = {"out": {"files": {"*.csv": "d"}}}
    step = {"script": "step.py", "inputs": {"raw": {"required": False}}, "outputs": outputs}
    datasets = {"d": {"columns": {"n": {"type": "float"}, "a": column}}}
    project.declare(datasets=datasets, steps={"step": step})
    loaded = project.load()
    api.check(loaded)
    api.plan_script(loaded, "step")
