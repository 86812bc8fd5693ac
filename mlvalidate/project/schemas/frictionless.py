"""Reads Table Schemas of the Frictionless standard."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from mlvalidate.project.schemas.translation import (
    NULL_SHARE,
    Keys,
    SchemaError,
    Translation,
    is_finite,
    quoted,
    widest_length,
)

_TYPES: dict[str, Keys] = {
    "string": {"type": "string"},
    "number": {"type": "float"},
    "integer": {"type": "integer"},
    "boolean": {"type": "boolean"},
    "date": {"type": "date"},
    "datetime": {"type": "datetime"},
    "year": {"type": "integer", "min": 1900, "max": 2100},
    "yearmonth": {"type": "string", "pattern": "[0-9]{4}-(?:0[1-9]|1[0-2])"},
    "time": {"type": "string", "pattern": "(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"},
    "list": {"type": "list", "items": {"type": "string"}},
    "array": {"type": "list", "items": {"type": "string"}},
}
_BOUNDS = (
    ("minimum", "min", False), ("exclusiveMinimum", "min", True),
    ("maximum", "max", False), ("exclusiveMaximum", "max", True),
)  # fmt: skip
_LIKE = {"email": "email", "uri": "url", "uuid": "uuid"}
_TRUE, _FALSE = {"true", "True", "TRUE", "1"}, {"false", "False", "FALSE", "0"}


def is_frictionless(content: object) -> bool:
    """Tell whether a file's content is a Table Schema."""
    return isinstance(content, dict) and isinstance(content.get("fields"), list)


def translate_frictionless(content: Mapping[str, Any], datasets: Collection[str]) -> Translation:
    """Return the columns of a Table Schema; foreign keys may lead to ``datasets``.

    Raises SchemaError.
    """
    found = Translation()
    for number, field in enumerate(content["fields"]):
        if not isinstance(field, dict) or not isinstance(field.get("name"), str):
            raise SchemaError(f"fields[{number}] has no `name`")
        if field["name"] in found.columns:
            raise SchemaError(f"two fields have the name {field['name']!r}")
        found.columns[field["name"]] = _field(field, found)
    if not found.columns:
        raise SchemaError("the schema has no fields")
    _key(content, found)
    _foreign_keys(content, found, datasets)
    _missing_values(content, found)
    return found


def _field(field: Mapping[str, Any], found: Translation) -> Keys:
    name, kind = field["name"], str(field.get("type", "string"))
    keys = dict(_TYPES.get(kind, {"type": "string"}))
    if kind not in _TYPES:
        found.leave_out(f"type {kind}", name)
    text = field.get("description") or field.get("title")
    if text:
        keys["description"] = str(text)
    format = str(field.get("format", "default"))
    if kind == "string" and format in _LIKE:
        keys["like"] = _LIKE[format]
    elif format not in ("default", "any"):
        found.leave_out(f"format {format}", name)
    for key in ("trueValues", "falseValues"):
        usual = _TRUE if key == "trueValues" else _FALSE
        if not set(map(str, field.get(key) or ())) <= usual:
            found.leave_out(f"{key} {field[key]}", name)
    if field.get("decimalChar", ".") == ",":
        found.dataset.setdefault("dialect", {})["decimal"] = ","
    if field.get("groupChar"):
        found.leave_out("groupChar", name)
    _constraints(field.get("constraints") or {}, keys, name, found)
    return keys


def _constraints(constraints: Mapping[str, Any], keys: Keys, name: str, found: Translation) -> None:
    kind = keys["type"]
    if not constraints.get("required"):
        keys["null"] = NULL_SHARE
    if constraints.get("unique"):
        keys["unique"] = True
    for key, end, excluded in _BOUNDS:
        if key in constraints:
            _bound(constraints[key], end, excluded, keys, name, found)
    _length(constraints, keys, name, found)
    if "pattern" in constraints:
        if kind == "string":
            keys["pattern"] = str(constraints["pattern"])
            keys.pop("like", None)
        else:
            found.leave_out("pattern", name)
    if constraints.get("enum"):
        _enum(constraints["enum"], keys, name, found)
    if "jsonSchema" in constraints:
        found.leave_out("jsonSchema", name)


def _length(constraints: Mapping[str, Any], keys: Keys, name: str, found: Translation) -> None:
    least, most = constraints.get("minLength"), constraints.get("maxLength")
    if least is not None or most is not None:
        if keys["type"] in ("string", "list"):
            keys["length"] = widest_length(least, most)
        else:
            found.leave_out("minLength and maxLength", name)


def _bound(value: Any, end: str, excluded: bool, keys: Keys, name: str, found: Translation) -> None:
    kind = keys["type"]
    if kind in ("date", "datetime") and not excluded:
        keys[end] = str(value)
    elif kind in ("integer", "float") and is_finite(_number(value)):
        number = _number(value)
        if excluded and kind == "integer":
            number += 1 if end == "min" else -1
        elif excluded:
            found.rules.append(f"{quoted(name)} {'>' if end == 'min' else '<'} {number}")
        keys[end] = number
    else:
        found.leave_out(f"{'minimum' if end == 'min' else 'maximum'} {value}", name)


def _number(value: Any) -> Any:
    """Return a bound as a number: the standard allows it to be a text."""
    if not isinstance(value, str):
        return value
    try:
        return int(value)
    except ValueError:
        try:
            return float(value)
        except ValueError:
            return value


def _enum(values: Any, keys: Keys, name: str, found: Translation) -> None:
    kind = keys["type"]
    listed = values if isinstance(values, list) else []
    if kind in ("integer", "float"):
        keys["values"] = [_number(value) for value in listed]
    elif kind == "string":
        keys["type"] = "category"
        keys["values"] = [str(value) for value in listed]
        for key in ("pattern", "length", "like"):
            keys.pop(key, None)
    else:
        found.leave_out(f"enum {values}", name)


def _key(content: Mapping[str, Any], found: Translation) -> None:
    names = content.get("primaryKey") or []
    names = [names] if isinstance(names, str) else [str(name) for name in names]
    for name in names:
        if name not in found.columns:
            raise SchemaError(f"primaryKey names {name!r}, which is not among the fields")
        found.columns[name].pop("null", None)
    if names:
        found.dataset["key"] = names[0] if len(names) == 1 else names


def _foreign_keys(
    content: Mapping[str, Any], found: Translation, datasets: Collection[str]
) -> None:
    for each in content.get("foreignKeys") or ():
        reference = each.get("reference") or {}
        here, there = _names(each.get("fields")), _names(reference.get("fields"))
        resource = str(reference.get("resource") or "")
        if len(here) == len(there) == 1 and resource in datasets and here[0] in found.columns:
            keys = found.columns[here[0]]
            keys["foreign_key"] = f"{resource}.{there[0]}"
            for key in ("values", "like"):
                keys.pop(key, None)
        else:
            where = f"{resource or 'the same table'}: {', '.join(there)}"
            found.leave_out(f"the foreign key {', '.join(here)} to {where}")


def _names(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else [str(name) for name in value or ()]


def _missing_values(content: Mapping[str, Any], found: Translation) -> None:
    words = [
        str(word.get("value") if isinstance(word, dict) else word)
        for word in content.get("missingValues", [""])
    ]
    spelt = [word for word in words if word]
    if len(words) == 1 and spelt:
        found.dataset.setdefault("dialect", {})["null"] = spelt[0]
    elif spelt:
        found.leave_out(f"missingValues {', '.join(map(repr, spelt))} beside the empty text")
