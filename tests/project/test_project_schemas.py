"""Datasets whose columns stand in a schema of pandera or of Frictionless."""

from __future__ import annotations

import json
import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from mlvalidate.core.contracts import Project
from mlvalidate.core.datasets import Dataset
from mlvalidate.project import load_project, project_json_schema
from mlvalidate.project.schemas.frictionless import translate_frictionless
from mlvalidate.project.schemas.pandera_schemas import translate_pandera
from mlvalidate.project.schemas.translation import SchemaError

Load = Callable[..., Project]
Failure = Callable[..., str]

HEAD = """\
version: 1
project: p
steps: {train: {script: scripts/train.py, outputs: {o: {}}}}
datasets:
"""
MODULE = """\
import pandera.pandas as pa

schema = pa.DataFrameSchema({
    "id": pa.Column(
        str, [pa.Check.str_matches(r"^C[0-9]{6}$"), pa.Check.str_length(7, 7)], unique=True
    ),
    "tenure": pa.Column(int, pa.Check.in_range(0, 72, include_max=False)),
    "charges": pa.Column(float, [pa.Check.gt(0), pa.Check.le(99.5)], nullable=True, required=False),
    "plan": pa.Column("category", pa.Check.isin(["basic", "plus"]), description="what is paid for"),
    "level": pa.Column("uint8", pa.Check.isin([1, 2, 3])),
    "signup": pa.Column("datetime64[ns]", pa.Check.ge("2020-01-01")),
    "active": pa.Column(bool),
    "mail": pa.Column(str, pa.Check.str_endswith(".org")),
    "other": pa.Column(int, [pa.Check.ne(7), CUSTOM]),
}, unique=["id", "tenure"], CHECKS)


class Model(pa.DataFrameModel):
    id: str = pa.Field(unique=True)
    score: float = pa.Field(ge=0, le=1, nullable=True)


nothing = 3
"""
WITH_CUSTOM = MODULE.replace("CUSTOM", 'pa.Check(lambda s: s > 0, name="is_prime")').replace(
    "CHECKS", "checks=pa.Check(lambda df: True, name='adds_up')"
)
PLAIN = MODULE.replace(", CUSTOM", "").replace("CHECKS", "")


def columns_of(dataset: Dataset) -> dict[str, Any]:
    return {
        name: column.model_dump(exclude_defaults=True, mode="json")
        for name, column in dataset.columns.items()
    }


EXPECTED = {
    "id": {"type": "string", "pattern": "C[0-9]{6}", "length": [7, 7], "unique": True},
    "tenure": {"type": "integer", "min": 0, "max": 71},
    "charges": {"type": "float", "min": 0, "max": 99.5, "null": 0.05, "optional": True},
    "plan": {
        "type": "category", "values": ["basic", "plus"], "description": "what is paid for",
    },
    "level": {"type": "integer", "min": 0, "values": [1, 2, 3]},
    "signup": {"type": "datetime", "min": "2020-01-01T00:00:00"},
    "active": {"type": "boolean"},
    "mail": {"type": "string", "pattern": ".*\\.org"},
    "other": {"type": "integer"},
}  # fmt: skip


def test_what_pandera_writes_is_read(load: Load, folder: Path) -> None:
    space: dict[str, Any] = {}
    exec(PLAIN, space)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        (folder / "features.yaml").write_text(space["schema"].to_yaml())
    dataset = load(HEAD + "  f: {schema: features.yaml, format: parquet, rows: 7}").datasets["f"]
    assert columns_of(dataset) == EXPECTED
    assert (dataset.format.value, dataset.rows) == ("parquet", 7)
    assert dataset.key == ("id", "tenure")
    assert [rule.text for rule in dataset.rules] == ["charges > 0", "other != 7"]
    assert dataset.notes == ()


def test_a_schema_in_python_says_the_same(load: Load, folder: Path) -> None:
    (folder / "schemas.py").write_text(WITH_CUSTOM)
    dataset = load(HEAD + "  f: {schema: 'schemas:schema'}", dict(os.environ)).datasets["f"]
    assert columns_of(dataset) == EXPECTED
    assert dataset.notes == (
        "column 'other': not taken over: the check 'is_prime'",
        "not taken over: the check 'adds_up' of the table",
    )


