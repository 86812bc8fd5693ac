"""On what a case can act: whether a dataset has it, and which of its columns are meant."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping

from mlvalidate.core.columns import Column, ColumnType
from mlvalidate.core.datasets import Dataset, FileFormat
from mlvalidate.core.errors import UsageError
from mlvalidate.core.scenarios import Case, Scenario

_DELIMITED = (FileFormat.CSV, FileFormat.TSV)


def free_columns(dataset: Dataset) -> dict[str, Column]:
    """Return the columns whose values depend on nothing: no keys, references, derived ones."""
    return {
        name: column
        for name, column in dataset.columns.items()
        if not (column.derived or column.foreign_key or column.unique)
        and name not in dataset.key_columns
    }


def loose_columns(dataset: Dataset) -> dict[str, Column]:
    """Return the free columns whose values may stand in any order."""
    free = free_columns(dataset)
    return {name: column for name, column in free.items() if not column.monotone}


def is_free_text(column: Column) -> bool:
    """Tell whether a column may hold any text, of the declared length at most."""
    from mlvalidate.data.texts import FORMS

    bound = column.pattern or column.values or column.like in FORMS
    return column.type.is_textual and not bound


def obstacle(dataset: Dataset, case: Case) -> str:
    """Return why a case has nothing to act on in a dataset; '' when it has."""
    if case.is_of_a_column:
        found = eligible_columns(dataset, case)
        if case.variant and case.variant not in dataset.columns:
            return f"there is no column {case.variant}"
        if case.variant and case.variant not in found:
            return f"column {case.variant} is none that it could act on"
        return "" if found else _NO_COLUMN[case.scenario]
    judge = _OBSTACLES.get(case.name)
    return judge(dataset) if judge else ""


def eligible_columns(dataset: Dataset, case: Case) -> tuple[str, ...]:
    """Return the columns on which a case of a column can act."""
    judge = _ELIGIBLE[case.scenario]
    if case.scenario is Scenario.MISSING_COLUMN and len(dataset.columns) == 1:
        return ()
    return tuple(name for name, column in dataset.columns.items() if judge(column))


def choose_column(
    dataset: Dataset, case: Case, seed: int, name: str, used: Collection[str] = ()
) -> str:
    """Return the column of a case that names none; the case is applicable.

    A missing column is the label where there is one. Otherwise columns that are ``used`` go before
    others, and ordinary ones before keys and derived ones; the seed chooses among equals.
    """

    def rank(column: str) -> tuple[bool, bool, bool, str]:
        declared = dataset.columns[column]
        is_label = declared.label and case.scenario is Scenario.MISSING_COLUMN
        odd = bool(column in dataset.key_columns or declared.derived or declared.optional)
        lot = hashlib.sha256(f"{seed}\x1f{name}\x1f{case.scenario}\x1f{column}".encode())
        return not is_label, column not in used, odd, lot.hexdigest()

    return min(eligible_columns(dataset, case), key=rank)


def settle_case(dataset: Dataset, name: str, text: str, seed: int) -> Case:
    """Return the one case that a text names, with its column; UsageError when there is none."""
    try:
        cases = tuple(Case.parse(text).expand())
    except ValueError as problem:
        raise UsageError(f"--scenario: {problem}") from None
    if cases[0].scenario is Scenario.KEPT:
        raise UsageError("--scenario: a kept input is a file already", "it is in .mlvalidate/cases")
    if len(cases) > 1:
        names = ", ".join(case.name for case in cases)
        raise UsageError(f"--scenario {text} has several cases", f"name one of them: {names}")
    problem_found = obstacle(dataset, cases[0])
    if problem_found:
        raise UsageError(f"--scenario {text} has nothing to act on in {name}: {problem_found}")
    if not cases[0].is_of_a_column or cases[0].variant:
        return cases[0]
    column = choose_column(dataset, cases[0], seed, name)
    return cases[0].model_copy(update={"variant": column})


def has_bound(column: Column) -> bool:
    """Tell whether numbers or times have an end beyond which values are out of range."""
    ordered = column.type.is_number or column.type.is_temporal
    return ordered and column.values is None and (column.min is not None or column.max is not None)


def has_categories(column: Column) -> bool:
    """Tell whether there can be a value that is not among the declared ones."""
    return any(not isinstance(value, bool) for value in column.weights)


_ELIGIBLE: Mapping[Scenario, Callable[[Column], bool]] = {
    Scenario.MISSING_COLUMN: lambda column: not column.optional,
    Scenario.TYPE_MISMATCH: lambda column: (
        column.type.is_number or column.type.is_temporal or column.type is ColumnType.BOOLEAN
    ),
    Scenario.UNSEEN_CATEGORY: has_categories,
    Scenario.OUT_OF_RANGE: has_bound,
}
_NO_COLUMN = {
    Scenario.MISSING_COLUMN: "there is no column that has to be there beside others",
    Scenario.TYPE_MISMATCH: "there is no column of numbers, booleans or times",
    Scenario.UNSEEN_CATEGORY: "no column declares `values`",
    Scenario.OUT_OF_RANGE: "no column declares `min` or `max`",
}


def _any(
    choose: Callable[[Dataset], Mapping[str, Column]],
    judge: Callable[[Column], bool],
    otherwise: str,
) -> Callable[[Dataset], str]:
    """Return a judge that wants at least one column."""
    return lambda dataset: "" if any(map(judge, choose(dataset).values())) else otherwise


def _all_columns(dataset: Dataset) -> Mapping[str, Column]:
    return dataset.columns


def _delimited(dataset: Dataset) -> str:
    if dataset.format not in _DELIMITED:
        return f"{dataset.format.value} files have no delimiter"
    return "" if len(dataset.columns) > 1 else "one column needs no delimiter"


def _truncated(dataset: Dataset) -> str:
    one = dataset.format in _DELIMITED and len(dataset.columns) == 1
    return "half a line with one column looks like a whole one" if one else ""


def _ragged(dataset: Dataset) -> str:
    if dataset.format not in _DELIMITED:
        return f"{dataset.format.value} files have no lines of fields"
    return ""


def _encoding(dataset: Dataset) -> str:
    from mlvalidate.data.scenarios.corruption import STRAY_BYTE

    if dataset.format is FileFormat.PARQUET:
        return "parquet files have no encoding of their own"
    if dataset.format in _DELIMITED:
        try:
            f"a{chr(0)}b".encode(dataset.dialect.encoding)
            (b"a" + STRAY_BYTE + b"b").decode(dataset.dialect.encoding)
        except UnicodeError:
            return ""
        return f"every byte is a character in {dataset.dialect.encoding}"
    return ""


def _header(dataset: Dataset) -> str:
    named = dataset.header or dataset.format not in _DELIMITED
    return "" if named else "files without a header tell columns by their place"


def _reordered(dataset: Dataset) -> str:
    return "there is one column" if len(dataset.columns) == 1 else _header(dataset)


def _unique(dataset: Dataset) -> str:
    unique = dataset.key or any(column.unique for column in dataset.columns.values())
    return "" if unique else "there is no key, and no unique column"


def _has_zero(column: Column) -> bool:
    from mlvalidate.data.scenarios.bounds import zero_of

    return zero_of(column) is not None


def _has_end(highest: bool) -> Callable[[Column], bool]:
    def judge(column: Column) -> bool:
        from mlvalidate.data.scenarios.bounds import end_of

        return end_of(column, highest=highest) is not None

    return judge


def _is_nullable(column: Column) -> bool:
    return column.null > 0 and not column.derived


_OBSTACLES: Mapping[str, Callable[[Dataset], str]] = {
    "boundary.lowest": _any(loose_columns, _has_end(False), "no column declares a least value"),
    "boundary.highest": _any(loose_columns, _has_end(True), "no column declares a greatest value"),
    "boundary.zero": _any(loose_columns, _has_zero, "no column may hold 0 or 1970-01-01"),
    "edge.all_same": _any(free_columns, lambda _: True, "all columns are keys or derived"),
    "edge.single_category": _any(
        free_columns,
        lambda column: len(column.weights) > 1 and not column.label,
        "there is no category beside the label",
    ),
    "edge.unicode": _any(free_columns, is_free_text, "no column may hold any text"),
    "edge.punctuation": _any(free_columns, is_free_text, "no column may hold any text"),
    "edge.skew": _any(
        loose_columns,
        lambda column: not column.type.is_textual and not column.type.is_nested,
        "there is no number, time, category or boolean beside keys",
    ),
    "missing.more_nulls": _any(_all_columns, _is_nullable, "no column declares `null`"),
    "missing.null_column": _any(_all_columns, _is_nullable, "no column declares `null`"),
    "missing.required": _any(
        _all_columns, lambda column: column.null == 0, "every column declares `null`"
    ),
    "malformed.truncated": _truncated,
    "malformed.ragged": _ragged,
    "malformed.encoding": _encoding,
    "malformed.delimiter": _delimited,
    "extra_column": _header,
    "reordered_columns": _reordered,
    "duplicate_keys": _unique,
    "drifted": _any(
        loose_columns,
        lambda column: column.type.is_number or column.type.is_temporal or len(column.weights) > 1,
        "there is no number, time or category beside keys",
    ),
}
