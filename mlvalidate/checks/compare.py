"""In what the outputs of two runs of one step differ."""

from __future__ import annotations

import datetime as dt
import gzip
import io
import json
import math
import re
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import TYPE_CHECKING, Any

from mlvalidate.checks.base import join_names
from mlvalidate.checks.evidence import FileContent, PortContent

if TYPE_CHECKING:
    import pandas as pd

# Compared as a whole in memory; larger files by size alone.
MOST_BYTES = 256 * 10**6
# Clock times that a script writes are no difference. A date may be data: it has to have moved with
# the clock.
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
# How far the clocks of two runs may be from the shift between them: steps take time.
_SLACK_SECONDS = 86_400.0
_JSON_ENDINGS = (".json", ".jsonl", ".ndjson")
# Seconds or milliseconds since 1970 that lie in the years 2020 to 2100.
_EPOCHS = ((1.58e9, 4.1e9), (1.58e12, 4.1e12))


@dataclass(frozen=True)
class Tolerance:
    """What is no difference. ``ignore`` are globs of port/file, ``relative`` is for numbers.

    ``clock_shift`` is by how many seconds the clock of the second run was ahead.
    """

    ignore: tuple[str, ...] = ()
    row_order: bool = True
    relative: float = 0.0
    clock_shift: float = 0.0


@dataclass(frozen=True)
class Difference:
    """One file, or one port, that differs; ``text`` says in what."""

    port: str
    file: str | None
    text: str


def differences(
    first: tuple[PortContent, ...], second: tuple[PortContent, ...], tolerance: Tolerance
) -> Iterator[Difference]:
    """Yield what the outputs ``second`` have other than ``first``, at most one per file."""
    others = {port.port: port for port in second}
    for port in first:
        left, right = (
            {file.name: file for file in each.files if not _ignored(port.port, file, tolerance)}
            for each in (port, others[port.port])
        )
        only = [name for name in (*left, *right) if name not in left or name not in right]
        if only:
            yield Difference(port.port, only[0], f"only one of them wrote {join_names(only, 3)}")
        for name in left.keys() & right.keys():
            text = _file_difference(left[name], right[name], tolerance)
            if text:
                yield Difference(port.port, name, text)


def _ignored(port: str, file: FileContent, tolerance: Tolerance) -> bool:
    return bool(file.problem) or any(
        fnmatch(f"{port}/{file.name}", glob) for glob in tolerance.ignore
    )


def _file_difference(first: FileContent, second: FileContent, tolerance: Tolerance) -> str:
    if first.frame is not None and second.frame is not None:
        return _table_difference(first.frame, second.frame, tolerance)
    if max(first.size, second.size) > MOST_BYTES:
        return "" if first.size == second.size else "the size differs"
    return _content_difference(
        first.name, first.path.read_bytes(), second.path.read_bytes(), tolerance
    )


def _content_difference(name: str, first: bytes, second: bytes, tolerance: Tolerance) -> str:
    """Compare the content of files, or of members of archives, by what it is."""
    if first == second:
        return ""
    if name.endswith(_JSON_ENDINGS):
        return _text_difference(first, second, tolerance)
    left, right = _members(first), _members(second)
    if left is None or right is None:
        return "the content differs"
    only = sorted(left.keys() ^ right.keys())
    if only:
        return f"only one of them holds {join_names(only, 3)}"
    for member, content in left.items():
        text = _content_difference(member, content, right[member], tolerance)
        if text:
            break
    else:
        return ""
    return f"{member} in it: {text}" if member else text


def _text_difference(first: bytes, second: bytes, tolerance: Tolerance) -> str:
    try:
        return _json_difference(json.loads(first), json.loads(second), tolerance, "$")
    except (ValueError, RecursionError):
        return "the content differs"


def _members(content: bytes) -> dict[str, bytes] | None:
    """Return what an archive or compressed file holds, without its time stamps; else None."""
    stream = io.BytesIO(content)
    try:
        if zipfile.is_zipfile(stream):
            with zipfile.ZipFile(stream) as archive:
                return {
                    info.filename: archive.read(info)
                    for info in archive.infolist()
                    if info.file_size <= MOST_BYTES
                }
        stream.seek(0)
        if tarfile.is_tarfile(stream):
            stream.seek(0)
            return _tar_members(stream)
        if content[:2] == b"\x1f\x8b":
            with gzip.GzipFile(fileobj=io.BytesIO(content)) as packed:
                return {"": packed.read(MOST_BYTES)}
    except (OSError, EOFError, ValueError, tarfile.TarError, zipfile.BadZipFile, RuntimeError):
        return None
    return None


