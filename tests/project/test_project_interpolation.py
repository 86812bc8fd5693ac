"""`${NAME}` in project files."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlvalidate.core.contracts import Project
from mlvalidate.project.construction import Constructor
from mlvalidate.project.interpolation import InterpolationError, interpolate
from mlvalidate.project.yaml_tree import parse_yaml

Load = Callable[..., Project]
Failure = Callable[..., str]

names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)
values = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("plain", "plain"),
        ("${A}", "a"),
        ("x-${A}-${B}-y", "x-a-b-y"),
        ("${NONE:-some thing}", "some thing"),
        ("${NONE:-}", ""),
        ("${EMPTY:-default}", "default"),
        ("${EMPTY}", ""),
        ("${A:-default}", "a"),
        ("$${A}", "${A}"),
        ("$$${A}", "$${A}"),
        ("$A $ $$ {A}", "$A $ $$ {A}"),
        ("${NESTED}", "${A}"),
    ],
)
def test_interpolate(text: str, result: str) -> None:
    environ = {"A": "a", "B": "b", "EMPTY": "", "NESTED": "${A}"}

    assert interpolate(text, environ) == result


@pytest.mark.parametrize("text", ["${}", "${1A}", "${A", "${A-b}", "${A:b}", "a ${"])
def test_malformed_references(text: str) -> None:
    with pytest.raises(InterpolationError, match="expected") as caught:
        interpolate(text, {"A": "a"})

    assert caught.value.hint == "write $${ for a literal ${"


@given(name=names, value=values, before=values, after=values)
def test_only_the_reference_changes(name: str, value: str, before: str, after: str) -> None:
    before, after = before.replace("$", ""), after.replace("$", "")

    assert interpolate(f"{before}${{{name}}}{after}", {name: value}) == before + value + after


@given(text=values)
def test_escaped_text_comes_back(text: str) -> None:
    text = text.rstrip("$").replace("$$", "$")

    assert interpolate(text.replace("${", "$${"), {}) == text


@given(value=values)
def test_a_value_never_becomes_structure(value: str) -> None:
    tree, _ = parse_yaml("plain: ${V}\nquoted: '${V}'\nlist: [\"${V}\"]\n")
    assert tree is not None

    data = Constructor({"V": value}).construct(tree)

    assert isinstance(data, dict)
    assert data["quoted"] == value
    assert data["list"] == [value]
    assert isinstance(data["plain"], str | int | float)
    assert not isinstance(data["plain"], str) or data["plain"] == value


def test_what_becomes_of_values(load: Load) -> None:
    project = load(
        """
        version: 1
        project: ${NAME:-churn}
        defaults:
          seed: ${SEED}
          timeout: ${MINUTES}m
          env: {ACCOUNT: "${ACCOUNT}"}
        steps:
          train:
            kind: training
            script: ${FOLDER}/train.py
            hyperparameters:
              depth: ${DEPTH}
              quoted: "${DEPTH}"
              flag: ${FLAG}
              empty: ${EMPTY}
              null_text: ${NULL}
              structure: ${STRUCTURE}
              literal: $${DEPTH}
            env:
              VERSION: 1.10
              ACCOUNT: ${ACCOUNT}
              DEBUG: true
              DAY: 2024-01-01
        pipelines:
          one: {nodes: [{train: {env: {VERSION: 3.10}}}]}
          two: {nodes: {train: {env: {VERSION: 3.20}}}}
        """,
        {
            "SEED": "7",
            "MINUTES": "5",
            "FOLDER": "scripts",
            "DEPTH": "4",
            "FLAG": "true",
            "EMPTY": "",
            "NULL": "null",
            "ACCOUNT": "012345678901",
            "STRUCTURE": "{a: [1]}\nversion: 2",
        },
    )

    step = project.steps["train"]
    assert project.project == "churn"
    assert (project.defaults.seed, project.defaults.timeout) == (7, 300)
    assert project.defaults.env == {"ACCOUNT": "012345678901"}
    assert step.hyperparameters == {
        "depth": 4,
        "quoted": "4",
        "flag": True,
        "empty": "",
        "null_text": "null",
        "structure": "{a: [1]}\nversion: 2",
        "literal": "${DEPTH}",
    }
    assert step.env == {
        "VERSION": "1.10",
        "ACCOUNT": "012345678901",
        "DEBUG": "true",
        "DAY": "2024-01-01",
    }
    assert project.pipelines["one"].nodes["train"].env == {"VERSION": "3.10"}
    assert project.pipelines["two"].nodes["train"].env == {"VERSION": "3.20"}


def test_keys_that_are_called_env_elsewhere_hold_what_they_like(load: Load) -> None:
    project = load(
        """
        version: 1
        project: churn
        datasets:
          d: {columns: {env: {type: integer, min: 1}}}
        steps:
          train:
            kind: training
            script: scripts/train.py
            hyperparameters: {env: {depth: 1}}
        """
    )

    assert project.datasets["d"].columns["env"].min == 1
    assert project.steps["train"].hyperparameters == {"env": {"depth": 1}}


def test_keys_are_not_interpolated(load: Load, minimal: str) -> None:
    project = load(minimal + '    hyperparameters: {"${A}": 1}\n', {"A": "a"})

    assert project.steps["train"].hyperparameters == {"${A}": 1}


def test_missing_and_malformed_variables(failure: Failure, minimal: str) -> None:
    text = f"""{minimal}
tracking:
  uri: ${{MLFLOW_URL}}
  experiment: ${{1}}
defaults:
  seed: ${{SEED}}
  timeout: "${{TIMEOUT}}"
  network: ${{NET}}
  memory: ${{MEMORY}}
"""

    environ = {"MLFLOW_URI": "x", "SEED": "seven", "TIMEOUT": "soon", "NET": "alow"}
    assert (
        failure(text, environ)
        == """
mlvalidate.yaml:10:8: tracking.uri: the environment variable MLFLOW_URL is not set
  did you mean 'MLFLOW_URI'? set it, or give a default: ${MLFLOW_URL:-...}
mlvalidate.yaml:11:15: tracking.experiment: expected ${NAME} or ${NAME:-default}, found '${1}'
  write $${ for a literal ${
mlvalidate.yaml:13:9: defaults.seed: expected a whole number, found 'seven' (from ${SEED})
mlvalidate.yaml:14:12: defaults.timeout: expected a duration such as 30s, 10m or 1h30m, got 'soon'
mlvalidate.yaml:15:12: defaults.network: expected deny, allow or record, found 'alow' (from ${NET})
  did you mean 'allow'?
mlvalidate.yaml:16:11: defaults.memory: the environment variable MEMORY is not set
  set it, or give a default: ${MEMORY:-...}
"""
    )


def test_secrets_do_not_reach_the_message(failure: Failure, minimal: str) -> None:
    text = minimal.replace("scripts/train.py", "${DB_PASSWORD}") + "    timeout: ${API_TOKEN}\n"
    environ = {"DB_PASSWORD": "hunter2hunter2", "API_TOKEN": "t0ps3cret"}

    assert (
        failure(text, environ)
        == """
mlvalidate.yaml:8:14: steps.train.timeout: expected a duration such as 30s, 10m or 1h30m, got '***'
"""
    )
    valid = text.replace("    timeout: ${API_TOKEN}\n", "")
    assert (
        failure(valid, environ)
        == """
mlvalidate.yaml:7:13: steps.train.script: there is no file '***'
"""
    )
