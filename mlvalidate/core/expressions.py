"""Expressions over the columns of a table: what may be written, and which columns it names.

The language is a small part of Python's: names of columns (in backquotes where they are no
identifiers), numbers, texts, booleans, ``None`` (also as YAML spells them), arithmetic, comparisons
(also chained and with ``in``), ``and``, ``or``, ``not``, ``a if condition else b`` and the
functions below. Values are computed by `mlvalidate.data.expressions`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from mlvalidate.core.python_source import parse_python_expression

FUNCTIONS = {
    "abs": 1, "round": (1, 2), "floor": 1, "ceil": 1, "sqrt": 1, "log": 1, "log1p": 1, "exp": 1,
    "min": (2, 9), "max": (2, 9), "clip": 3, "is_null": 1, "coalesce": (2, 9), "len": 1,
    "lower": 1, "upper": 1, "strip": 1, "text": 1, "number": 1, "date": 1,
    "year": 1, "month": 1, "day": 1, "weekday": 1, "hour": 1, "days": 1, "seconds": 1,
    "starts_with": 2, "ends_with": 2, "contains": 2, "matches": 2,
}  # fmt: skip

# As YAML spells them, where they are in no backquotes.
_CONSTANTS = {"true": True, "false": False, "null": None}
_NODES = (
    ast.Expression, ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.Call, ast.Name,
    ast.Constant, ast.Tuple, ast.List, ast.Load, ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv,
    ast.Mod, ast.Pow, ast.USub, ast.UAdd, ast.Not, ast.And, ast.Or, ast.Eq, ast.NotEq, ast.Lt,
    ast.LtE, ast.Gt, ast.GtE, ast.In, ast.NotIn,
)  # fmt: skip
_MOST_CHARACTERS = 2000
_TEXT_OR_QUOTED = re.compile(r"""("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|`([^`]+)`""")


@dataclass(frozen=True)
class Expression:
    """An expression that is well formed. ``names`` are the columns in the order they appear."""

    text: str
    body: ast.expr
    names: tuple[str, ...]
    # Identifier in `body` -> column, for columns that are written in backquotes.
    quoted: dict[str, str]

    def column(self, identifier: str) -> str:
        """Return the column that an `ast.Name` of the body stands for."""
        return self.quoted.get(identifier, identifier)


def parse_expression(text: str) -> Expression:
    """Take an expression apart; ValueError with a reason when it is none."""
    if len(text) > _MOST_CHARACTERS:
        raise ValueError(f"the expression has more than {_MOST_CHARACTERS} characters")
    quoted: dict[str, str] = {}

    def replace(match: re.Match[str]) -> str:
        if match[1] is not None:
            return match[1]
        identifier = f"_column_{len(quoted)}_"
        quoted[identifier] = match[2]
        return identifier

    plain = _TEXT_OR_QUOTED.sub(replace, text).strip()
    try:
        tree = _Constants().visit(parse_python_expression(plain))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        reason = error.msg if isinstance(error, SyntaxError) else str(error)
        raise ValueError(f"{text!r} is no expression: {reason}") from None
    names = dict.fromkeys(quoted.get(name, name) for name in _names(tree, text))
    return Expression(text, tree.body, tuple(names), quoted)


class _Constants(ast.NodeTransformer):
    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id not in _CONSTANTS:
            return node
        return ast.copy_location(ast.Constant(_CONSTANTS[node.id]), node)


def _names(tree: ast.AST, text: str) -> Iterator[str]:
    """Yield the identifiers that stand for columns, and refuse what the language lacks."""
    functions = set()
    for node in ast.walk(tree):
        if not isinstance(node, _NODES):
            raise ValueError(f"{text!r}: {type(node).__name__} can't be used in an expression")
        if isinstance(node, ast.Constant) and not (
            node.value is None or isinstance(node.value, bool | int | float | str)
        ):
            raise ValueError(f"{text!r}: {node.value!r} can't be used in an expression")
        if isinstance(node, ast.Call):
            functions.add(node.func)
            _check_call(node, text)
        if isinstance(node, ast.Name) and node not in functions:
            yield node.id


def _check_call(call: ast.Call, text: str) -> None:
    if not isinstance(call.func, ast.Name) or call.func.id not in FUNCTIONS or call.keywords:
        known = ", ".join(sorted(FUNCTIONS))
        raise ValueError(f"{text!r}: there is no such function; there are {known}")
    counts = FUNCTIONS[call.func.id]
    least, most = counts if isinstance(counts, tuple) else (counts, counts)
    if not least <= len(call.args) <= most:
        wanted = str(least) if least == most else f"{least} to {most}"
        raise ValueError(f"{text!r}: {call.func.id} takes {wanted} values, got {len(call.args)}")
