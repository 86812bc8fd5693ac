"""Says in words what pydantic finds wrong with a project file, and where."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from mlvalidate.core.contracts import Project
from mlvalidate.core.datasets import Dataset
from mlvalidate.core.suggest import nearest
from mlvalidate.project.interpolation import refers
from mlvalidate.project.model_walk import enum_values_at, keys_of, model_at
from mlvalidate.project.problems import KeyPath, describe
from mlvalidate.project.report import Report
from mlvalidate.project.yaml_nodes import Scalar
from mlvalidate.project.yaml_positions import Location

# What pydantic expected, by the type of its error. Errors of these types at one place are the
# members of a union, and become one problem.
_EXPECTED = {
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_parsing_size": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a number that is not infinite",
    "datetime_type": "a date and time",
    "datetime_parsing": "a date and time",
    "datetime_from_date_parsing": "a date and time",
    "datetime_object_invalid": "a date and time",
    "date_type": "a date",
    "date_parsing": "a date",
    "date_from_datetime_parsing": "a date",
    "date_from_datetime_inexact": "a date",
    "string_type": "a text",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
}
# The wider word is enough.
_IMPLIED = {"a number": "a whole number", "a date and time": "a date"}


@dataclass(frozen=True)
class _Issue:
    """One of pydantic's errors, with its place in the file."""

    location: Location
    error: ErrorDetails

    @property
    def path(self) -> KeyPath:
        return self.location.path

    @property
    def type(self) -> str:
        return self.error["type"]

    @property
    def missing_key(self) -> str:
        """The key that is not there; empty for other errors."""
        return str(self.error["loc"][-1]) if self.type == "missing" else ""

    @property
    def is_about_key(self) -> bool:
        return self.error["loc"][-1:] == ("[key]",)


def validate(data: object, report: Report) -> Project | None:
    """Return the project that ``data`` declares, or None after adding to ``report`` why not."""
    try:
        return Project.model_validate(data)
    except ValidationError as failure:
        errors = failure.errors(include_url=False)
    issues = [_Issue(report.locate(error["loc"]), error) for error in errors]
    mismatches, others = _split(issues)
    for issue in _without_misspelt(others):
        _report_one(issue, report)
    for group in mismatches:
        _report_mismatch(group, report)
    return None


def _split(issues: list[_Issue]) -> tuple[list[list[_Issue]], list[_Issue]]:
    """Return the wrong types, grouped by their place, and the other issues."""
    groups: dict[KeyPath, list[_Issue]] = {}
    others: list[_Issue] = []
    for issue in issues:
        if issue.type in _EXPECTED and not issue.is_about_key:
            groups.setdefault(issue.path, []).append(issue)
        else:
            others.append(issue)
    paths = {issue.path for issue in issues}
    # Where a member of a union got further than this one, it is the one that was meant.
    meant = [
        group
        for path, group in groups.items()
        if not any(_is_below(other, path) for other in paths)
    ]
    return meant, others


def _is_below(path: KeyPath, above: KeyPath) -> bool:
    return len(path) > len(above) and path[: len(above)] == above


def _without_misspelt(issues: list[_Issue]) -> Iterable[_Issue]:
    """Leave out missing keys that an unknown key beside them stands for."""
    misspelt = {
        (issue.path[:-1], _known_key_near(issue)) for issue in issues if _is_unknown_key(issue)
    }
    return (issue for issue in issues if (issue.path, issue.missing_key) not in misspelt)


def _is_unknown_key(issue: _Issue) -> bool:
    return issue.type in ("extra_forbidden", "invalid_key")


def _known_keys(issue: _Issue) -> tuple[str, ...]:
    model = model_at(Project, issue.path[:-1])
    # `schema` is replaced by columns before this.
    more = ("schema",) if model is Dataset else ()
    return (*keys_of(model), *more) if model else ()


def _known_key_near(issue: _Issue) -> str | None:
    return nearest(str(issue.path[-1]), _known_keys(issue))


