"""What exists is documented, and what is documented exists."""

from __future__ import annotations

import ast
import inspect
import re
from typing import Any

import click
import pytest
from docs_pages import ROOT, first_table, read, refresh, section, table_keys

from mlvalidate import hookspecs
from mlvalidate.checks import registry
from mlvalidate.checks.hints.reference import reference_page as hints_page
from mlvalidate.cli.group import COMMANDS, cli
from mlvalidate.core.errors import ExitCode
from mlvalidate.core.gates import FINDING_METRICS, STEP_METRICS
from mlvalidate.core.results import PipelineResult, Status
from mlvalidate.engine import container
from mlvalidate.project import project_json_schema
from mlvalidate.tracking import layout

SCHEMA = project_json_schema()
# Where the keys of each model are explained.
SECTIONS = {
    "Project": "Top level",
    "Tracking": "tracking",
    "Defaults": "defaults",
    "CacheSettings": "cache",
    "Dataset": "datasets",
    "Column": "columns",
    "Distribution": "distribution",
    "Rule": "rules",
    "Dialect": "dialect",
    "DriftRule": "drift",
    "DeclaredCheck": "checks",
    "RowsCheck": "rows",
    "DisjointCheck": "disjoint",
    "UniqueCheck": "unique",
    "ForeignKeyCheck": "foreign_key",
    "LabelCheck": "no_label_in",
    "PortsCheck": "finite",
    "CategoriesCheck": "known_categories",
    "SchemaCheck": "same_schema",
    "RepeatCheck": "deterministic",
    "ShuffleCheck": "row_order_invariant",
    "JsonSchemaCheck": "json_schema",
    "ArchiveCheck": "archive",
    "PipelineCheck": "pipeline checks",
    "EqualCheck": "equal",
    "AgreeCheck": "agree",
    "Step": "steps",
    "Port": "inputs and outputs",
    "Pipeline": "pipelines",
    "Node": "nodes",
}
MODELS = {
    "Project": SCHEMA,
    **{name: model for name, model in SCHEMA["$defs"].items() if model.get("properties")},
}


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_is_that_of_the_command(command: str) -> None:
    shown = dict(refresh.blocks(read("reference/cli.md")))
    assert shown[f"help-{command or 'mlvalidate'}"] == refresh.fenced(refresh.help_text(command))


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_every_option_is_documented(command: str) -> None:
    found = cli.get_command(click.Context(cli), command) if command else cli
    assert found is not None
    text = section_of_command(command)
    for parameter in found.params:
        names = parameter.opts if isinstance(parameter, click.Option) else [parameter.name]
        for name in names:
            assert str(name).lower() in text.lower(), f"{command} {name}"


def section_of_command(command: str) -> str:
    text = read("reference/cli.md")
    _, _, rest = text.partition(f"\n## {command or 'mlvalidate'}\n")
    assert rest, f"no section on {command}"
    return rest.partition("\n## ")[0]


def test_every_key_of_the_json_result_is_documented() -> None:
    documented = table_keys(section(read("reference/cli.md"), "The JSON result"))
    assert documented == set(PipelineResult.model_fields)


@pytest.mark.parametrize("model", MODELS)
def test_every_key_of_the_project_file_is_documented(model: str) -> None:
    text = section(read("project-file.md"), SECTIONS[model])
    documented = table_keys(text)
    for key in MODELS[model]["properties"]:
        assert key in documented, f"{model}.{key}"


@pytest.mark.parametrize("model", MODELS)
def test_no_other_key_is_documented(model: str) -> None:
    table = first_table(section(read("project-file.md"), SECTIONS[model]))
    assert table_keys(table) == set(MODELS[model]["properties"])


def test_every_word_that_a_key_can_take_is_documented() -> None:
    text = read("project-file.md")
    for values in _enumerations(SCHEMA):
        for value in values:
            assert f"`{value}`" in text, value


