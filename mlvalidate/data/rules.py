"""Makes drawn rows keep the rules of their dataset."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from mlvalidate.core.datasets import Dataset, Rule
from mlvalidate.core.expressions import parse_expression
from mlvalidate.data.assembly import put_values
from mlvalidate.data.derivation import derive
from mlvalidate.data.errors import UnsatisfiableSchema
from mlvalidate.data.expressions import ExpressionFails, holds

if TYPE_CHECKING:
    import pandas as pd

    from mlvalidate.data.draws import Values

# Rounds in which all rows that break a rule are drawn anew.
PATIENCE = 200

# Draws so many values of a column, other ones in each round.
Redraw = Callable[[str, int, int], "Values"]


def keep_rules(frame: pd.DataFrame, dataset: Dataset, name: str, redraw: Redraw) -> pd.DataFrame:
    """Return the table with its derived columns, and with rows that keep all rules.

    Rows that break one get new values in the columns that it names, until they keep it; keys,
    unique, monotone and referring columns, and nulls, stay. So shares and correlations of those
    columns are what the rules leave of them. Raises UnsatisfiableSchema with the rule.
    """
    for attempt in range(PATIENCE):
        frame = derive(frame, dataset, name)
        broken = _broken(frame, dataset, name)
        if broken is None:
            return frame
        rule, rows = broken
        columns = _free_columns(rule, dataset)
        if not columns:
            raise _failure(name, rule, "no column that it names can be drawn anew")
        for column in columns:
            _replace(frame, column, rows, redraw, attempt)
    raise _failure(name, rule, f"{int(rows.sum())} of {len(frame)} rows still break it")


def _broken(frame: pd.DataFrame, dataset: Dataset, name: str) -> tuple[Rule, pd.Series] | None:
    """Return the first rule that some rows break, and which."""
    for rule in dataset.rules:
        when = parse_expression(rule.when) if rule.when else None
        try:
            kept = holds(parse_expression(rule.then), when, frame, dataset.columns)
        except ExpressionFails as problem:
            raise _failure(name, rule, str(problem)) from None
        if not kept.all():
            return rule, ~kept
    return None


def _free_columns(rule: Rule, dataset: Dataset) -> list[str]:
    """Return the drawn columns on which a rule depends, through derived ones too."""
    pending = [
        column for text in (rule.when, rule.then) if text for column in parse_expression(text).names
    ]
    found: dict[str, None] = {}
    while pending:
        name = pending.pop()
        column = dataset.columns[name]
        if column.derived:
            pending += parse_expression(column.derived).names
            continue
        fixed = column.unique or column.monotone or column.foreign_key
        if not fixed and name not in dataset.key_columns:
            found[name] = None
    return sorted(found)


def _replace(
    frame: pd.DataFrame, column: str, rows: pd.Series, redraw: Redraw, attempt: int
) -> None:
    series = frame[column]
    chosen = (rows & series.notna()).to_numpy(dtype=bool)
    count = int(chosen.sum())
    if count:
        frame[column] = put_values(series, chosen, redraw(column, count, attempt))


def _failure(name: str, rule: Rule, problem: str) -> UnsatisfiableSchema:
    dataset = f"dataset {name!r}, " if name else ""
    return UnsatisfiableSchema(
        f"{dataset}rule `{rule.text}`: {problem}",
        "make the columns that it names more likely to keep it, or derive one from the other",
    )
