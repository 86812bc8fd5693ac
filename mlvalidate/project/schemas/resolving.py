"""Puts the columns of schemas that datasets name in the place of the key `schema`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from mlvalidate.core.columns import Column
from mlvalidate.project.file_lookup import (
    STAY_INSIDE,
    holds,
    home_complaint,
    leaves,
    path_hint,
)
from mlvalidate.project.problems import describe
from mlvalidate.project.report import Report
from mlvalidate.project.schemas.files import read_schema_file
from mlvalidate.project.schemas.python_schemas import read_python_schema
from mlvalidate.project.schemas.translation import Keys, SchemaError, Translation

KEY = "schema"
_IN_PYTHON = re.compile(r"(?P<module>(?:[^:]+\.py|[^\W\d]\w*(?:\.[^\W\d]\w*)*)):(?P<name>[\w.]+)")


def resolve_schemas(data: object, root: Path, environ: Mapping[str, str], report: Report) -> object:
    """Return the content of a project file with the columns of its schemas.

    What `columns`, `key`, `rules` and `dialect` say beside `schema` wins. Adds to ``report`` what
    is wrong with a schema; its dataset is then left without one, and nothing more is said of it.
    """
    datasets = data.get("datasets") if isinstance(data, dict) else None
    if not isinstance(data, dict) or not isinstance(datasets, dict):
        return data
    resolver = _Resolver(data, root, environ, report)
    resolved = {
        name: resolver.resolve(str(name), keys) if isinstance(keys, dict) and KEY in keys else keys
        for name, keys in datasets.items()
    }
    return {**data, "datasets": resolved}


class _Resolver:
    def __init__(
        self, data: dict[str, Any], root: Path, environ: Mapping[str, str], report: Report
    ) -> None:
        self._root, self._environ, self._report = root, environ, report
        self._datasets = [str(name) for name in data["datasets"]]
        defaults = data.get("defaults")
        python = defaults.get("python") if isinstance(defaults, dict) else None
        self._python = python if isinstance(python, str) else None

    def resolve(self, name: str, keys: dict[str, Any]) -> dict[str, Any]:
        """Return the keys of a dataset with the columns of its schema."""
        reference = keys[KEY]
        others = {key: value for key, value in keys.items() if key != KEY}
        try:
            translation = self._read(reference)
            merged = _merged(translation, others)
            _check_columns(translation, others, merged)
        except SchemaError as error:
            where = f"{reference}: " if isinstance(reference, str) else ""
            self._report.add(("datasets", name, KEY), f"{where}{error.message}", error.hint)
            # A stand-in: the columns are not what is wrong with the file.
            return {"columns": {"?": {"type": "string"}}}
        return merged

    def _read(self, reference: object) -> Translation:
        if not isinstance(reference, str):
            raise SchemaError(f"expected a file or module:Schema, found {describe(reference)}")
        in_python = _IN_PYTHON.fullmatch(reference)
        if in_python:
            if in_python["module"].endswith(".py"):
                self._check_path(in_python["module"])
            return read_python_schema(reference, self._root, self._python, self._environ)
        self._check_path(reference)
        return read_schema_file(self._root / reference, self._datasets)

    def _check_path(self, declared: str) -> None:
        complaint = home_complaint(declared)
        if not complaint and leaves(self._root, declared):
            complaint = f"{declared!r} leaves the project's folder", STAY_INSIDE
        if not complaint and not holds(Path.is_file, self._root / declared):
            hint = path_hint(self._root, declared)
            complaint = "there is no such file", hint or "a schema in Python is module:Schema"
        if complaint:
            raise SchemaError(*complaint)


def _merged(translation: Translation, others: dict[str, Any]) -> dict[str, Any]:
    merged: dict[str, Any] = {**translation.dataset, **others}
    given = others.get("columns")
    columns: dict[str, Any] = dict(translation.columns)
    if isinstance(given, dict):
        for name, keys in given.items():
            columns[name] = _merged_column(columns.get(str(name)), keys)
    merged["columns"] = columns if given is None or isinstance(given, dict) else given
    if isinstance(others.get("dialect"), dict):
        merged["dialect"] = {**translation.dataset.get("dialect", {}), **others["dialect"]}
    if translation.rules:
        rules = others.get("rules") or []
        merged["rules"] = [*translation.rules, *rules] if isinstance(rules, list) else rules
    if translation.notes:
        notes = others.get("notes") or []
        merged["notes"] = [*translation.notes, *notes] if isinstance(notes, list) else notes
    return merged


def _merged_column(translated: Keys | None, given: object) -> object:
    """Return the keys of a column; another type leaves nothing of the schema's."""
    if translated is None or not isinstance(given, dict):
        return given
    if given.get("type", translated["type"]) != translated["type"]:
        return given
    return {**translated, **given}


def _check_columns(
    translation: Translation, others: dict[str, Any], merged: dict[str, Any]
) -> None:
    """Raise SchemaError for a column of the schema that contradicts itself."""
    given = others.get("columns") or {}
    for name in translation.columns:
        if isinstance(given, dict) and name in given:
            continue  # what is wrong there is said at the key that the user wrote
        try:
            Column.model_validate(merged["columns"][name])
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            reason = str(first.get("ctx", {}).get("error") or first["msg"])
            where = ".".join(str(part) for part in first["loc"])
            text = f"{where}: {reason}" if where and "ctx" not in first else reason
            raise SchemaError(f"column {name!r}: {text}") from None
