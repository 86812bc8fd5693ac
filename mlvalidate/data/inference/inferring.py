"""Infers the dataset that a file, or a folder with its shards, seems to hold."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlvalidate.core.columns import ColumnType
from mlvalidate.core.datasets import Dataset, FileFormat
from mlvalidate.core.errors import UsageError
from mlvalidate.data.inference.declaring import Declaration, declare
from mlvalidate.data.inference.options import InferenceOptions
from mlvalidate.data.inference.recognition import Recognised, recognise_cells, recognise_texts
from mlvalidate.data.inference.relations import (
    find_correlations,
    find_keys,
    find_label,
    loosen_key,
)
from mlvalidate.data.inference.rendering import render
from mlvalidate.data.inference.sources import Source, read_source

_MOST_SYNTHETIC_ROWS = 10_000


@dataclass(frozen=True)
class Inferred:
    """A dataset, as keys in the order in which people write them, and what they leave unsaid."""

    name: str
    keys: dict[str, Any]
    notes: tuple[str, ...] = ()
    dataset: Dataset = field(kw_only=True)

    def yaml(self) -> str:
        """Return the dataset as it is pasted below ``datasets:``."""
        return render(self.name, self.keys, self.notes)

    def json(self) -> str:
        """Return name, keys and notes as JSON."""
        content = {"name": self.name, "dataset": self.keys, "notes": self.notes}
        return json.dumps(content, indent=2, ensure_ascii=False, default=str)


def infer_dataset(
    path: Path, options: InferenceOptions | None = None, *, name: str = "", sample: str = ""
) -> Inferred:
    """Return the dataset of a file or folder; ``sample`` is what the project calls it.

    No value that fewer than ``options.rarest`` rows have is in it, nor any row. Raises UsageError.
    """
    options = options or InferenceOptions()
    source = read_source(path, options.format, options.rows, options.seed)
    columns = {str(column): _recognise(source, str(column)) for column in source.frame.columns}
    if not columns:
        raise UsageError(f"{path}: it has no columns")
    declared: dict[str, Declaration] = {}
    notes = _notes_on(source, path)
    for column, cells in columns.items():
        declared[column], note = declare(column, cells, options.rarest)
        notes += [f"{column}: {note}"] if note else []
    keys = _keys_of_file(source, sample)
    notes += _add_relations(keys, columns, declared, source, options)
    name = name or default_name(path)
    return Inferred(name, keys, tuple(notes), dataset=Dataset.model_validate(_as_read(keys)))


def _as_read(value: Any) -> Any:
    """Return the keys with times as texts, as a project file has them."""
    if isinstance(value, dict):
        return {key: _as_read(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_as_read(member) for member in value]
    return value.isoformat() if isinstance(value, dt.date) else value


def default_name(path: Path) -> str:
    """Return a name for the dataset of a file: ``2024 Orders.csv.gz`` is ``_2024_orders``."""
    stem = path.name.partition(".")[0] or path.name
    words = re.sub(r"[^A-Za-z0-9_-]+", "_", stem).strip("_").lower() or "dataset"
    return (f"_{words}" if words[0] in "-0123456789" else words)[:100]


def _recognise(source: Source, column: str) -> Recognised:
    series = source.frame[column]
    if source.sniffed is not None:
        return recognise_texts(series, source.sniffed.null, source.sniffed.decimal)
    is_date = None if source.dates is None else column in source.dates
    textual = source.format is not FileFormat.PARQUET
    return recognise_cells(series, is_date=is_date, textual_times=textual)


def _notes_on(source: Source, path: Path) -> list[str]:
    files = f"{path.name}, {len(source.files)} files" if len(source.files) > 1 else path.name
    if not source.is_sampled:
        return [f"inferred from {files}: {source.total:,} rows"]
    return [
        f"inferred from {len(source.frame):,} of {source.total:,} rows of {files}:",
        "bounds, nulls and categories are those of the drawn rows",
    ]


def _keys_of_file(source: Source, sample: str) -> dict[str, Any]:
    keys: dict[str, Any] = {"format": source.format.value}
    keys["rows"] = min(max(source.total, 1), _MOST_SYNTHETIC_ROWS)
    if sample:
        keys["sample"] = sample
    if len(source.files) > 1:
        keys["shards"] = len(source.files)
    if source.sniffed is not None:
        if not source.sniffed.header:
            keys["header"] = False
        if source.sniffed.dialect:
            keys["dialect"] = dict(source.sniffed.dialect)
    if source.compression is not None:
        keys["compression"] = source.compression.value
    return keys


def _add_relations(
    keys: dict[str, Any],
    columns: Mapping[str, Recognised],
    declared: dict[str, Declaration],
    source: Source,
    options: InferenceOptions,
) -> list[str]:
    """Add key, label, columns and correlations to the dataset's keys; return notes."""
    notes: list[str] = []
    found = find_keys(columns, declared)
    if found and source.is_sampled:
        notes.append(f"unique among the drawn rows, perhaps a key: {', '.join(found)}")
    elif found:
        keys["key"] = found[0]
        for name in found:
            loosen_key(declared[name], source.total)
        for name in found[1:]:
            declared[name]["unique"] = True
    label = find_label(declared)
    if label:
        declared[label]["label"] = True
    keys["columns"] = declared
    if options.correlations:
        nested = {name for name, cells in columns.items() if _is_unordered(cells)}
        correlations = find_correlations(columns, {*found, *nested})
        if correlations:
            keys["correlations"] = correlations
    return notes


def _is_unordered(cells: Recognised) -> bool:
    return cells.type in (ColumnType.LIST, ColumnType.JSON)
