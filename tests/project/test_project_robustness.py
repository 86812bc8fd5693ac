"""Whatever the file holds, the only error is a ProjectError."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from mlvalidate.core.columns import Column
from mlvalidate.core.contracts import Defaults, Node, Pipeline, Port, Project, Step
from mlvalidate.core.datasets import Dataset
from mlvalidate.project import ProjectError, load_project

KEYS = sorted(
    {
        key
        for model in (Column, Dataset, Defaults, Node, Pipeline, Port, Project, Step)
        for key in model.model_fields
    }
)
WORDS = [
    *KEYS, "train", "training", "a.b", "a.b >= 1", "scripts/train.py", "..", "~", "/", "\0", "${A}",
    "${", "category", "text", "csv", "integer", "1h", "9" * 400, "9" * 30 + "GB", "a{99999999999}",
    "(" * 300, "/opt/ml/x", "a/b#c", "2019-01-01", "-1", "<<", "file", "[key]", "str", "dict",
]  # fmt: skip
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.sampled_from(WORDS),
    st.text(max_size=5),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.one_of(st.sampled_from(WORDS), scalars), inner, max_size=4),
    ),
    max_leaves=12,
)
names = st.sampled_from(["train", "other", "1x"])


def fields(model: type[BaseModel]) -> st.SearchStrategy[dict[str, object]]:
    return st.dictionaries(st.sampled_from(list(model.model_fields)), values, max_size=5)


columns = st.dictionaries(st.sampled_from(["a", "b", "key"]), fields(Column), max_size=3)
projects = st.fixed_dictionaries(
    {"version": st.just(1), "project": st.just("churn")},
    optional={
        "defaults": st.one_of(fields(Defaults), values),
        "datasets": st.dictionaries(
            names, st.builds(lambda d, c: {**d, "columns": c}, fields(Dataset), columns), max_size=2
        ),
        "steps": st.dictionaries(
            names,
            st.builds(
                lambda s, i: {"script": "scripts/train.py", **s, "inputs": i},
                fields(Step),
                st.dictionaries(names, fields(Port), max_size=2),
            ),
            max_size=2,
        ),
        "pipelines": st.dictionaries(names, fields(Pipeline), max_size=2),
        "gates": st.one_of(st.lists(st.sampled_from(WORDS), max_size=2), values),
    },
)
many = settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def load_or_fail(folder: Path, content: bytes) -> None:
    (folder / "mlvalidate.yaml").write_bytes(content)
    with contextlib.suppress(ProjectError):
        load_project(folder, {"A": "a", "PATH": "/absent"})


@many
@given(content=st.binary(max_size=200))
def test_any_bytes(folder: Path, content: bytes) -> None:
    load_or_fail(folder, content)


@many
@given(text=st.text(st.sampled_from("ab:-[]{}&*!|>'\"%@`#,?$~<\t\n .01"), max_size=60))
def test_any_text_with_the_characters_of_yaml(folder: Path, text: str) -> None:
    load_or_fail(folder, text.encode())


@many
@given(data=st.one_of(values, projects))
def test_any_data(folder: Path, data: object) -> None:
    load_or_fail(folder, yaml.safe_dump(data, allow_unicode=True).encode("utf-8", "replace"))


@pytest.mark.parametrize(
    "keys",
    [
        f"{{type: integer, min: {'9' * 60}, max: {'1' * 60}}}",
        "{type: float, min: 1e400, max: .nan}",
        '{type: string, pattern: "a{99999999999999999999}"}',
        "{type: string, pattern: '" + "(" * 2000 + "'}",
        "{type: category, values: {a: .nan}}",
        "{type: category, values: {a: .inf, b: .inf}}",
        "{type: datetime, min: 0001-01-01, max: 9999-12-31}",
    ],
)
def test_columns_beyond_all_reason(folder: Path, minimal: str, keys: str) -> None:
    load_or_fail(folder, f"{minimal}datasets: {{d: {{columns: {{a: {keys}}}}}}}\n".encode())


def test_importing_the_package_does_not_import_yaml() -> None:
    code = "import sys, mlvalidate.project; sys.exit('yaml' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
