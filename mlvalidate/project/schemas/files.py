"""Reads schema files: YAML or JSON, of pandera or of Frictionless."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from mlvalidate.project.schemas.frictionless import is_frictionless, translate_frictionless
from mlvalidate.project.schemas.pandera_schemas import is_pandera, translate_pandera
from mlvalidate.project.schemas.translation import SchemaError, Translation
from mlvalidate.project.yaml_nodes import Listing, Mapping, Node
from mlvalidate.project.yaml_scalars import resolve
from mlvalidate.project.yaml_tree import YamlError, parse_yaml

_MOST_BYTES = 5_000_000
_KINDS = (
    "expected what pandera's `schema.to_yaml()` writes, with `columns`, or a Frictionless Table "
    "Schema, with `fields`"
)


def read_schema_file(path: Path, datasets: Collection[str]) -> Translation:
    """Return what a schema file declares. Raises SchemaError, whose text does not name the file."""
    content = _content(path)
    if is_frictionless(content):
        assert isinstance(content, dict)
        return translate_frictionless(content, datasets)
    if is_pandera(content):
        assert isinstance(content, dict)
        return translate_pandera(content)
    raise SchemaError("it is no schema", _KINDS)


def _content(path: Path) -> object:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise SchemaError(f"it has more than {_MOST_BYTES // 10**6} MB")
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise SchemaError(f"it can't be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise SchemaError("it is not UTF-8", "save the file as UTF-8") from None
    if path.suffix == ".json":
        # YAML has JSON in it, but not the tabs that JSON may be indented with.
        text = text.replace("\t", " ")
    try:
        root, faults = parse_yaml(text)
    except YamlError as error:
        fault = error.fault
        raise SchemaError(f"line {fault.position.line}: {fault.message}", fault.hint) from None
    for fault in faults:
        raise SchemaError(f"line {fault.position.line}: {fault.message}", fault.hint)
    return None if root is None else _plain(root)


def _plain(node: Node) -> object:
    if isinstance(node, Mapping):
        return {entry.key: _plain(entry.node) for entry in node.entries}
    if isinstance(node, Listing):
        return [_plain(item.node) for item in node.items]
    if node.is_null:
        return None
    return resolve(node.text) if node.is_plain else node.text
