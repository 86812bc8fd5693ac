"""Writes a declared dataset as YAML that reads well in a project file."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

WIDTH = 110
# Plain scalars that no reader of YAML 1.1 or 1.2 takes for anything but text.
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*(?: [A-Za-z0-9_./()-]+)*")
# A text in quotes, or a comma between values.
_QUOTED_OR_COMMA = re.compile(r'"(?:[^"\\]|\\.)*"|, ')
_WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n", "nan", "inf"})
# What YAML refuses, breaks lines at, or what would reorder the line on a terminal.
_UNPRINTABLE = re.compile(
    "[^\x20-\x7e\xa0-\u200a\u2010-\u2027\u202f-\u2065\u206a-\ud7ff"
    "\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)


def render(name: str, dataset: Mapping[str, Any], notes: Sequence[str]) -> str:
    """Return the dataset as it stands below ``datasets:``, with the notes as comments on top."""
    lines = [f"  # {_UNPRINTABLE.sub(_escape, note)}" for note in notes]
    lines.append(f"  {scalar(name)}:")
    for key, value in dataset.items():
        if key == "columns":
            lines += ["    columns:", *_columns(value)]
        elif key == "correlations":
            lines.append("    correlations:")
            for column, others in value.items():
                lines += _wrapped(f"      {scalar(column)}: {flow(others)}")
        elif key == "dialect":
            lines.append(f"    {key}: {declaration(value)}")
        else:
            lines.append(f"    {key}: {flow(value)}")
    return "\n".join(lines) + "\n"


def _columns(columns: Mapping[str, Mapping[str, Any]]) -> list[str]:
    names = {name: scalar(name) + ":" for name in columns}
    width = min(max(map(len, names.values())), 30)
    lines: list[str] = []
    for name, keys in columns.items():
        line = f"      {names[name]:<{width}} {declaration(keys)}"
        if len(line) <= WIDTH:
            lines.append(line)
            continue
        lines.append(f"      {names[name]}")
        for key, value in keys.items():
            lines += _wrapped(f"        {key}: {_value(key, value)}")
    return lines


def _wrapped(line: str) -> list[str]:
    """Break a long line behind commas, where YAML may be broken inside brackets."""
    lines: list[str] = []
    while len(line) > WIDTH:
        commas = (found for found in _QUOTED_OR_COMMA.finditer(line) if found.group() == ", ")
        cuts = [found.end() for found in commas if found.end() <= WIDTH]
        if not cuts:
            break
        lines.append(line[: cuts[-1]].rstrip())
        line = " " * 10 + line[cuts[-1] :]
    return [*lines, line]


def declaration(keys: Mapping[str, Any]) -> str:
    """Return keys of ours on one line; `null` is one that needs no quotes in a project file."""
    return "{" + ", ".join(f"{key}: {_value(key, value)}" for key, value in keys.items()) + "}"


def _value(key: str, value: Any) -> str:
    if key == "items":
        return declaration(value)
    if key == "fields":
        fields = (f"{scalar(name)}: {declaration(keys)}" for name, keys in value.items())
        return "{" + ", ".join(fields) + "}"
    return flow(value)


def flow(value: Any) -> str:
    """Return a value on one line; the keys of mappings are names and values of users."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{scalar(k)}: {flow(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(flow, value)) + "]"
    return scalar(value)


def scalar(value: Any) -> str:
    """Return a number, boolean, time or text; texts in quotes where they could mean another."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, dt.datetime):
        return f'"{value.isoformat(sep=" ")}"'
    if isinstance(value, dt.date):
        return value.isoformat()
    text = str(value)
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    return _UNPRINTABLE.sub(_escape, json.dumps(text, ensure_ascii=False))


def _number(value: float) -> str:
    if isinstance(value, int):
        return str(value)
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)


def _escape(match: re.Match[str]) -> str:
    code = ord(match.group())
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
