"""Values that are not what the script took them for."""

from __future__ import annotations

import re

from mlvalidate.checks.evidence import Evidence
from mlvalidate.checks.hints.advice import Advice
from mlvalidate.checks.traceback import PythonError


def encoding(error: PythonError, _evidence: Evidence) -> Advice | None:
    """Say that a file is not UTF-8, or no text at all."""
    if error.type != "UnicodeDecodeError":
        return None
    return Advice("the file is not UTF-8, or is no text file: name its encoding when reading it")


def json_numbers(error: PythonError, _evidence: Evidence) -> Advice | None:
    """Say how to convert what numpy and pandas hold before it is written as JSON."""
    match = re.search(
        r"Object of type (\w+) is not JSON serializable|keys must be str, .*, not ([\w.]+)",
        error.message,
    )
    if error.type != "TypeError" or match is None:
        return None
    name = match[1] or match[2]
    how = {"ndarray": "x.tolist()", "Series": "x.to_dict()", "DataFrame": "x.to_dict('records')"}
    return Advice(f"convert the {name} first: {how.get(name, 'float(x), int(x) or str(x)')}")


_TEXTS = re.compile(
    r"""could not convert string to float: (?P<float>'.*'|".*")"""
    r"""|invalid literal for int\(\) with base 10: (?P<int>'.*'|".*")"""
    r"""|Unable to parse string (?P<parsed>".*?")"""
)
_TEXT_OPERATIONS = re.compile(
    r"operation '\w+' not supported for dtype '(?:str|object|string)'"
    r"|^can only concatenate str|unsupported operand type\(s\) for .*'str'"
    r"|Could not convert .* to numeric"
)
_TEXT_REDUCTIONS = re.compile(
    r"Cannot perform reduction '(\w+)' with string dtype"
    r"|dtype '(?:str|object)' does not support operation '(\w+)'"
)
_NULL_WORDS = ("", "-", "?", "na", "n/a", "nan", "null", "none", "missing")


def text_for_number(error: PythonError, _evidence: Evidence) -> Advice | None:
    """Say how to read a text as a number: decimal commas, words for missing values, categories."""
    if error.type not in ("ValueError", "TypeError"):
        return None
    if found := _TEXTS.search(error.message):
        text = (found["float"] or found["int"] or found["parsed"])[1:-1]
        return Advice(f"{text!r} is no number: {_how_to_read(text, of_int=bool(found['int']))}")
    if found := _TEXT_REDUCTIONS.search(error.message):
        return Advice(
            f"a column of texts has no {found[1] or found[2]}: choose the columns of numbers, for "
            "example with numeric_only=True"
        )
    if _TEXT_OPERATIONS.search(error.message):
        return Advice("one side is text: convert it with float(), or a column with pd.to_numeric")
    return None


def _how_to_read(text: str, *, of_int: bool) -> str:
    if text.strip().lower() in _NULL_WORDS:
        return f"it stands for a missing value; say so with na_values=[{text!r}] when reading"
    if re.fullmatch(r"[-+]?[\d.]*,\d+", text.strip()):
        return "its comma is decimal, or separates thousands; say which with decimal= or thousands="
    if of_int and re.fullmatch(r"[-+]?\d+\.\d*", text.strip()):
        return "int() takes no decimal point; int(float(x)) does"
    return "encode categories first, or turn what is no number into NaN: errors='coerce'"


_MISSING = re.compile(
    r"cannot convert float NaN to integer|Cannot convert non-finite values|Input \w+ contains NaN"
)
_INFINITE = re.compile(
    r"contains infinity or a value too large|cannot convert float infinity to integer"
)


def missing_numbers(error: PythonError, _evidence: Evidence) -> Advice | None:
    """Say what to do about NaN and infinity where whole numbers or features are wanted."""
    if _MISSING.search(error.message):
        what = "values are missing: fill or drop them before this line"
        whole = " (whole numbers with gaps: astype('Int64'))" if "integer" in error.message else ""
        return Advice(f"{what}{whole}")
    if _INFINITE.search(error.message):
        return Advice("a value is infinite: a division by zero, or a logarithm of zero, before it")
    return None


def nothing_to_learn(error: PythonError, _evidence: Evidence) -> Advice | None:
    """Say that no row, or only one class, has come to where a model is fitted or a score made."""
    if re.search(r"at least 2 classes|Only one class present in y_true", error.message):
        return Advice("all labels that got here are equal: stratify the split, or have more rows")
    if "Found array with 0 sample(s)" in error.message or "n_samples=0" in error.message:
        return Advice("no row got here: look at the filters and joins before this line")
    return None


_OTHER_DATE = re.compile(
    r"""time data (?P<value>'.*?'|".*?") do(?:es not|esn't) match format (?P<format>'.*?'|".*?")"""
)
_NO_DATE = re.compile(
    r"Unknown (?:datetime )?string format|month must be in|day is out of range"
    r"|Invalid isoformat string|unconverted data remains"
)
_ZONES = re.compile(
    r"tz-naive and tz-aware|offset-naive and offset-aware"
    r"|Invalid comparison between dtype=datetime64\[.*\] and Timestamp"
)


def wrong_date(error: PythonError, _evidence: Evidence) -> Advice | None:
    """Say what is wrong with a date: another format, a time zone, out of bounds."""
    if found := _OTHER_DATE.search(error.message):
        return Advice(
            f"{found['value'][1:-1]} is not written as {found['format'][1:-1]}: name the format "
            "that the data has, or format='mixed' in pd.to_datetime"
        )
    if _NO_DATE.search(error.message):
        return Advice(
            "name the format that the data has, or turn what is no date into NaT: errors='coerce'"
        )
    if "Out of bounds" in error.message:
        return Advice("nanoseconds reach from 1677 to 2262: use datetime64[s], or errors='coerce'")
    if _ZONES.search(error.message):
        return Advice("one side has a time zone and the other none: tz_localize one of them")
    return None


def wrong_accessor(error: PythonError, _evidence: Evidence) -> Advice | None:
    """Say how to get a column of dates or texts where `.dt` or `.str` is used."""
    if "Can only use .dt accessor" in error.message:
        return Advice(
            "the column is no date: pd.to_datetime(column), or parse_dates= when reading a csv"
        )
    if "Can only use .str accessor" in error.message:
        return Advice("the column is no text: astype(str), or dtype= when reading a csv")
    return None
