"""Reads what pandera's ``to_yaml`` writes, and what `describe` says of a schema in Python."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from mlvalidate.project.schemas.translation import (
    NULL_SHARE,
    Keys,
    SchemaError,
    Translation,
    is_finite,
    narrow,
    quoted,
    widest_length,
)

# Start of the name of a data type, in lower case -> our type.
_TYPES = (
    ("datetime", "datetime"), ("timestamp", "datetime"), ("date", "date"), ("int", "integer"),
    ("uint", "integer"), ("float", "float"), ("double", "float"), ("decimal", "float"),
    ("bool", "boolean"), ("str", "string"), ("object", "string"), ("utf8", "string"),
    ("category", "category"), ("large_string", "string"),
)  # fmt: skip
# What pandera says of a column beside its checks.
_COLUMN_KEYS = frozenset({
    "title", "description", "dtype", "nullable", "unique", "coerce", "required", "regex", "name",
    "report_duplicates", "default", "metadata", "checks", "parsers", "drop_invalid_rows",
})  # fmt: skip
# The parameter that stands alone where a check has only one.
_PARAMETERS = {
    "greater_than": "min_value", "greater_than_or_equal_to": "min_value",
    "less_than": "max_value", "less_than_or_equal_to": "max_value",
    "equal_to": "value", "not_equal_to": "value", "isin": "allowed_values",
    "notin": "forbidden_values", "str_matches": "pattern", "str_contains": "pattern",
    "str_startswith": "string", "str_endswith": "string", "unique_values_eq": "values",
}  # fmt: skip


def is_pandera(content: object) -> bool:
    """Tell whether a file's content is a schema of pandera."""
    return isinstance(content, dict) and isinstance(content.get("columns"), dict)


def translate_pandera(content: Mapping[str, Any]) -> Translation:
    """Return the columns of a schema. Raises SchemaError."""
    found = Translation()
    for name, keys in content["columns"].items():
        if not isinstance(keys, dict):
            raise SchemaError(f"column {str(name)!r} is no mapping with a `dtype`")
        if keys.get("regex"):
            found.leave_out("names by regular expression", str(name))
        else:
            found.columns[str(name)] = _Column(str(name), keys, found).translate()
    if not found.columns:
        raise SchemaError("the schema has no columns")
    _whole_table(content, found)
    return found


def _whole_table(content: Mapping[str, Any], found: Translation) -> None:
    unique = content.get("unique")
    names = [unique] if isinstance(unique, str) else [str(name) for name in unique or ()]
    if names and all(name in found.columns for name in names):
        if any(found.columns[name].get("null") for name in names):
            found.leave_out(f"unique: {', '.join(names)}, of which some may be null")
        else:
            found.dataset["key"] = names[0] if len(names) == 1 else names
    for name, statistics in _checks(content.get("checks")):
        found.leave_out(f"the check {name!r} of the table {_shown(statistics)}".rstrip())
    if content.get("ordered"):
        found.leave_out("ordered: true, the order of the columns")
    for index in content.get("index") or ():
        if isinstance(index, dict) and index.get("name"):
            found.leave_out(f"the index {index['name']!r}")


def _checks(content: object) -> Iterator[tuple[str, Any]]:
    if isinstance(content, dict):
        yield from ((str(name), statistics) for name, statistics in content.items())
    elif isinstance(content, list):
        for item in content:
            if isinstance(item, dict) and "name" in item:
                yield str(item["name"]), item.get("statistics") or {}
            else:
                yield str(item), {}


def _shown(statistics: object) -> str:
    return "" if statistics in (None, {}, []) else f"with {statistics!r}"[:100]


