"""The JSON Schema of the project file, for editors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mlvalidate.core.contracts import Project
from mlvalidate.project.descriptions import DESCRIPTIONS

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_VARIABLE = "#/$defs/Variable"


def project_json_schema() -> Schema:
    """Return the JSON Schema (draft 2020-12) of ``mlvalidate.yaml``.

    It accepts ``${NAME}`` wherever a value is written, and refuses unknown keys. What only a
    look at the whole project can tell (names that refer to nothing, missing files) it does not.
    """
    generated = Project.model_json_schema()
    models: dict[str, Schema] = generated["$defs"]
    _allow_schema(models["Dataset"])
    _allow_nodes_in_list(models["Pipeline"]["properties"]["nodes"])
    for name, model in (("Project", generated), *models.items()):
        for key, value in model.get("properties", {}).items():
            _describe(value, f"{name}.{key}")
    for value in _values_in(generated):
        _allow_variable(value, models)
        _refuse_other_names(value)
    models["Variable"] = {
        "description": "A value from the environment: ${NAME} or ${NAME:-default}",
        "type": "string",
        "pattern": r"\$\{",
    }
    texts = {
        "title": "mlvalidate project",
        "description": "The datasets, steps, pipelines and gates of a project (mlvalidate.yaml)",
    }
    return {"$schema": DIALECT, **generated, **texts}


def _allow_schema(dataset: Schema) -> None:
    """Add the key that the loader replaces by the columns of a schema."""
    dataset["properties"]["schema"] = {"type": "string"}
    dataset["required"].remove("columns")
    dataset["anyOf"] = [{"required": ["columns"]}, {"required": ["schema"]}]


def _allow_nodes_in_list(nodes: Schema) -> None:
    """Check the mappings in a list of nodes like the mapping that may stand for the list."""
    listing, mapping = nodes["anyOf"]
    listing["items"] = {"anyOf": [{"type": "string"}, mapping]}


def _describe(value: Schema, key: str) -> None:
    value.setdefault("description", DESCRIPTIONS.get(key))
    # Pydantic's title is the key again, and its `null` would be offered as a completion.
    value.pop("title", None)
    if value.get("default", ...) is None:
        del value["default"]


def _values_in(root: Schema) -> Iterator[Schema]:
    """Yield every schema of a value in a file; not those of keys or of members of a union."""
    for model in (root, *root["$defs"].values()):
        yield from _values_below(model)


def _values_below(schema: Schema) -> Iterator[Schema]:
    children: list[Schema] = []
    for keyword in ("properties", "patternProperties"):
        children += schema.get(keyword, {}).values()
    for keyword in ("items", "additionalProperties"):
        if isinstance(schema.get(keyword), dict):
            children.append(schema[keyword])
    children += schema.get("prefixItems", [])
    for child in children:
        yield from _values_below(child)
        yield child
    for member in schema.get("anyOf", []):
        yield from _values_below(member)


def _allow_variable(value: Schema, models: dict[str, Schema]) -> None:
    members = [_resolved(member, models) for member in value.get("anyOf", [value])]
    if any(_takes_any_text(member) for member in members):
        return
    if not any(_is_scalar(member) for member in members):
        return
    if "anyOf" not in value:
        texts: Schema = {key: value.pop(key) for key in ("description", "default") if key in value}
        only_member = dict(value)
        value.clear()
        value.update({"anyOf": [only_member], **texts})
    value["anyOf"].append({"$ref": _VARIABLE})


def _resolved(schema: Schema, models: dict[str, Schema]) -> Schema:
    reference = schema.get("$ref")
    return models[reference.rpartition("/")[2]] if reference else schema


def _types(schema: Schema) -> list[str]:
    declared = schema.get("type", [])
    return [declared] if isinstance(declared, str) else declared


def _takes_any_text(schema: Schema) -> bool:
    return "string" in _types(schema) and not {"enum", "pattern", "format"} & schema.keys()


def _is_scalar(schema: Schema) -> bool:
    return bool({"string", "integer", "number", "boolean"} & set(_types(schema)))


def _refuse_other_names(value: Schema) -> None:
    for schema in (value, *value.get("anyOf", [])):
        if "patternProperties" in schema:
            schema["additionalProperties"] = False
