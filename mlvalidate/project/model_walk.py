"""Finds the type that a model declares for a key path."""

from __future__ import annotations

import types
from enum import Enum
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

from mlvalidate.project.problems import KeyPath


def model_at(root: type[BaseModel], path: KeyPath) -> type[BaseModel] | None:
    """Return the model whose keys stand at ``path``, or None when there is none."""
    for member in _types_at(root, path):
        if isinstance(member, type) and issubclass(member, BaseModel):
            return member
    return None


def keys_of(model: type[BaseModel]) -> tuple[str, ...]:
    """Return the keys that a model takes, as people write them."""
    return tuple(field.alias or name for name, field in model.model_fields.items())


def enum_values_at(root: type[BaseModel], path: KeyPath) -> tuple[str, ...]:
    """Return the values of the enumeration that is declared at ``path``; empty without one."""
    for member in _types_at(root, path):
        if isinstance(member, type) and issubclass(member, Enum):
            return tuple(str(value.value) for value in member)
    return ()


def _types_at(root: type[BaseModel], path: KeyPath) -> list[Any]:
    found: list[Any] = [root]
    for part in path:
        found = [inner for outer in found for inner in _members(_inner_type(outer, part))]
    return found


def _inner_type(outer: Any, part: str | int | float) -> Any:
    if isinstance(outer, type) and issubclass(outer, BaseModel):
        fields = dict(zip(keys_of(outer), outer.model_fields.values(), strict=True))
        field = fields.get(str(part))
        return field.annotation if field else None
    arguments = get_args(outer)
    if get_origin(outer) is dict:
        return arguments[1]
    return arguments[0] if arguments else None


def _members(annotation: Any) -> list[Any]:
    if get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) in (Union, types.UnionType):
        return list(get_args(annotation))
    return [annotation]