class _Column:
    """Translates one column."""

    def __init__(self, name: str, content: Mapping[str, Any], found: Translation) -> None:
        self._name, self._content, self._found = name, content, found
        self._keys: Keys = {}

    def translate(self) -> Keys:
        """Return its keys; what is left out goes into the notes."""
        content = self._content
        self._keys["type"] = self._type()
        text = content.get("description") or content.get("title")
        if text:
            self._keys["description"] = str(text)
        if content.get("nullable"):
            self._keys["null"] = NULL_SHARE
        if content.get("unique"):
            self._keys["unique"] = True
        if content.get("required") is False:
            self._keys["optional"] = True
        for name, statistics in self._all_checks():
            self._check(name, statistics)
        return self._settled()

    def _type(self) -> str:
        dtype = self._content.get("dtype")
        lower = re.sub(r"^<?(?:class ')?(?:[a-z_]+\.)*", "", str(dtype or "").lower())
        if lower.startswith("uint"):
            self._keys["min"] = 0
        kind = next((ours for start, ours in _TYPES if lower.startswith(start)), None)
        if kind is None:
            if dtype is not None:
                self._found.leave_out(f"dtype {dtype}", self._name)
            return self._type_of_bounds()
        return kind

    def _type_of_bounds(self) -> str:
        bounds = [
            value
            for _, statistics in self._all_checks()
            if isinstance(statistics, dict)
            for key, value in statistics.items()
            if key in ("min_value", "max_value")
        ]
        return "float" if bounds and all(map(is_finite, bounds)) else "string"

    def _all_checks(self) -> Iterator[tuple[str, dict[str, Any]]]:
        own = {key: value for key, value in self._content.items() if key not in _COLUMN_KEYS}
        if not own and self._content.get("checks", ...) is None:
            # pandera leaves checks of the user's own out of the file, but not the key.
            yield "of the user's own, which pandera did not write to the file", {}
        for name, value in (*own.items(), *_checks(self._content.get("checks"))):
            statistics = value
            if isinstance(value, dict) and "value" in value and _PARAMETERS.get(name) != "value":
                statistics = value["value"]
            if not isinstance(statistics, dict):
                statistics = {_PARAMETERS.get(name, "value"): statistics}
            yield name, statistics

    def _check(self, name: str, statistics: dict[str, Any]) -> None:
        rule = _RULES.get(name)
        if rule is None or not rule(self, statistics):
            self._found.leave_out(f"the check {name!r} {_shown(statistics)}".rstrip(), self._name)

    def _settled(self) -> Keys:
        """Return the keys as a category where there is nothing but values, and without one else."""
        keys = self._keys
        if keys["type"] == "category" and "values" not in keys:
            keys["type"] = "string"
            self._found.leave_out("dtype category without `isin`", self._name)
        elif keys["type"] == "string" and "values" in keys:
            if all(isinstance(value, str) for value in keys["values"]):
                keys = {key: value for key, value in keys.items() if key != "length"}
            keys["type"] = "category"
            keys.pop("pattern", None)
        return keys

    # One method per check of pandera's own; False where it can't be said.

    def _least(self, statistics: dict[str, Any]) -> bool:
        return self._bound("min", statistics.get("min_value"), included=True)

    def _more(self, statistics: dict[str, Any]) -> bool:
        return self._bound("min", statistics.get("min_value"), included=False)

    def _most(self, statistics: dict[str, Any]) -> bool:
        return self._bound("max", statistics.get("max_value"), included=True)

    def _less(self, statistics: dict[str, Any]) -> bool:
        return self._bound("max", statistics.get("max_value"), included=False)

    def _range(self, statistics: dict[str, Any]) -> bool:
        return all(
            self._bound(
                end,
                statistics.get(f"{end}_value"),
                included=statistics.get(f"include_{end}") is not False,
            )
            for end in ("min", "max")
        )

    def _bound(self, end: str, value: Any, *, included: bool) -> bool:
        kind = self._keys["type"]
        if kind in ("datetime", "date"):
            narrow(self._keys, end, str(value))
            return included
        if kind not in ("integer", "float") or not is_finite(value):
            return False
        if kind == "integer" and not included:
            value = value + 1 if end == "min" else value - 1
        elif not included:
            sign = ">" if end == "min" else "<"
            self._found.rules.append(f"{quoted(self._name)} {sign} {value}")
        narrow(self._keys, end, value)
        return True

    def _values(self, statistics: dict[str, Any]) -> bool:
        values = statistics.get("allowed_values", statistics.get("values"))
        if not isinstance(values, list | tuple | set) or not values:
            return False
        if not all(isinstance(value, str | int | float | bool) for value in values):
            return False
        if self._keys["type"] not in ("category", "string", "integer", "float"):
            return False
        self._keys["values"] = list(dict.fromkeys(values))
        return True

    def _value(self, statistics: dict[str, Any]) -> bool:
        return self._values({"values": [statistics.get("value")]})

    def _not_values(self, statistics: dict[str, Any]) -> bool:
        values = statistics.get("forbidden_values", [statistics.get("value")])
        if not isinstance(values, list) or not all(
            isinstance(v, str | int | float) for v in values
        ):
            return False
        for value in values:
            self._found.rules.append(f"{quoted(self._name)} != {value!r}")
        return True

    def _matches(self, statistics: dict[str, Any]) -> bool:
        pattern = str(statistics.get("pattern"))
        if pattern.endswith("$") and not pattern.endswith("\\$"):
            return self._pattern(pattern.removeprefix("^").removesuffix("$"))
        return self._pattern(f"(?:{pattern.removeprefix('^')}).*")

    def _contains(self, statistics: dict[str, Any]) -> bool:
        return self._pattern(f".*(?:{statistics.get('pattern')}).*")

    def _starts(self, statistics: dict[str, Any]) -> bool:
        return self._pattern(re.escape(str(statistics.get("string"))) + ".*")

    def _ends(self, statistics: dict[str, Any]) -> bool:
        return self._pattern(".*" + re.escape(str(statistics.get("string"))))

    def _pattern(self, pattern: str) -> bool:
        if self._keys["type"] != "string" or "pattern" in self._keys:
            return False
        self._keys["pattern"] = pattern
        return True

    def _length(self, statistics: dict[str, Any]) -> bool:
        exact = statistics.get("exact_value", statistics.get("value"))
        least, most = statistics.get("min_value"), statistics.get("max_value")
        if isinstance(exact, int):
            least = most = exact
        if self._keys["type"] != "string" or (least is None and most is None):
            return False
        self._keys["length"] = widest_length(least, most)
        return True


_RULES: dict[str, Callable[[_Column, dict[str, Any]], bool]] = {
    "greater_than_or_equal_to": _Column._least,
    "greater_than": _Column._more,
    "less_than_or_equal_to": _Column._most,
    "less_than": _Column._less,
    "in_range": _Column._range,
    "isin": _Column._values,
    "unique_values_eq": _Column._values,
    "equal_to": _Column._value,
    "notin": _Column._not_values,
    "not_equal_to": _Column._not_values,
    "str_matches": _Column._matches,
    "str_contains": _Column._contains,
    "str_startswith": _Column._starts,
    "str_endswith": _Column._ends,
    "str_length": _Column._length,
}