def _tar_members(stream: Any) -> dict[str, bytes]:
    with tarfile.open(fileobj=stream, mode="r:*") as tar:
        found = {}
        for entry in tar:
            if entry.isfile() and entry.size <= MOST_BYTES:
                member = tar.extractfile(entry)
                found[entry.name] = member.read() if member else b""
        return found


def _json_difference(first: Any, second: Any, tolerance: Tolerance, path: str) -> str:
    """Return the first place at which two JSON values differ, or ''."""
    if isinstance(first, dict) and isinstance(second, dict):
        only = sorted(first.keys() ^ second.keys())
        if only:
            return f"{path}: only one has {join_names(only, 3)}"
        pairs = [(f"{path}.{key}", first[key], second[key]) for key in first]
    elif isinstance(first, list) and isinstance(second, list):
        if len(first) != len(second):
            return f"{path} has {len(first)} and {len(second)} elements"
        pairs = [(f"{path}[{i}]", *both) for i, both in enumerate(zip(first, second, strict=True))]
    else:
        same = first == second or _is_close(first, second, tolerance)
        same = same or (_is_clock(first) and _is_clock(second))
        same = same or _moved_with_clock(first, second, tolerance.clock_shift)
        return "" if same else f"{path} is {_short(first)} and {_short(second)}"
    found = (_json_difference(left, right, tolerance, place) for place, left, right in pairs)
    return next(filter(None, found), "")


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:59] + "…"


def _is_close(first: Any, second: Any, tolerance: Tolerance) -> bool:
    numbers = all(isinstance(x, int | float) and not isinstance(x, bool) for x in (first, second))
    if not numbers:
        return False
    if math.isnan(first) and math.isnan(second):
        return True
    return bool(abs(first - second) <= tolerance.relative * max(abs(first), abs(second)))


def _is_clock(value: Any) -> bool:
    if isinstance(value, str):
        return _TIME.fullmatch(value) is not None
    # Whole seconds could be a count of anything: only a fraction gives a clock away.
    return isinstance(value, float) and any(low < value < high for low, high in _EPOCHS)


def _moved_with_clock(first: Any, second: Any, shift: float) -> bool:
    """Tell whether two dates, or two whole numbers of seconds, differ as the clocks did."""
    if not shift:
        return False
    if isinstance(first, str) and isinstance(second, str):
        if not (_DATE.fullmatch(first) and _DATE.fullmatch(second)):
            return False
        try:
            days = dt.date.fromisoformat(second) - dt.date.fromisoformat(first)
        except ValueError:
            return False
        return abs(days.total_seconds() - shift) <= _SLACK_SECONDS
    if not all(isinstance(value, int) for value in (first, second)):
        return False
    low, high = _EPOCHS[0]
    return bool(low < first < high and abs(second - first - shift) <= _SLACK_SECONDS)


def _table_difference(first: pd.DataFrame, second: pd.DataFrame, tolerance: Tolerance) -> str:
    if list(first.columns) != list(second.columns):
        return f"the columns are {join_names(map(str, second.columns), 8)}"
    if len(first) != len(second):
        return f"it has {len(second)} rows, and {len(first)} the first time"
    if not tolerance.row_order:
        first, second = _sorted(first), _sorted(second)
    for number, name in enumerate(first.columns):
        rows = _unequal(first.iloc[:, number], second.iloc[:, number], tolerance.relative)
        if len(rows):
            row = int(rows[0])
            left, right = first.iloc[row, number], second.iloc[row, number]
            return f"column {name!r} differs in {len(rows)} rows; row {row + 1}: {left} and {right}"
    return ""


def _sorted(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows in an order that depends on their content alone."""
    # Rounded: what differs in the last digit must not come to lie elsewhere.
    keys = frame.set_axis(range(frame.shape[1]), axis="columns")
    keys = keys.apply(
        lambda column: column.round(6) if column.dtype.kind == "f" else column.astype("string")
    )
    order = keys.sort_values(list(keys.columns), kind="stable").index if len(keys.columns) else []
    return frame.reset_index(drop=True).loc[order].reset_index(drop=True)


def _unequal(first: pd.Series, second: pd.Series, relative: float) -> Any:
    import numpy as np
    import pandas as pd

    if all(pd.api.types.is_numeric_dtype(each.dtype) for each in (first, second)):
        left, right = (each.to_numpy(dtype="float64", na_value=np.nan) for each in (first, second))
        same = np.isclose(left, right, rtol=relative, atol=0.0, equal_nan=True)
    else:
        left, right = first.astype("string"), second.astype("string")
        both_null = left.isna() & right.isna()
        same = (both_null | (left == right).fillna(False)).to_numpy(dtype=bool)
    return np.flatnonzero(~same)
