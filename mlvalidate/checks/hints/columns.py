"""Columns that a script asked for and that no input has."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlvalidate.checks.evidence import Evidence
from mlvalidate.checks.hints.advice import Advice
from mlvalidate.checks.traceback import PythonError
from mlvalidate.core.python_source import evaluate_literal
from mlvalidate.core.suggest import did_you_mean, nearest

# What pandas, pyarrow and scikit-learn say about columns that they did not find.
_COLUMN_MESSAGES = (
    r"None of (?:\[Index\()?\[(?P<names>['\"].*?)\]",
    r"^(?:Index\()?\[(?P<names>['\"].*?)\]",
    r"^Label\(s\) \[(?P<names>.*?)\] do not exist",
    r"not present in the DataFrame: \[(?P<names>.*?)\]",
    r"expected but not found: \[(?P<names>.*?)\]",
    r"^Columns? not found: (?P<names>.*)",
    r"in a dtype mappings argument\. (?P<names>.*?) not found in columns",
    r"Missing column provided to 'parse_dates': '(?P<names>.*)'",
    r"^Index (?P<names>\w+) invalid$",
    r"^No match for FieldRef\.Name\((?P<names>.*?)\)",
    r"'(?:DataFrame|Series|Pandas)' object has no attribute (?P<names>'[^']+')",
    r"Feature names seen at fit time, yet now missing:\s*(?P<lines>(?:- .*\n?)+)",
    r"columns (?:are missing|of the dataframe): \{(?P<names>.*?)\}",
)


# Libraries that speak of columns when they raise a bare KeyError.
_TABLE_LIBRARIES = re.compile(r"/site-packages/(?:pandas|polars|pyarrow|sklearn|dask)/")


def missing_column(error: PythonError, evidence: Evidence) -> Advice | None:
    """Say which input lacks the column, with the nearest name that is there.

    The step that should have written it is blamed. pandas, pyarrow and scikit-learn say it in many
    ways.
    """
    tables = list(_input_columns(evidence))
    absent = [
        name
        for name in _missing_names(error)
        if tables and not any(name in columns for _, _, columns in tables)
    ]
    if not absent:
        return None
    name = absent[0]
    # The table that should have it, or comes nearest, is the one that the script meant.
    port, file, columns = max(
        tables,
        key=lambda table: (_declares(evidence, table[0], name), bool(nearest(name, table[2]))),
    )
    expected = _declares(evidence, port, name)
    if not expected and not nearest(name, columns):
        if not _speaks_of_columns(error):
            return None
        if len(tables) > 1:
            return Advice(f"no input has a column {name!r}", column=name)
    producer = evidence.producer_of(port)
    suggestion = did_you_mean(name, columns)
    source = f"{file}, which {producer} wrote," if producer else file
    # Where a contract says what the table holds, a column that it does not name is not owed.
    owed = expected or (nearest(name, columns) and not _is_declared(evidence, port))
    return Advice(
        f"{source} has no column {name!r}" + (f": {suggestion}" if suggestion else ""),
        port=port,
        column=name,
        blame=producer if owed else None,
    )


def _missing_names(error: PythonError) -> list[str]:
    """Return the columns that pandas, pyarrow or scikit-learn says it did not find."""
    if error.type == "UndefinedVariableError":
        return re.findall(r"^name '(.+)' is not defined", error.message)
    if error.type not in ("KeyError", "ValueError", "AttributeError", "ArrowInvalid"):
        return []
    message = error.message
    if error.type == "KeyError":
        message = str(_literal(message))
    for pattern in _COLUMN_MESSAGES:
        found = re.search(pattern, message)
        if found is None:
            continue
        groups = found.groupdict()
        if groups.get("lines"):
            return [line[2:].strip() for line in groups["lines"].splitlines()]
        quoted = re.findall(r"['\"]([^'\"]+)['\"]", groups["names"])
        return quoted or [name.strip() for name in groups["names"].split(",")]
    return [message] if error.type == "KeyError" else []


def _literal(text: str) -> object:
    """Return the value that Python wrote as ``text``, or the text where it is no literal."""
    try:
        return evaluate_literal(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return text


def _speaks_of_columns(error: PythonError) -> bool:
    """Tell a library's complaint about a table from a dict or attribute of the script's own."""
    return (
        error.type != "AttributeError"
        and bool(error.frames)
        and _TABLE_LIBRARIES.search(error.frames[-1].file) is not None
    )


def _input_columns(evidence: Evidence) -> Iterator[tuple[str, str, list[str]]]:
    """Yield (port, file, columns) of every table that the step was given."""
    for port in evidence.inputs:
        for file in port.files:
            if file.columns is not None:
                yield port.port, file.name, list(file.columns)


def _declares(evidence: Evidence, port: str, column: str) -> bool:
    """Tell whether the dataset that the input declares has the column."""
    for item in evidence.inputs:
        if item.port == port:
            return any(column in file.declared_columns for file in item.files)
    return False


def _is_declared(evidence: Evidence, port: str) -> bool:
    """Tell whether a dataset says which columns the input has."""
    return any(
        file.declared_columns
        for item in evidence.inputs
        if item.port == port
        for file in item.files
    )


def different_keys(error: PythonError, _evidence: Evidence) -> Advice | None:
    """Say of which types the two sides of a merge are."""
    found = re.search(
        r"trying to merge on ([\w\[\], ]+) and ([\w\[\], ]+) columns for key '(.+?)'",
        error.message,
    )
    if error.type != "ValueError" or found is None:
        return None
    return Advice(
        f"{found[3]!r} is {found[1]} on one side and {found[2]} on the other: give both one type "
        "with astype, or with dtype= when reading",
        column=found[3],
    )
