"""Columns that depend on others: rules, foreign keys, likenesses, nested cells, the label."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlvalidate.core.columns import Likeness
from mlvalidate.core.datasets import Dataset
from mlvalidate.data.conformity import find_faults
from mlvalidate.data.errors import UnsatisfiableSchema
from mlvalidate.data.family import Family
from mlvalidate.data.files import read_table, write_table
from mlvalidate.data.synthesis import generate
from mlvalidate.project import ProjectError
from tests.projects import ProjectFolder


def dataset(columns: dict[str, Any], **more: Any) -> Dataset:
    return Dataset.model_validate({"columns": columns, **more})


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**20), st.integers(0, 200))
def test_rules_hold(seed: int, rows: int) -> None:
    declared = dataset(
        {
            "id": {"type": "integer", "min": 1, "max": 10**6},
            "first": {"type": "date", "min": "2024-01-01", "max": "2024-12-31"},
            "last": {"type": "date", "min": "2024-01-01", "max": "2024-12-31", "null": 0.2},
            "plan": {"type": "category", "values": ["basic", "pro"]},
            "charges": {"type": "float", "min": 0, "max": 100},
            "days": {"type": "float", "derived": "days(last - first)", "null": 0.2},
        },
        key="id",
        rules=["last >= first", {"when": "plan == 'pro'", "then": "charges >= 50"}, "days < 300"],
    )
    made = generate(declared, rows, seed)
    assert len(made) == rows
    assert [fault for fault in find_faults(made, declared) if fault.kind != "constant"] == []
    assert made["last"].isna().sum() == round(rows * 0.2)
    pd.testing.assert_frame_equal(made, generate(declared, rows, seed))


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        ("x > 5", "20 of 20 rows still break it"),
        ("id > 9", "no column that it names can be drawn anew"),
        ("x + 1", "neither true nor false"),
        ("year(x) > 1", "fails"),
    ],
)
def test_rules_that_nothing_keeps(rule: str, problem: str) -> None:
    columns = {"id": {"type": "integer", "min": 0, "max": 19, "unique": True},
               "x": {"type": "integer", "min": 0, "max": 5}}  # fmt: skip
    declared = dataset(columns, rules=[rule])
    with pytest.raises(UnsatisfiableSchema) as error:
        generate(declared, 20, 0, "d")
    assert f"dataset 'd', rule `{rule}`" in str(error.value)
    assert problem in str(error.value)


CUSTOMERS = dataset({"id": {"type": "string", "pattern": "C[0-9]{3}"}}, key="id", rows=20)


def test_foreign_keys() -> None:
    orders = dataset({"customer": {"type": "string", "foreign_key": "customers.id", "null": 0.1}})
    family = Family({"customers": CUSTOMERS, "orders": orders})
    made = generate(orders, 200, 3, "orders", family)
    customers = set(generate(CUSTOMERS, 20, 3, "customers")["id"])
    found = set(made["customer"].dropna())
    assert found <= customers
    assert len(found) > 15
    assert made["customer"].isna().sum() == 20
    few = generate(orders, 99, 3, "orders", Family(family.datasets, 5))
    assert few["customer"].nunique() == 5


def test_foreign_keys_that_are_unique() -> None:
    column = {"type": "string", "foreign_key": "customers.id", "unique": True}
    profiles = dataset({"customer": column})
    family = Family({"customers": CUSTOMERS})
    assert generate(profiles, 20, 0, "p", family)["customer"].is_unique
    with pytest.raises(UnsatisfiableSchema, match="21 different values are needed"):
        generate(profiles, 21, 0, "p", family)
    with pytest.raises(UnsatisfiableSchema, match=r"there is no customers.id"):
        generate(profiles, 5, 0, "p")


@pytest.mark.parametrize("like", list(Likeness))
def test_likenesses(like: Likeness) -> None:
    declared = dataset({"x": {"type": "string", "like": like.value}})
    made = generate(declared, 300, 0)
    assert find_faults(made, declared) == ()
    assert made["x"].nunique() > 50
    assert not made["x"].str.contains("\n").any()
    distinct = dataset({"x": {"type": "string", "like": like.value, "unique": True}})
    rows = 60
    found = generate(distinct, rows, 1)
    assert found["x"].nunique() == rows
    assert find_faults(found, distinct) == ()


def test_likenesses_that_run_out() -> None:
    declared = dataset({"x": {"type": "string", "like": "country", "unique": True}})
    with pytest.raises(UnsatisfiableSchema, match="different values like country"):
        generate(declared, 5000, 0, "d")


NESTED = {
    "tags": {"type": "list", "length": [1, 3], "items": {"type": "category", "values": ["a", "b"]}},
    "info": {
        "type": "json",
        "fields": {
            "n": {"type": "integer", "null": 0.5},
            "at": {"type": "date"},
            "more": {"type": "list", "items": {"type": "float"}},
        },
    },
}


@pytest.mark.parametrize("format", ["csv", "json", "jsonl", "parquet"])
def test_nested_cells(format: str, tmp_path: Path) -> None:
    declared = dataset(NESTED, format=format)
    made = generate(declared, 50, 0)
    assert {len(tags) for tags in made["tags"]} == {1, 2, 3}
    assert set(made["info"][0]) == {"n", "at", "more"}
    path = tmp_path / f"t.{format}"
    write_table(made, path, declared.format)
    read = read_table(path, declared.format, declared)
    assert find_faults(read, declared) == ()
    if format == "csv":
        assert [json.loads(cell) for cell in read["info"]] == list(made["info"])


def test_a_label_is_foretold() -> None:
    columns = {
        "x": {"type": "float", "min": 0, "max": 1},
        "y": {"type": "boolean", "label": True, "rate": 0.3},
    }
    made = generate(dataset(columns), 2000, 0)
    assert made["y"].sum() == 600
    assert abs(made["x"].corr(made["y"].astype(float))) > 0.2
    columns["y"]["signal"] = 0
    assert abs(generate(dataset(columns), 2000, 0)["x"].corr(made["y"].astype(float))) < 0.5


def test_shards_of_an_input(project: ProjectFolder) -> None:
    project.write(
        "step.py",
        """
        import glob
        rows = [len(open(f).readlines()) - 1 for f in sorted(glob.glob('/opt/ml/processing/in/*'))]
        open('/opt/ml/processing/output/out/a', 'w').write(repr(rows))
        """,
    )
    declared = {"columns": {"id": {"type": "integer"}}, "key": "id", "rows": 10, "shards": 3}
    port = {"path": "/opt/ml/processing/in", "files": {"part-*.csv": "d"}}
    step = {"script": "step.py", "inputs": {"in": port}, "outputs": {"out": {}}}
    project.declare(datasets={"d": declared}, steps={"step": step})
    ran = project.run_step()
    assert ran.codes == []
    assert (ran.folder.step("step").ml / "processing/output/out/a").read_text() == "[4, 3, 3]"
    assert ran.step.inputs[0].rows == 10


@pytest.mark.parametrize(
    ("columns", "problem"),
    [
        ({"a": {"type": "integer", "foreign_key": "e.a"}}, "there is no dataset 'e'"),
        ({"a": {"type": "integer", "foreign_key": "d.b"}}, "dataset 'd' has no column 'b'"),
        ({"a": {"type": "integer", "foreign_key": "d.a"}}, "the foreign keys lead in a circle"),
        ({"a": {"type": "integer", "derived": "b"}, "b": {"type": "integer", "derived": "a"}},
         "the columns are derived from each other"),
        ({"a": {"type": "integer", "derived": "c + 1"}}, "`derived` names 'c'"),
    ],
)  # fmt: skip
def test_what_leads_nowhere(project: ProjectFolder, columns: Any, problem: str) -> None:
    project.write("step.py", "")
    project.declare(datasets={"d": {"columns": columns}}, steps={"step": {"script": "step.py"}})
    with pytest.raises(ProjectError, match=r"mlvalidate\.yaml:") as error:
        project.load()
    assert problem in str(error.value)