def test_a_model_in_a_file_and_columns_beside_it(load: Load, folder: Path) -> None:
    (folder / "scripts/schemas.py").write_text(PLAIN)
    text = """\
      f:
        schema: scripts/schemas.py:Model
        columns:
          score: {null: 0.5, label: false}
          id: {type: integer, min: 3}
          churned: {type: boolean, label: true}
    """
    dataset = load(HEAD + text.replace("\n    ", "\n")[4:], dict(os.environ)).datasets["f"]
    assert columns_of(dataset) == {
        "id": {"type": "integer", "min": 3},
        "score": {"type": "float", "min": 0, "max": 1, "null": 0.5},
        "churned": {"type": "boolean", "label": True},
    }


def test_an_answer_is_kept_until_the_code_changes(
    load: Load, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlvalidate.project.schemas import python_schemas

    (folder / "schemas.py").write_text(PLAIN)
    text = HEAD + "  f: {schema: 'schemas:Model'}"
    first = load(text).datasets["f"]
    asked: list[str] = []
    ask = python_schemas._ask
    monkeypatch.setattr(python_schemas, "_ask", lambda *a: (asked.append("x"), ask(*a))[1])
    assert load(text).datasets["f"] == first
    assert not asked
    (folder / "schemas.py").write_text(PLAIN.replace("le=1", "le=2"))
    assert load(text).datasets["f"].columns["score"].max == 2
    assert asked


def test_code_gets_no_credentials(load: Load, folder: Path) -> None:
    (folder / "schemas.py").write_text(
        "import os, pathlib\nprint('hello')\n"
        "assert 'SECRET_TOKEN' not in os.environ, 'a secret'\n"
        "assert not list(pathlib.Path.home().iterdir()), 'a home'\n" + PLAIN
    )
    text = HEAD + "  f: {schema: 'schemas:Model'}"
    environ = {**os.environ, "SECRET_TOKEN": "abc"}
    assert set(load(text, environ).datasets["f"].columns) == {"id", "score"}


FAILURES = [
    ("nowhere.yaml", "nowhere.yaml: there is no such file"),
    ("../x.yaml", "leaves the project's folder"),
    ("data/customers.csv", "it is no schema"),
    ("broken.yaml", "broken.yaml: line 3"),
    ("nowhere:schema", "can't import nowhere: there is no module 'nowhere'"),
    ("broken:schema", "can't import broken: ZeroDivisionError"),
    ("quits:schema", "can't import quits: SystemExit"),
    ("dies:schema", "importing dies ended without an answer"),
    ("schemas:no", "schemas has no 'no'"),
    ("schemas:nothing", "schemas:nothing is int, not a schema"),
    ("contradiction.json", "column 'a': `min` (5) is greater than `max` (1)"),
]


@pytest.mark.parametrize(("reference", "said"), FAILURES)
def test_errors_name_file_and_key(
    failure: Failure, folder: Path, reference: str, said: str
) -> None:
    (folder / "broken.yaml").write_text("a: 1\nb: [\n")
    (folder / "broken.py").write_text("1 / 0\n")
    (folder / "quits.py").write_text("raise SystemExit\n")
    (folder / "dies.py").write_text("import os\nos._exit(3)\n")
    (folder / "schemas.py").write_text("import pandera\nnothing = 3\n")
    fields = [{"name": "a", "type": "integer", "constraints": {"minimum": 5, "maximum": 1}}]
    (folder / "contradiction.json").write_text(json.dumps({"fields": fields}))
    text = f"{HEAD}  f: {{format: csv, schema: '{reference}'}}\n"
    message = failure(text, dict(os.environ))
    assert "\nmlvalidate.yaml:5:28: datasets.f.schema: " in message
    assert said in message
    assert message.count("mlvalidate.yaml:") == 1


def test_an_interpreter_without_pandera(failure: Failure, folder: Path) -> None:
    (folder / "schemas.py").write_text(PLAIN)
    bare = folder / "bare"
    # The interpreter that runs the tests, without its packages.
    bare.write_text(f'#!/bin/sh\nexec {sys.executable} -S "$@"\n')
    bare.chmod(0o755)
    text = f"{HEAD}  f: {{schema: 'schemas:Model'}}\ndefaults: {{python: ./bare}}\n"
    message = failure(text, dict(os.environ))
    assert "has no pandera" in message
    assert "install pandera there" in message


def test_a_table_schema_of_frictionless(load: Load, folder: Path) -> None:
    schema = {
        "fields": [
            {"name": "id", "type": "integer", "constraints": {"required": True, "minimum": 1}},
            {"name": "mail", "type": "string", "format": "email", "title": "Where to write"},
            {"name": "size", "type": "number", "constraints": {"exclusiveMinimum": 0}},
            {"name": "plan", "type": "string", "constraints": {"enum": ["a", "b"]}},
            {"name": "code", "constraints": {"pattern": "[A-Z]{2}", "unique": True}},
            {"name": "born", "type": "date", "constraints": {"minimum": "1900-01-01"}},
            {"name": "shop", "type": "integer"},
            {"name": "where", "type": "geopoint"},
            {"name": "note", "constraints": {"maxLength": 80, "required": True}},
        ],
        "primaryKey": ["id"],
        "missingValues": ["NA"],
        "foreignKeys": [
            {"fields": "shop", "reference": {"resource": "shops", "fields": "nr"}},
            {"fields": ["id"], "reference": {"resource": "gone", "fields": ["x"]}},
        ],
    }  # fmt: skip
    (folder / "t.json").write_text(json.dumps(schema, indent="\t"))
    text = HEAD + "  shops: {columns: {nr: {type: integer}}, key: nr}\n  t: {schema: t.json}\n"
    dataset = load(text).datasets["t"]
    assert columns_of(dataset) == {
        "id": {"type": "integer", "min": 1},
        "mail": {"type": "string", "like": "email", "null": 0.05, "description": "Where to write"},
        "size": {"type": "float", "min": 0, "null": 0.05},
        "plan": {"type": "category", "values": ["a", "b"], "null": 0.05},
        "code": {"type": "string", "pattern": "[A-Z]{2}", "unique": True, "null": 0.05},
        "born": {"type": "date", "min": "1900-01-01T00:00:00", "null": 0.05},
        "shop": {"type": "integer", "null": 0.05, "foreign_key": "shops.nr"},
        "where": {"type": "string", "null": 0.05},
        "note": {"type": "string", "length": [0, 80]},
    }
    assert dataset.key == "id"
    assert dataset.dialect.null == "NA"
    assert [rule.text for rule in dataset.rules] == ["size > 0"]
    assert dataset.notes == (
        "column 'where': not taken over: type geopoint",
        "not taken over: the foreign key id to gone: x",
    )


def test_checks_that_pandera_left_out_of_the_file_are_missed() -> None:
    found = translate_pandera({"columns": {"a": {"dtype": "int64", "checks": None}}})
    assert "pandera did not write" in found.notes[0]


@pytest.mark.parametrize(
    "content",
    [{"fields": []}, {"fields": [3]}, {"fields": [{"name": "a"}, {"name": "a"}]},
     {"fields": [{"name": "a"}], "primaryKey": "b"}],
)  # fmt: skip
def test_table_schemas_that_contradict_themselves(content: dict[str, Any]) -> None:
    with pytest.raises(SchemaError):
        translate_frictionless(content, ())


def test_a_dataset_needs_columns_or_a_schema(failure: Failure) -> None:
    message = failure(HEAD + "  f: {format: csv}\n")
    assert "datasets.f.columns: missing" in message
    assert "`schema`" in message
    assert "did you mean 'schema'?" in failure(HEAD + "  f: {shema: x.yaml}\n")
    assert "expected a file or module:Schema, found the number 3" in failure(
        HEAD + "  f: {schema: 3}\n"
    )


def test_the_json_schema_takes_either() -> None:
    validator = jsonschema.Draft202012Validator(project_json_schema())
    for dataset, valid in (
        ({"schema": "x.yaml"}, True),
        ({"columns": {"a": {"type": "float"}}}, True),
        ({"format": "csv"}, False),
    ):
        content = {
            "version": 1,
            "project": "p",
            "steps": {"s": {"script": "s.py"}},
            "datasets": {"d": dataset},
        }
        assert validator.is_valid(content) is valid


def test_the_loader_needs_no_pandera(load: Load, folder: Path) -> None:
    import subprocess

    (folder / "t.json").write_text('{"fields": [{"name": "a"}]}')
    load(HEAD + "  t: {schema: t.json}\n")
    code = (
        "import sys; from pathlib import Path; from mlvalidate.project import load_project;"
        "load_project(Path('.'), {}); print([m for m in ('pandera', 'pandas') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr
    assert load_project(folder, {}).datasets["t"].columns["a"].null == 0.05