def _report_one(issue: _Issue, report: Report) -> None:
    path = issue.path
    if _is_unknown_key(issue):
        near = _known_key_near(issue)
        known = "known keys: " + ", ".join(_known_keys(issue))
        report.add_at_key(path, "unknown key", f"did you mean {near!r}?" if near else known)
    elif issue.is_about_key:
        report.add_at_key(path, _wrong_name(issue), _quote_hint(path[-1], "string_type"))
    elif issue.missing_key and isinstance(issue.error["loc"][-1], str):
        report.add_at_key((*path, issue.missing_key), "missing", _missing_hint(issue))
    elif not report.is_faulty(path):
        message, hint = _in_words(issue)
        report.add(path, message, hint)


def _wrong_name(issue: _Issue) -> str:
    found = describe(issue.path[-1])
    if issue.type == "string_pattern_mismatch":
        return (
            f"expected a name of letters, digits, _ and - that starts with no digit, found {found}"
        )
    if issue.type == "string_too_long":
        return f"expected a name of at most {issue.error['ctx']['max_length']} characters"
    return f"expected a text as key, found {found}"


def _missing_hint(issue: _Issue) -> str:
    if issue.missing_key == "version":
        return "add `version: 1`"
    model = model_at(Project, issue.path)
    if model is Dataset and issue.missing_key == "columns":
        return "declare the columns, or name a file that does with `schema`"
    values = enum_values_at(Project, (*issue.path, issue.missing_key)) if model else ()
    return "one of " + ", ".join(values) if values else ""


def _report_mismatch(group: list[_Issue], report: Report) -> None:
    issue = group[0]
    if report.is_faulty(issue.path):
        return
    expected = list(dict.fromkeys(_EXPECTED[member.type] for member in group))
    expected = [x for x in expected if not any(_IMPLIED.get(wider) == x for wider in expected)]
    hint = _quote_hint(issue.error["input"], *(member.type for member in group))
    report.add(issue.path, f"expected {_either(expected)}, found {_found(issue)}", hint)


def _either(words: list[str]) -> str:
    return " or ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def _found(issue: _Issue) -> str:
    found = describe(issue.error["input"])
    node = issue.location.node
    if isinstance(node, Scalar) and refers(node.text):
        found += f" (from {node.text})"
    return found


def _quote_hint(value: object, *types: str) -> str:
    if "string_type" not in types or not isinstance(value, bool | int | float):
        return ""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f'put it in quotes: "{text}"'


def _in_words(issue: _Issue) -> tuple[str, str]:
    """Return message and hint for a value of the right type that is wrong all the same."""
    if issue.type == "value_error":
        return str(issue.error["ctx"]["error"]), ""
    if issue.type == "enum":
        return _wrong_choice(issue)
    if issue.type == "too_short":
        return "expected at least one entry, found none", ""
    words = _LIMITS.get(issue.type)
    if words:
        return f"expected {words(issue.error.get('ctx', {}))}, found {_found(issue)}", ""
    return f"{issue.error['msg']}, found {_found(issue)}", ""


def _wrong_choice(issue: _Issue) -> tuple[str, str]:
    values = enum_values_at(Project, issue.path)
    near = nearest(str(issue.error["input"]), values)
    message = f"expected {_either(list(values))}, found {_found(issue)}"
    return message, f"did you mean {near!r}?" if near else ""


_LIMITS: dict[str, Callable[[dict[str, Any]], str]] = {
    "literal_error": lambda ctx: str(ctx["expected"]),
    "greater_than": lambda ctx: f"a number greater than {ctx['gt']:g}",
    "greater_than_equal": lambda ctx: f"a number of at least {ctx['ge']:g}",
    "less_than": lambda ctx: f"a number less than {ctx['lt']:g}",
    "less_than_equal": lambda ctx: f"a number of at most {ctx['le']:g}",
    "too_long": lambda ctx: f"{ctx['max_length']} values",
    "missing": lambda _: "one value more",
    "string_pattern_mismatch": lambda _: (
        "a name of letters, digits, _ and - that starts with no digit"
    ),
    "string_too_long": lambda ctx: f"at most {ctx['max_length']} characters",
}
