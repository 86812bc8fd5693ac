"""What MLflow can store, one function per limit. Pure.

MLflow cuts some texts silently, refuses a whole batch for one bad key and lets others fail only on
some databases. Everything that is written passes through here first. What gets shortened says so,
and is complete in the artifact `result.json`.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import TypeVar

V = TypeVar("V")

KEY_LENGTH = 250
PARAM_LENGTH = 6000
TAG_LENGTH = 8000
NAME_LENGTH = 250
DATASET_NAME_LENGTH = 500
DIGEST_LENGTH = 36
SCHEMA_LENGTH = 1_048_575
# A batch takes 100 params, 100 tags, 1000 of everything and 10^6 bytes of JSON: a third per kind.
MOST_PARAMS = 100
MOST_TAGS = 100
MOST_METRICS = 800
MOST_DATASETS = 1000
CHUNK_BYTES = 300_000

_BAD_IN_KEY = re.compile(r"[^\w\-. :/]")
# HTTP artifact stores take # and ? for the end of the path and % for an escape.
_BAD_IN_PATH = re.compile(r"[^\w\-. +=@()\[\],]")
_DOTS = re.compile(r"\.+")
# A key is taken for a path that leads upwards, even in "..x".
_LEADING_DOTS = re.compile(r"^\.\.")


@dataclass(frozen=True)
class Metric:
    """One value of a metric. Time in milliseconds since the epoch."""

    key: str
    value: float
    timestamp: int
    step: int = 0


@dataclass(frozen=True)
class Batch:
    """What goes into one `log_batch` call."""

    metrics: tuple[Metric, ...] = ()
    params: tuple[tuple[str, str], ...] = ()
    tags: tuple[tuple[str, str], ...] = ()


def clean_text(text: str) -> str:
    """Return the text as UTF-8 can hold it, without NUL, which Postgres refuses."""
    return text.replace("\0", "␀").encode("utf-8", "replace").decode("utf-8")


def cut_text(text: str, limit: int) -> str:
    """Return at most `limit` characters of a clean text; a cut says how long the text was."""
    text = clean_text(text)
    if len(text) <= limit:
        return text
    marker = f"… [cut: {len(text)} characters]"
    return text[: limit - len(marker)] + marker


def param_value(value: str) -> str:
    """Return what MLflow keeps whole as the value of a param."""
    return cut_text(value, PARAM_LENGTH)


def tag_value(value: str) -> str:
    """Return what MLflow keeps whole as the value of a tag."""
    return cut_text(value, TAG_LENGTH)


def run_name(name: str) -> str:
    """Return a run name of bounded length, never empty: MLflow would invent one."""
    return cut_text(" ".join(name.split()), NAME_LENGTH) or "run"


def metric_value(value: float) -> float:
    """Return a finite number, or NaN: MLflow has no infinity and keeps the greatest float."""
    if math.isinf(value):
        return math.copysign(sys.float_info.max, value)
    return float(value)


def clean_key(name: str) -> str:
    """Return a valid key of a param, a metric or a tag that looks like `name`."""
    parts = [_as_part(part) for part in _BAD_IN_KEY.sub("_", clean_text(name)).split("/") if part]
    key = _LEADING_DOTS.sub("__", "/".join(parts)) or "_"
    return key if len(key) <= KEY_LENGTH else _with_suffix(key, KEY_LENGTH, name)


def clean_keys(values: Mapping[str, V]) -> dict[str, V]:
    """Return the mapping with valid keys; two names never become one key."""
    return _unique(values, clean_key, KEY_LENGTH)


def artifact_paths(files: Mapping[str, V]) -> dict[str, V]:
    """Return the mapping with paths that every artifact store keeps; two never become one."""
    return _unique(files, artifact_path, KEY_LENGTH * 2)


def artifact_path(path: str) -> str:
    """Return a relative path of safe components that looks like `path`."""
    parts = [_as_part(_BAD_IN_PATH.sub("_", part)) for part in clean_text(path).split("/") if part]
    # A component of a path on disk may hold 255 bytes, and a letter may take four of them.
    return "/".join(_shorten_bytes(part, 200, path) for part in parts) or "_"


def _as_part(part: str) -> str:
    """Return a component that is no way up and survives a path's normalisation."""
    return "_" * len(part) if _DOTS.fullmatch(part) else part


def _unique(values: Mapping[str, V], clean: Callable[[str], str], limit: int) -> dict[str, V]:
    # Names that are right as they are come first: they keep their key whatever the others are.
    ordered = sorted(values, key=lambda name: clean(name) != name)
    keys: dict[str, str] = {}
    taken: set[str] = set()
    for name in ordered:
        key = clean(name)
        if key in taken:
            key = _with_suffix(key, limit, name)
        taken.add(key)
        keys[name] = key
    return {keys[name]: value for name, value in values.items()}


def _shorten_bytes(part: str, limit: int, name: str) -> str:
    encoded = part.encode()
    if len(encoded) <= limit:
        return part
    return f"{encoded[: limit - 9].decode(errors='ignore')}-{_digest(name)}"


def _with_suffix(key: str, limit: int, name: str) -> str:
    return f"{key[: limit - 9].rstrip('/')}-{_digest(name)}"


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]


def dataset_name(name: str) -> str:
    """Return a dataset's name of bounded length."""
    return cut_text(name, DATASET_NAME_LENGTH) or "data"


def dataset_digest(digest: str) -> str:
    """Return as much of the digest as MLflow keeps."""
    return clean_text(digest)[:DIGEST_LENGTH]


def dataset_schema(columns: Sequence[tuple[str, str]]) -> str:
    """Return MLflow's JSON of columns and their types, with as many columns as it can hold."""
    for kept in _halvings(len(columns)):
        specs = [
            {"type": kind, "name": clean_text(name), "required": True}
            for name, kind in columns[:kept]
        ]
        schema = json.dumps({"mlflow_colspec": specs})
        if len(schema) <= SCHEMA_LENGTH:
            return schema
    return json.dumps({"mlflow_colspec": []})


def _halvings(count: int) -> Iterator[int]:
    while count:
        yield count
        count //= 2


def json_list(items: Sequence[V], limit: int = TAG_LENGTH) -> str:
    """Return a JSON list of the first items, as many as fit: JSON that is cut is no JSON."""
    kept: list[V] = []
    length = len("[]")
    for item in items:
        length += len(json.dumps(item)) + len(", ")
        if length > limit:
            break
        kept.append(item)
    return json.dumps(kept)


def split_batches(
    metrics: Iterable[Metric], params: Mapping[str, str], tags: Mapping[str, str]
) -> list[Batch]:
    """Return all of it, in as few batches as MLflow's limits on count and size allow."""
    chunks = zip_longest(
        _chunks(metrics, MOST_METRICS, lambda metric: len(json.dumps(metric.key)) + 120),
        _chunks(params.items(), MOST_PARAMS, lambda item: len(json.dumps(item)) + 30),
        _chunks(tags.items(), MOST_TAGS, lambda item: len(json.dumps(item)) + 30),
        fillvalue=(),
    )
    return [Batch(*chunk) for chunk in chunks]


def _chunks(items: Iterable[V], most: int, size_of: Callable[[V], int]) -> Iterator[tuple[V, ...]]:
    chunk: list[V] = []
    size = 0
    for item in items:
        added = size_of(item)
        if chunk and (len(chunk) == most or size + added > CHUNK_BYTES):
            yield tuple(chunk)
            chunk, size = [], 0
        chunk.append(item)
        size += added
    if chunk:
        yield tuple(chunk)
