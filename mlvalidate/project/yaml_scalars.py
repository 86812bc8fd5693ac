"""What a YAML scalar means: the core schema of YAML 1.2, as editors read it.

PyYAML's own rules are those of YAML 1.1, where `no` is false, `1e-3` is a text and `12:30` is 750.
Each of them has bitten people who wrote categories, learning rates and times.
"""

from __future__ import annotations

import re

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS = {
    "true": True, "True": True, "TRUE": True,
    "false": False, "False": False, "FALSE": False,
}  # fmt: skip
# Digits behind a leading zero stay a text: they are account numbers and zip codes. So does a number
# too long to be one.
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,63})")
_BASED_INTEGER = re.compile(r"0x[0-9a-fA-F]{1,32}|0o[0-7]{1,32}")
_FLOAT = re.compile(
    r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
    r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)


def is_null(text: str) -> bool:
    """Tell whether a plain scalar stands for nothing."""
    return text in _NULLS


def resolve(text: str) -> bool | int | float | str:
    """Return the boolean or number that a plain scalar stands for, else the text itself.

    Dates stay texts, as in YAML 1.2: an argument of `2024-01-01` should arrive as it was written.
    """
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _BASED_INTEGER.fullmatch(text):
        return int(text, base=0)
    if len(text) <= 64 and _FLOAT.fullmatch(text):
        return float(re.sub(r"\.(?=[a-z])", "", text.lower()))  # Python spells .inf as inf
    return text
