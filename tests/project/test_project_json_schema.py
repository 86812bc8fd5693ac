"""The JSON Schema of the project file, and its agreement with the loader."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import jsonschema
import pytest

from mlvalidate.core.contracts import Project
from mlvalidate.project import load_project, project_json_schema
from mlvalidate.project.descriptions import DESCRIPTIONS
from mlvalidate.project.yaml_nodes import Listing, Mapping, Node
from mlvalidate.project.yaml_scalars import resolve
from mlvalidate.project.yaml_tree import parse_yaml

Load = Callable[..., Project]

EVERYTHING = dedent(
    """\
    version: 1
    project: churn
    description: Who leaves
    tracking: {uri: "sqlite:///x.db", experiment: churn}
    defaults:
      python: ${PYTHON:-/bin/sh}
      timeout: 10m
      memory: 2GB
      network: ${NETWORK:-deny}
      credentials: deny
      env: {A: 1, B: true, C: text, D: 1.10}
      seed: ${SEED:-1}
      log_limit: 1000000
    cache: {limit: 2GB}
    datasets:
      customers:
        format: ${FORMAT:-csv}
        rows: ${ROWS:-10}
        sample: data/customers.csv
        key: [id, day]
        columns:
          id: {type: string, pattern: "C[0-9]{6}", unique: true}
          tenure: {type: integer, min: 0, max: 72, null: 0.02}
          day: {type: datetime, min: 2019-01-01, max: 2025-12-31}
          plan: {type: category, values: {basic: .6, plus: "${SHARE:-.3}", 1: .1}}
          size: {type: category, values: [1, 2.5, large, true], optional: true}
          note: {type: text, length: [0, 80], description: free}
          churned: {type: boolean, label: true, rate: 0.2}
      plain: {columns: {a: {type: float}}, key: a}
    steps:
      preprocess:
        script: scripts/preprocess.py
        args: {test-ratio: 0.2, verbose: true, skip: null, many: [1, a]}
        inputs: {raw: {path: /opt/ml/processing/input, files: {"*.csv": customers}, sample: data}}
        outputs: {train: {}, log: {required: false, description: notes}}
      train:
        kind: training
        module: scripts.train
        hyperparameters: {depth: 4, nested: {a: [1]}}
        inputs: {train: {}}
        outputs: {model: {files: {m.joblib: file}}}
        timeout: 90
      score:
        kind: callable
        module: train
        code_root: scripts
        entry: main
        network: allow
        credentials: allow
        memory: 512MiB
        env: {X: 5}
      report:
        kind: ${KIND:-command}
        command: [sh, -c, "true"]
        python: /bin/sh
        args: [--fast, "5"]
        outputs: {report: {files: {e.json: json, m.tar.gz: archive}}}
        metrics: {auc: "report/e.json#auc"}
    pipelines:
      listed:
        description: as a list
        nodes: [preprocess, {fit: {step: train, hyperparameters: {depth: 5}}}, report]
        edges: {fit.train: preprocess.train/part}
      mapped: {nodes: {preprocess: {args: {verbose: false}, env: {A: 2}}, train: {}}}
    gates: ["findings.error == 0", "report.auc >= 0.7"]
    """
)


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return project_json_schema()


def as_editors_see(text: str) -> Any:
    """Return the document without interpolation, with texts for keys, as JSON has it."""
    tree, faults = parse_yaml(text)
    assert tree is not None
    assert not faults
    return _plain(tree)


def _plain(node: Node) -> Any:
    if isinstance(node, Mapping):
        return {str(entry.key): _plain(entry.node) for entry in node.entries}
    if isinstance(node, Listing):
        return [_plain(item.node) for item in node.items]
    if node.is_null:
        return None
    return resolve(node.text) if node.is_plain else node.text


def errors(schema: dict[str, Any], text: str) -> list[str]:
    validator = jsonschema.Draft202012Validator(schema)
    return [error.json_path for error in validator.iter_errors(as_editors_see(text))]


def test_the_schema_is_valid_and_titled(schema: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator.check_schema(schema)

    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["title"] == "mlvalidate project"
    assert schema["additionalProperties"] is False
    assert json.dumps(schema)


def test_it_accepts_what_the_loader_accepts(schema: dict[str, Any], load: Load) -> None:
    project = load(EVERYTHING)

    assert project.datasets["customers"].rows == 10
    assert project.datasets["customers"].columns["plan"].weights["plus"] == pytest.approx(0.3)
    assert errors(schema, EVERYTHING) == []


def _valid_texts() -> Iterator[str]:
    """Yield the whole project files that the other tests hold as constants."""
    for path in sorted(Path(__file__).parent.glob("test_project_*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "load" and node.args:
                text = node.args[0]
                if isinstance(text, ast.Constant) and isinstance(text.value, str):
                    yield dedent(text.value)


@pytest.mark.parametrize("text", list(_valid_texts()))
def test_it_accepts_the_valid_files_of_the_other_tests(schema: dict[str, Any], text: str) -> None:
    tree, _ = parse_yaml(text)
    if tree is not None and "<<" not in text:
        assert errors(schema, text) == []


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ("version: 1", "version: 2", "$.version"),
        ("project: churn\n", "project: a.b\n", "$.project"),
        ("seed: ${SEED:-1}", "seed: SEED", "$.defaults.seed"),
        ("network: ${NETWORK:-deny}", "network: alow", "$.defaults.network"),
        ("format: ${FORMAT:-csv}", "format: cvs", "$.datasets.customers.format"),
        ("    rows:", "    rowss:", "$.datasets.customers"),
        ("type: text,", "type: txt,", "$.datasets.customers.columns.note.type"),
        ("rate: 0.2", "rate: 1.2", "$.datasets.customers.columns.churned.rate"),
        ("[0, 80]", "[0, 80, 90]", "$.datasets.customers.columns.note.length"),
        ("  plain:", "  2plain:", "$.datasets"),
        ("step: train,", "stp: train,", "$.pipelines.listed.nodes"),
        ("{report: {files", "{9report: {files", "$.steps.report.outputs"),
        ("gates: [", "gates: [5, ", "$.gates[0]"),
    ],
)
def test_it_refuses(schema: dict[str, Any], old: str, new: str, path: str) -> None:
    assert EVERYTHING.count(old) == 1

    assert errors(schema, EVERYTHING.replace(old, new)) == [path]


def test_every_key_is_described_and_nothing_else(schema: dict[str, Any]) -> None:
    models = {"Project": schema, **schema["$defs"]}
    keys = {
        f"{name}.{key}": value
        for name, model in models.items()
        for key, value in model.get("properties", {}).items()
    }

    assert [key for key, value in keys.items() if not value.get("description")] == []
    assert set(DESCRIPTIONS) <= set(keys)
    assert [key for key in DESCRIPTIONS if keys[key]["description"] != DESCRIPTIONS[key]] == []


def test_a_new_schema_each_time() -> None:
    project_json_schema()["properties"].clear()

    assert project_json_schema()["properties"]


def test_the_everything_file_loads_from_disk(folder: Path) -> None:
    (folder / "mlvalidate.yaml").write_text(EVERYTHING)

    assert set(load_project(folder, {}).pipelines) == {"listed", "mapped"}
