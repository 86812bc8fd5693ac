"""Reads the metrics that a step declares out of the JSON files that it wrote."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping

from mlvalidate.checks.evidence import FileContent, PortContent

_MOST_BYTES = 50 * 10**6


def read_metrics(
    declared: Mapping[str, str], outputs: tuple[PortContent, ...]
) -> tuple[dict[str, float], dict[str, str]]:
    """Return the values by metric, and for the metrics without one the reason."""
    values: dict[str, float] = {}
    reasons: dict[str, str] = {}
    ports = {output.port: output for output in outputs}
    for metric, source in declared.items():
        path, _, pointer = source.partition("#")
        port, _, name = path.partition("/")
        try:
            values[metric] = _read(ports[port], name, pointer)
        except ValueError as error:
            reasons[metric] = str(error)
    return values, reasons


def _read(port: PortContent, name: str, pointer: str) -> float:
    file = next((file for file in port.files if file.name == name), None)
    if file is None or file.problem:
        raise ValueError(f"output {port.port} has no file {name}")
    value = _walk(_load(file), pointer)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{pointer} in {name} is {json.dumps(value)[:80]}, not a number")
    try:
        number = float(value)
    except OverflowError:
        raise ValueError(f"{pointer} in {name} is too large for a number") from None
    if not math.isfinite(number):
        raise ValueError(f"{pointer} in {name} is {number}")
    return number


def _load(file: FileContent) -> object:
    if file.size > _MOST_BYTES:
        raise ValueError(f"{file.name} is too large to look for metrics")
    try:
        return json.loads(file.path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{file.name} is no JSON: {error}") from None


def _walk(value: object, pointer: str) -> object:
    """Follow ``a.b[0].c`` into a JSON value; ValueError that names what is there instead."""
    for name, index in re.findall(r"([^.\[\]]+)|\[(\d+)\]", pointer):
        if index:
            if not isinstance(value, list) or int(index) >= len(value):
                raise ValueError(f"there is no element [{index}] on the way to {pointer}")
            value = value[int(index)]
        elif isinstance(value, dict) and name in value:
            value = value[name]
        else:
            keys = ", ".join(list(value)[:8]) if isinstance(value, dict) else type(value).__name__
            raise ValueError(f"there is no {name!r} on the way to {pointer}; there is {keys}")
    return value
