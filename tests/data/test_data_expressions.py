"""Expressions over columns: what they give, and how they fail."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlvalidate.core.columns import Column, ColumnType
from mlvalidate.core.expressions import FUNCTIONS, parse_expression
from mlvalidate.data.expressions import _CALLS, ExpressionFails, evaluate, holds

FRAME = pd.DataFrame(
    {
        "n": [1, 2, None, 4],
        "x": [0.5, -1.5, 2.0, np.nan],
        "t": ["ab", "Cd", None, " e "],
        "flag": ["True", "false", None, "True"],
        "first": ["2024-01-31", "2024-02-01", None, "2023-12-31"],
        "last": ["2024-02-29", "2024-01-01", "2024-01-01", "2024-01-01"],
        "odd name": [1, 2, 3, 4],
    }
)
COLUMNS = {
    "n": Column(type=ColumnType.INTEGER),
    "x": Column(type=ColumnType.FLOAT),
    "t": Column(type=ColumnType.TEXT),
    "flag": Column(type=ColumnType.BOOLEAN),
    "first": Column(type=ColumnType.DATE),
    "last": Column(type=ColumnType.DATE),
}


def value_of(text: str) -> list[Any]:
    found = evaluate(parse_expression(text), FRAME, COLUMNS)
    assert list(found.index) == list(FRAME.index)
    return [None if pd.isna(value) else value for value in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("n + 1", [2, 3, None, 5]),
        ("flag == true", [True, False, None, True]),
        ("n if flag == false else null", [None, 2, None, None]),
        ("-n * 2 ** 2", [-4, -8, None, -16]),
        ("n / 2", [0.5, 1, None, 2]),
        ("n // 2 + n % 2", [1, 1, None, 2]),
        ("`odd name` + n", [2, 4, None, 8]),
        ("n > 1", [False, True, None, True]),
        ("1 < n <= 2", [False, True, None, False]),
        ("n in [1, 4]", [True, False, None, True]),
        ("t not in ('ab',)", [False, True, None, True]),
        ("flag and n > 1", [False, False, None, True]),
        ("not flag or n == 1", [True, True, None, False]),
        ("is_null(n) or n > 3", [False, False, True, True]),
        ("first <= last", [True, False, None, True]),
        ("first >= '2024-01-31'", [True, True, None, False]),
        ("days(last - first)", [29, -31, None, 1]),
        ("year(first) * 100 + month(first)", [202401, 202402, None, 202312]),
        ("n if flag else x", [1, -1.5, None, 4]),
        ("'hot' if x > 1 else 'cold'", ["cold", "cold", "hot", None]),
        ("max(n, x, 1.5)", [1.5, 2, None, None]),
        ("min(n, 2)", [1, 2, None, 2]),
        ("clip(x, 0, 1)", [0.5, 0, 1, None]),
        ("coalesce(n, x, 0)", [1, 2, 2, 4]),
        ("round(x)", [0, -2, 2, None]),
        ("floor(x) + ceil(x)", [1, -3, 4, None]),
        ("log1p(exp(n) - 1)", [1, 2, None, 4]),
        ("abs(x)", [0.5, 1.5, 2, None]),
        ("len(strip(t))", [2, 2, None, 1]),
        ("upper(t) == 'AB' or lower(t) == 'cd'", [True, True, None, False]),
        ("starts_with(t, 'a') or ends_with(t, 'd')", [True, True, None, False]),
        ("contains(t, 'b') or matches(t, '[C].')", [True, True, None, False]),
        ("text(n) + '!'", ["1!", "2!", None, "4!"]),
        ("number('7') + n", [8, 9, None, 11]),
        ("seconds(date('2024-02-01') - first) / 86400", [1, 0, None, 32]),
        ("weekday(last) + day(last) + hour(last)", [32, 1, 1, 1]),
        ("n == None", [None] * 4),
        ("sqrt(n * n)", [1, 2, None, 4]),
        ("1 < 2", [True] * 4),
    ],
)
def test_values(text: str, expected: list[Any]) -> None:
    assert value_of(text) == expected


def test_each_function_has_a_value() -> None:
    assert set(_CALLS) == set(FUNCTIONS)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("nothing > 1", "there is no column 'nothing'"),
        ("t + 1", "fails"),
        ("first + last", "fails"),
        ("year(n)", "fails"),
        ("n in t", "needs a list"),
        ("round(t)", "fails"),
    ],
)
def test_what_has_no_value(text: str, reason: str) -> None:
    with pytest.raises(ExpressionFails, match=reason) as error:
        evaluate(parse_expression(text), FRAME, COLUMNS)
    assert text in str(error.value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "n +",
        "n = 1",
        "__import__('os')",
        "n.real",
        "[i for i in n]",
        "lambda: 1",
        "n[0]",
        "f'{n}'",
        "sqrt()",
        "sqrt(n, n)",
        "round(n, digits=1)",
        "b'1'",
        "n if n",
        "(" * 3000,
        "1 and " * 900 + "1",
    ],
)
def test_what_is_no_expression(text: str) -> None:
    with pytest.raises(ValueError, match=r"expression|function|takes|can't be used"):
        parse_expression(text)


def test_rules() -> None:
    then, when = parse_expression("x > 0"), parse_expression("n >= 1")
    assert list(holds(then, None, FRAME, COLUMNS)) == [True, False, True, True]
    assert list(holds(then, when, FRAME, COLUMNS)) == [True, False, True, True]
    assert list(holds(then, parse_expression("n > 2"), FRAME, COLUMNS)) == [True] * 4
    with pytest.raises(ExpressionFails, match="neither true nor false"):
        holds(parse_expression("n + 1"), None, FRAME, COLUMNS)


def test_of_no_rows() -> None:
    assert len(evaluate(parse_expression("n + 1 > 2"), FRAME.head(0), COLUMNS)) == 0
