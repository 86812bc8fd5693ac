"""The values of expressions over the columns of a table; see `mlvalidate.core.expressions`.

Null is unknown, as in SQL: what is computed from it is null, ``null and False`` is false. Numbers,
booleans and texts are pandas' nullable types, dates and datetimes datetime64 without time zone.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from functools import reduce
from typing import TYPE_CHECKING, Any

from mlvalidate.core.columns import Column, ColumnType
from mlvalidate.core.expressions import Expression

if TYPE_CHECKING:
    import pandas as pd

# A column, or one value for all rows.
Operand = Any

_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


class ExpressionFails(ValueError):  # noqa: N818
    """An expression has no value on this table; the text names the expression and the reason."""


def evaluate(
    expression: Expression, frame: pd.DataFrame, columns: Mapping[str, Column]
) -> pd.Series:
    """Return the value of ``expression`` for each row of ``frame``, with its index.

    ``columns`` say what the columns are: dates that a csv file holds as text are compared as dates.
    Cells that are not of the declared type are null. Raises ExpressionFails.
    """
    import pandas as pd

    try:
        value = _Evaluation(expression, frame, columns).of(expression.body)
    except KeyError as missing:
        raise ExpressionFails(f"{expression.text!r}: there is no column {missing}") from None
    except (TypeError, ValueError, ArithmeticError, AttributeError, NotImplementedError) as error:
        raise ExpressionFails(f"{expression.text!r} fails: {error}") from None
    if isinstance(value, pd.Series):
        return value
    return pd.Series([value] * len(frame), index=frame.index).convert_dtypes()


def holds(
    then: Expression, when: Expression | None, frame: pd.DataFrame, columns: Mapping[str, Column]
) -> pd.Series:
    """Return for each row whether a rule holds; what is unknown counts as true.

    Raises ExpressionFails, also when one of the two gives no truth value.
    """
    fulfilled = _truth(then, frame, columns).fillna(True)
    if when is not None:
        fulfilled = fulfilled | ~_truth(when, frame, columns).fillna(False)
    return fulfilled.astype(bool)


def _truth(expression: Expression, frame: pd.DataFrame, columns: Mapping[str, Column]) -> pd.Series:
    import pandas as pd

    found = evaluate(expression, frame, columns)
    if len(found) and not pd.api.types.is_bool_dtype(found.dtype):
        raise ExpressionFails(f"{expression.text!r} is neither true nor false, but {found.dtype}")
    return found.astype("boolean")


class _Evaluation:
    def __init__(
        self, expression: Expression, frame: pd.DataFrame, columns: Mapping[str, Column]
    ) -> None:
        self._expression, self._frame, self._columns = expression, frame, columns
        self._prepared: dict[str, pd.Series] = {}

    def of(self, node: ast.expr) -> Operand:  # noqa: PLR0911
        """Return the value of a node: a Series, a number, a text, a truth value or None."""
        match node:
            case ast.Name():
                return self._column(self._expression.column(node.id))
            case ast.Constant():
                return node.value
            case ast.BinOp():
                return self._arithmetic(node)
            case ast.UnaryOp():
                return self._unary(node)
            case ast.BoolOp():
                combine = operator.and_ if isinstance(node.op, ast.And) else operator.or_
                return reduce(combine, [self._boolean(value) for value in node.values])
            case ast.Compare():
                return self._comparison(node)
            case ast.IfExp():
                return self._choice(node)
            case ast.Call(func=ast.Name(id=name)):
                return _CALLS[name](*[self.of(value) for value in node.args])
        raise ValueError(f"{type(node).__name__} has no value here")

    def _column(self, name: str) -> pd.Series:
        if name not in self._prepared:
            self._prepared[name] = prepare(self._frame[name], self._columns.get(name))
        return self._prepared[name]

    def _arithmetic(self, node: ast.BinOp) -> Operand:
        left, right = self.of(node.left), self.of(node.right)
        if left is None or right is None:
            return None
        return _ARITHMETIC[type(node.op)](left, right)

    def _unary(self, node: ast.UnaryOp) -> Operand:
        if isinstance(node.op, ast.Not):
            return ~self._boolean(node.operand)
        value = self.of(node.operand)
        return -value if isinstance(node.op, ast.USub) else value

    def _boolean(self, node: ast.expr) -> pd.Series:
        import pandas as pd

        value = self.of(node)
        if not isinstance(value, pd.Series):
            value = pd.Series([value] * len(self._frame), index=self._frame.index)
        return value.astype("boolean")

    def _comparison(self, node: ast.Compare) -> pd.Series:
        operands = [node.left, *node.comparators]
        parts = [
            self._compare(left, symbol, right)
            for left, symbol, right in zip(operands, node.ops, operands[1:], strict=False)
        ]
        return reduce(operator.and_, parts)

    def _compare(self, left: ast.expr, symbol: ast.cmpop, right: ast.expr) -> pd.Series:
        if isinstance(symbol, ast.In | ast.NotIn):
            return self._membership(left, symbol, right)
        values = self.of(left), self.of(right)
        if values[0] is None or values[1] is None:
            return self._constant(None)
        compared = _COMPARISONS[type(symbol)](*_as_times(*values))
        return (
            _nullable(compared, *values) if hasattr(compared, "dtype") else self._constant(compared)
        )

    def _membership(self, left: ast.expr, symbol: ast.cmpop, right: ast.expr) -> pd.Series:
        if not isinstance(right, ast.Tuple | ast.List):
            raise ValueError("`in` needs a list of values, such as ['a', 'b']")
        one_of = [self._compare(left, ast.Eq(), item) for item in right.elts]
        found = reduce(operator.or_, one_of, self._constant(False))
        return ~found if isinstance(symbol, ast.NotIn) else found

    def _constant(self, value: bool | None) -> pd.Series:
        import pandas as pd

        return pd.Series([value] * len(self._frame), index=self._frame.index, dtype="boolean")

    def _choice(self, node: ast.IfExp) -> pd.Series:
        import pandas as pd

        condition = self._boolean(node.test)
        parts = []
        for branch in (node.body, node.orelse):
            value = self.of(branch)
            if not isinstance(value, pd.Series):
                value = pd.Series([value] * len(self._frame), index=self._frame.index)
            parts.append(value.convert_dtypes())
        chosen = _where(parts[0], condition.fillna(False).astype(bool), parts[1])
        return chosen.mask(condition.isna())


def prepare(series: pd.Series, column: Column | None) -> pd.Series:
    """Return a column in the types that expressions compute with, as it is declared."""
    import pandas as pd

    from mlvalidate.data.times import parse_times, read_datetimes

    kind = column.type if column else None
    index = series.index
    if kind is not None and kind.is_temporal:
        is_text = pd.api.types.infer_dtype(series, skipna=True) == "string"
        times = parse_times(series) if is_text else read_datetimes(series)
        return pd.Series(times, index=index)
    if kind is not None and kind.is_number:
        numbers = pd.to_numeric(series, errors="coerce")
        if pd.api.types.is_integer_dtype(numbers.dtype):
            return numbers.astype("Int64")
        # Integers with gaps come out of csv as floats.
        floats = numbers.astype("Float64")
        whole = kind is ColumnType.INTEGER and ((floats % 1 == 0) | floats.isna()).all()
        return floats.astype("Int64") if whole else floats
    if kind is ColumnType.BOOLEAN:
        return truths(series)
    return series if kind is not None and kind.is_nested else series.convert_dtypes()


def truths(series: pd.Series) -> pd.Series:
    """Return cells as nullable truth values, null where they are none."""
    import pandas as pd

    if pd.api.types.is_bool_dtype(series.dtype):
        return series.astype("boolean")
    texts = series.astype("string").str.strip().str.lower()
    known = {"true": True, "false": False, "1": True, "0": False, "1.0": True, "0.0": False}
    return texts.map(known).astype("boolean")


def _nullable(compared: Any, left: Operand, right: Operand) -> pd.Series:
    """Return a comparison as nullable truth values: with NaT numpy says False, we say null."""
    unknown = _is_null(left) | _is_null(right)
    return compared.astype("boolean").mask(unknown)


def _as_times(left: Operand, right: Operand) -> tuple[Operand, Operand]:
    """Read a text as a date where it is compared with dates."""
    import pandas as pd

    def is_time(value: Operand) -> bool:
        return hasattr(value, "dtype") and pd.api.types.is_datetime64_any_dtype(value.dtype)

    if is_time(left) and isinstance(right, str):
        return left, pd.Timestamp(right)
    if is_time(right) and isinstance(left, str):
        return pd.Timestamp(left), right
    return left, right


def _where(left: pd.Series, condition: pd.Series, right: Operand) -> pd.Series:
    """Choose between two operands; whole numbers beside floats become floats."""
    import pandas as pd

    other = right if isinstance(right, pd.Series) else pd.Series([right])
    if pd.api.types.is_float_dtype(other.dtype) and pd.api.types.is_integer_dtype(left.dtype):
        left = left.astype("Float64")
    return left.where(condition, right)


def _is_null(value: Operand) -> Any:
    return value.isna() if hasattr(value, "isna") else value is None


def _coalesce(first: Operand, *others: Operand) -> Operand:
    for other in others:
        if first is None:
            first = other
        elif hasattr(first, "fillna") and other is not None:
            first = first.fillna(other)
    return first


def _extreme(choose: Callable[[Any, Any], Any]) -> Callable[..., Operand]:
    """Return `min` or `max` of several operands, null where one of them is."""

    def call(*values: Operand) -> Operand:
        import pandas as pd

        columns = [value for value in values if isinstance(value, pd.Series)]
        if not columns:
            return choose(*values)
        found = columns[0]
        for value in values:
            if value is not found:
                better = choose(found, value)
                unknown = _is_null(value) | found.isna()
                found = _where(found, better.fillna(False).astype(bool), value).mask(unknown)
        return found

    return call


def _least(*values: Any) -> Any:
    import pandas as pd

    return values[0] <= values[1] if isinstance(values[0], pd.Series) else min(values)


def _greatest(*values: Any) -> Any:
    import pandas as pd

    return values[0] >= values[1] if isinstance(values[0], pd.Series) else max(values)


def _round(value: Operand, digits: int = 0) -> Operand:
    if hasattr(value, "astype"):
        return value.astype("Float64").round(int(digits))
    return round(value, int(digits))


def _numeric(function: str) -> Callable[[Operand], Operand]:
    def call(value: Operand) -> Operand:
        import numpy as np

        # Rounded, so that the last bit, which differs between machines, is gone.
        with np.errstate(all="ignore"):
            found = getattr(np, function)(
                value.astype("Float64") if hasattr(value, "dtype") else value
            )
        return found.round(12) if hasattr(found, "round") else found

    return call


def _times_of(part: str) -> Callable[[Operand], Operand]:
    def call(value: Operand) -> Operand:
        return getattr(value.dt, part).astype("Int64")

    return call


def _text_of(method: str) -> Callable[..., Operand]:
    def call(value: Operand, *rest: Operand) -> Operand:
        import pandas as pd

        if isinstance(value, pd.Series):
            return getattr(value.astype("string").str, method)(*rest)
        return getattr(pd.Series([value], dtype="string").str, method)(*rest)[0]

    return call


def _text(value: Operand) -> Operand:
    return value.astype("string") if hasattr(value, "astype") else str(value)


def _number(value: Operand) -> Operand:
    import pandas as pd

    found = pd.to_numeric(value, errors="coerce")
    return found.convert_dtypes() if hasattr(found, "convert_dtypes") else found


def _date(value: Operand) -> Operand:
    import pandas as pd

    if isinstance(value, str):
        return pd.Timestamp(value)
    return pd.to_datetime(value, errors="coerce").dt.normalize()


def _duration(seconds: float) -> Callable[[Operand], Operand]:
    """Return the length of a difference between two times, in units of ``seconds``."""

    def call(value: Operand) -> Operand:
        return (value.dt.total_seconds() / seconds).astype("Float64")

    return call


def _contains(value: Operand, part: str) -> Operand:
    return value.astype("string").str.contains(part, regex=False)


_CALLS: dict[str, Callable[..., Operand]] = {
    "abs": abs,
    "round": _round,
    "floor": _numeric("floor"),
    "ceil": _numeric("ceil"),
    "sqrt": _numeric("sqrt"),
    "log": _numeric("log"),
    "log1p": _numeric("log1p"),
    "exp": _numeric("exp"),
    "min": _extreme(_least),
    "max": _extreme(_greatest),
    "clip": lambda value, low, high: value.clip(low, high),
    "is_null": _is_null,
    "coalesce": _coalesce,
    "len": _text_of("len"),
    "lower": _text_of("lower"),
    "upper": _text_of("upper"),
    "strip": _text_of("strip"),
    "text": _text,
    "number": _number,
    "date": _date,
    "year": _times_of("year"),
    "month": _times_of("month"),
    "day": _times_of("day"),
    "weekday": _times_of("weekday"),
    "hour": _times_of("hour"),
    "days": _duration(86_400.0),
    "seconds": _duration(1.0),
    "starts_with": _text_of("startswith"),
    "ends_with": _text_of("endswith"),
    "contains": _contains,
    "matches": _text_of("fullmatch"),
}
