"""What a contract may say, what a dataset may say."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from pydantic import ValidationError

from mlvalidate.core.columns import Column, as_comparable
from mlvalidate.core.contracts import Access, Edge, Pipeline, Port, Project, Step
from mlvalidate.core.datasets import Dataset


def rejects(model: type, what: str, **fields: object) -> None:
    with pytest.raises(ValidationError, match=what):
        model.model_validate(fields)  # type: ignore[attr-defined]


@pytest.mark.parametrize("path", ["/opt/ml/x", "/opt/ml/processing/input/"])
def test_container_paths(path: str) -> None:
    assert Port(path=path).path == path.rstrip("/")


@pytest.mark.parametrize(
    "path", ["/opt/ml", "/opt/ml/", "/tmp/x", "x", "/opt/ml/../x", "/opt/mlx/y", ""]
)
def test_what_is_no_container_path(path: str) -> None:
    rejects(Port, "below /opt/ml", path=path)


@pytest.mark.parametrize("name", ["/a.csv", "../a.csv", "a/../../b", "", "."])
def test_files_stay_inside_the_port(name: str) -> None:
    rejects(Port, "inside the port", files={name: "file"})


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({}, "either `script` or `module`"),
        ({"script": "a.py", "module": "a"}, "either `script` or `module`"),
        ({"kind": "command"}, "needs `command`"),
        ({"kind": "command", "command": ["a"], "script": "a.py"}, "neither script nor module"),
        ({"script": "a.py", "command": ["a"]}, "`command` is for steps of kind command"),
        ({"script": "a.py", "code_root": "src"}, "goes with `module`"),
        ({"script": "a.py", "hyperparameters": {"a": 1}}, "for steps of kind training"),
        ({"script": "a.py", "kind": "callable", "args": ["a"]}, "`args` as a mapping"),
        ({"script": "a.py", "metrics": {"auc": "x.json"}}, "expected port/file.json#dotted.path"),
        ({"script": "a.py", "metrics": {"auc": "out/x.json#auc"}}, "the step has no output 'out'"),
        ({"script": "a.py", "surprise": 1}, "Extra inputs"),
        ({"script": "a.py", "inputs": {"a b": {}}}, "should match pattern"),
        (
            {
                "script": "a.py",
                "inputs": {"a": {"path": "/opt/ml/x"}},
                "outputs": {"b": {"path": "/opt/ml/x"}},
            },
            "output 'b' and input 'a' share the path /opt/ml/x",
        ),
        (
            {"kind": "training", "script": "a.py", "outputs": {"a": {}, "b": {}}},
            "share the path /opt/ml/output/data",
        ),
    ],
)
def test_contracts_that_contradict_themselves(fields: dict[str, object], what: str) -> None:
    rejects(Step, what, **fields)


def test_paths_of_sagemaker() -> None:
    ports: dict[str, object] = {"inputs": {"train": {}}, "outputs": {"model": {}, "rest": {}}}
    training = Step.model_validate({"kind": "training", "script": "a.py", **ports})
    assert training.container_path("input", "train") == "/opt/ml/input/data/train"
    assert training.container_path("output", "model") == "/opt/ml/model"
    assert training.container_path("output", "rest") == "/opt/ml/output/data"
    processing = Step.model_validate({"script": "a.py", **ports})
    assert processing.container_path("input", "train") == "/opt/ml/processing/input/train"
    assert processing.container_path("output", "model") == "/opt/ml/processing/output/model"


def test_entry_points() -> None:
    assert Step(script="a.py").entry_point == "a.py"
    assert Step(module="a.b").entry_point == "a.b"
    assert Step.model_validate({"kind": "command", "command": ["a", "b"]}).entry_point == "a b"


def test_env_values_are_texts() -> None:
    step = Step.model_validate({"script": "a.py", "env": {"A": 1, "B": True, "C": 0.5, "D": "x"}})
    assert step.env == {"A": "1", "B": "true", "C": "0.5", "D": "x"}
    rejects(Step, "string", script="a.py", env={"A": [1]})


def test_units_in_a_contract() -> None:
    step = Step.model_validate(
        {"script": "a.py", "timeout": "1m", "memory": "1GB", "network": "allow"}
    )
    assert (step.timeout, step.memory, step.network) == (60, 10**9, Access.ALLOW)


def test_edges() -> None:
    edge = Edge.parse("train.data", "prep.out/deep/er/")
    assert (edge.consumer, edge.input) == ("train", "data")
    assert (edge.producer, edge.output, edge.subpath) == ("prep", "out", "deep/er")
    assert edge.source == "prep.out/deep/er"
    assert Edge.parse("a.b", "c.d").source == "c.d"


@pytest.mark.parametrize(
    ("target", "source", "what"),
    [
        ("train", "a.b", "expected consumer.input, got 'train'"),
        (".x", "a.b", "expected consumer.input"),
        ("train.", "a.b", "expected consumer.input"),
        ("a.b", "prep", "expected producer.output"),
        ("a.b", "prep./x", "expected producer.output"),
        ("a.b", "c.d/../e", "leaves the producer's output"),
    ],
)
def test_what_is_no_edge(target: str, source: str, what: str) -> None:
    with pytest.raises(ValueError, match=what):
        Edge.parse(target, source)


def test_nodes_as_a_list() -> None:
    pipeline = Pipeline.model_validate({"nodes": ["a", {"b": {"step": "a", "args": {"x": 1}}}]})
    assert list(pipeline.nodes) == ["a", "b"]
    assert (pipeline.step_of("a"), pipeline.step_of("b")) == ("a", "a")
    assert pipeline == Pipeline.model_validate(
        {"nodes": {"a": {}, "b": {"step": "a", "args": {"x": 1}}}}
    )
    rejects(Pipeline, "listed twice", nodes=["a", "a"])
    rejects(Pipeline, "expected the names of steps", nodes=[1])
    rejects(Pipeline, "at least 1", nodes=[])


def test_a_project_knows_its_folder() -> None:
    project = Project.model_validate(
        {"version": 1, "project": "p", "steps": {"s": {"script": "s.py"}}}
    )
    assert project.at(Path("/somewhere")).root == Path("/somewhere")
    assert project.path("a/b") == Path("/somewhere/a/b")
    assert project.path("/abs") == Path("/abs")
    assert project.state_folder == Path("/somewhere/.mlvalidate")
    rejects(Project, "Input should be 1", version=2, project="p", steps={"s": {"script": "s.py"}})


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({"type": "category"}, "a category needs `values`"),
        ({"type": "category", "values": []}, "needs `values`"),
        ({"type": "string", "values": []}, "must name at least one value"),
        ({"type": "category", "values": {"a": -1, "b": 2}}, "must not be negative"),
        ({"type": "category", "values": {"a": 0}}, "not all zero"),
        ({"type": "boolean", "values": [True]}, "not for boolean"),
        ({"type": "date", "values": [1]}, "not for date"),
        ({"type": "integer", "pattern": "x"}, "`pattern` is for string"),
        ({"type": "string", "pattern": "("}, "no regular expression"),
        ({"type": "integer", "length": [1, 2]}, "`length` is for string"),
        ({"type": "string", "length": [3, 2]}, "least, greatest"),
        ({"type": "string", "length": [-1, 2]}, "least, greatest"),
        ({"type": "float", "rate": 0.5}, "`rate` is for boolean"),
        ({"type": "boolean", "rate": 1}, "less than 1"),
        ({"type": "string", "min": 1}, "`min` is not for string"),
        ({"type": "boolean", "max": 1}, "`max` is not for boolean"),
        ({"type": "integer", "min": dt.date(2020, 1, 1)}, "must be a .*number"),
        ({"type": "date", "max": 5}, "must be a date"),
        ({"type": "integer", "min": 2, "max": 1}, "is greater than `max`"),
        ({"type": "date", "min": dt.date(2021, 1, 1), "max": dt.date(2020, 1, 1)}, "greater"),
        ({"type": "float", "null": 1.5}, "less than or equal to 1"),
    ],
)  # fmt: skip
def test_columns_that_contradict_themselves(fields: dict[str, object], what: str) -> None:
    rejects(Column, what, **fields)


def test_weights() -> None:
    mapped = Column.model_validate({"type": "category", "values": {"a": 1, "b": 3}})
    assert mapped.weights == {"a": 0.25, "b": 0.75}
    listed = Column.model_validate({"type": "category", "values": ["a", "b"]})
    assert listed.weights == {"a": 0.5, "b": 0.5}
    assert Column.model_validate({"type": "integer"}).weights == {}


def test_bounds_compare_across_dates_and_datetimes() -> None:
    assert as_comparable(dt.date(1970, 1, 2)) == 86400
    assert as_comparable(dt.datetime(1970, 1, 1, 1)) == 3600
    zone = dt.timezone(dt.timedelta(hours=1))
    assert as_comparable(dt.datetime(1970, 1, 1, 1, tzinfo=zone)) == 0
    assert as_comparable(3) == 3
    Column.model_validate(
        {"type": "datetime", "min": dt.date(2020, 1, 1), "max": "2020-01-01T00:00:00+00:00"}
    )
    Column.model_validate({"type": "integer", "min": 1, "max": 1})


def test_keys() -> None:
    columns = {"a": {"type": "integer"}, "b": {"type": "integer"}}
    assert Dataset.model_validate({"columns": columns}).key_columns == ()
    assert Dataset.model_validate({"columns": columns, "key": "a"}).key_columns == ("a",)
    assert Dataset.model_validate({"columns": columns, "key": ["a", "b"]}).key_columns == ("a", "b")
    rejects(Dataset, "`key` names 'c'", columns=columns, key=["a", "c"])
    rejects(Dataset, "at least 1", columns={})