def _enumerations(schema: Any) -> list[list[str]]:
    if isinstance(schema, list):
        return [found for item in schema for found in _enumerations(item)]
    if not isinstance(schema, dict):
        return []
    below = [found for item in schema.values() for found in _enumerations(item)]
    return [schema["enum"], *below] if isinstance(schema.get("enum"), list) else below


def test_every_figure_of_gates_is_documented() -> None:
    text = section(read("project-file.md"), "gates")
    for figure in (*STEP_METRICS, *FINDING_METRICS):
        assert f"`{figure}`" in text


def test_findings_page_is_the_generated_one() -> None:
    assert read("reference/findings.md") == registry.reference_page()


def test_the_page_of_hints_is_made_from_their_docstrings() -> None:
    assert read("reference/hints.md") == hints_page()


def test_every_code_is_documented_once() -> None:
    headings = re.findall(r"^### ([A-Z]\d{3}) ", read("reference/findings.md"), re.MULTILINE)
    assert len(headings) == len(set(headings))
    assert {check.code for check in registry.BUILTIN} <= set(headings)


def test_every_code_in_the_source_is_documented() -> None:
    page = read("reference/findings.md")
    for path in (ROOT / "mlvalidate" / "checks").glob("*.py"):
        for code in re.findall(r'^    code = "(\w+)"', path.read_text(), re.MULTILINE):
            assert f"### {code} " in page, f"{code} of {path.name}"


def test_every_hook_is_documented() -> None:
    hooks = {
        name
        for name, function in inspect.getmembers(hookspecs, inspect.isfunction)
        if hasattr(function, "mlvalidate_spec")
    }
    documented = table_keys(section(read("writing-a-plugin.md"), "Hooks"))
    assert {name.removesuffix("()") for name in documented} == hooks


def test_every_exit_code_is_documented() -> None:
    rows = re.findall(r"^\| (\d+) \| `(\w+)` \|", read("reference/exit-codes.md"), re.MULTILINE)
    assert {name: int(code) for code, name in rows} == {code.name: code for code in ExitCode}


def test_every_name_of_the_record_is_documented() -> None:
    page = read("mlflow.md")
    for name, value in vars(layout).items():
        if (
            name.isupper()
            and isinstance(value, str)
            and name not in ("RUNNING", "DATA", "BASELINE")
        ):
            assert value in page, f"{name} = {value}"
    for name in (
        layout.arg_param("NAME"),
        layout.env_param("NAME"),
        layout.hyperparameter_param("NAME"),
        layout.node_metric("NODE", "METRIC"),
        layout.sample_artifact("PORT", "FILE.parquet"),
        layout.baseline_artifact("PORT", "TABLE.parquet"),
        layout.report_artifact("PORT", "TABLE.html"),
    ):
        assert f"`{name}`" in page, name


def test_every_status_is_documented() -> None:
    recorded = section(read("mlflow.md"), "Tags")
    for status in Status:
        assert f"`{status.value}`" in recorded or status is Status.SKIPPED


def test_every_environment_variable_is_documented() -> None:
    documented = set(re.findall(r"`(\w+)`", read("reference/environment.md")))
    named = _named_variables()
    assert {"MLFLOW_TRACKING_URI", "MLVALIDATE_DEBUG"} <= named
    assert named <= documented


def _named_variables() -> set[str]:
    """Return the variables of MLflow and of mlvalidate that stand in the source as texts."""
    pattern = re.compile(r"_?(?:MLFLOW|MLVALIDATE)_[A-Z0-9_]+")
    found: set[str] = set()
    for path in (ROOT / "mlvalidate").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found |= {node.value} if pattern.fullmatch(node.value) else set()
    return found


def test_every_variable_of_a_ci_service_is_documented() -> None:
    from mlvalidate.tracking import context

    documented = set(re.findall(r"`(\w+)`", read("reference/environment.md")))
    markers = {name for marker, _, url in context._CI for name in (marker, url) if name}
    assert markers | set(context._CI_BRANCH) <= documented


def test_every_installer_is_documented() -> None:
    text = section(read("how-a-step-runs.md"), "Installers")
    for name in container._INSTALLERS:
        assert f"`{name}`" in text
