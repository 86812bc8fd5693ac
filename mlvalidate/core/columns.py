"""Columns of a dataset: their types and what their values have to satisfy."""

from __future__ import annotations

import datetime as dt
import math
import re
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from mlvalidate.core.expressions import parse_expression
from mlvalidate.core.model import Model
from mlvalidate.core.suggest import did_you_mean

Bound = int | float | dt.datetime | dt.date
Scalar = bool | int | float | str
Share = Annotated[float, Field(ge=0, le=1)]
Weight = Annotated[float, Field(ge=-1, le=1)]


class ColumnType(StrEnum):
    """What a column holds, whatever a file format makes of it."""

    INTEGER = "integer"
    FLOAT = "float"
    BOOLEAN = "boolean"
    CATEGORY = "category"
    STRING = "string"
    DATETIME = "datetime"
    DATE = "date"
    TEXT = "text"
    LIST = "list"
    JSON = "json"

    @property
    def is_number(self) -> bool:
        return self in (ColumnType.INTEGER, ColumnType.FLOAT)

    @property
    def is_temporal(self) -> bool:
        return self in (ColumnType.DATETIME, ColumnType.DATE)

    @property
    def is_textual(self) -> bool:
        return self in (ColumnType.STRING, ColumnType.TEXT)

    @property
    def is_nested(self) -> bool:
        return self in (ColumnType.LIST, ColumnType.JSON)


class Likeness(StrEnum):
    """What the texts of a string column look like."""

    EMAIL = "email"
    NAME = "name"
    FIRST_NAME = "first_name"
    LAST_NAME = "last_name"
    USER_NAME = "user_name"
    UUID = "uuid"
    PHONE = "phone"
    ADDRESS = "address"
    CITY = "city"
    COUNTRY = "country"
    POSTCODE = "postcode"
    COMPANY = "company"
    JOB = "job"
    URL = "url"
    IPV4 = "ipv4"
    SENTENCE = "sentence"


class DistributionKind(StrEnum):
    """The shapes that numbers can be drawn in."""

    UNIFORM = "uniform"
    NORMAL = "normal"
    LOGNORMAL = "lognormal"
    EXPONENTIAL = "exponential"
    POISSON = "poisson"
    ZIPF = "zipf"
    QUANTILES = "quantiles"


# Parameter -> the distributions that take it.
_PARAMETERS = {
    "mean": ("normal", "lognormal", "exponential", "poisson"),
    "sd": ("normal", "lognormal"),
    "exponent": ("zipf",),
    "quantiles": ("quantiles",),
}
_REQUIRED_PARAMETERS = {"poisson": ("mean",), "quantiles": ("quantiles",)}


class Distribution(Model):
    """In which shape the numbers, datetimes or dates of a column are drawn.

    Values outside `min` and `max` are never drawn: the shape is cut off there. ``mean`` and ``sd``
    of `lognormal` are those of the logarithm. Without parameters `normal` has its mean in the
    middle of the bounds and reaches them at three ``sd``.
    """

    kind: DistributionKind
    mean: float | None = None
    sd: float | None = Field(default=None, gt=0)
    exponent: float | None = Field(default=None, gt=1, description="Of zipf (default: 2)")
    quantiles: tuple[Bound, ...] | None = Field(
        default=None,
        min_length=2,
        description="Values at equal steps of probability, from the least to the greatest",
    )

    @model_validator(mode="after")
    def _has_its_parameters(self) -> Self:
        kind = self.kind.value
        for name, kinds in _PARAMETERS.items():
            if getattr(self, name) is not None and kind not in kinds:
                raise ValueError(f"`{name}` is not for the distribution {kind}")
        for name in _REQUIRED_PARAMETERS.get(kind, ()):
            if getattr(self, name) is None:
                raise ValueError(f"the distribution {kind} needs `{name}`")
        if kind in ("exponential", "poisson") and self.mean is not None and self.mean <= 0:
            raise ValueError(f"`mean` of the distribution {kind} must be greater than 0")
        if self.quantiles is not None:
            numbers = [as_comparable(value) for value in self.quantiles]
            if numbers != sorted(numbers):
                raise ValueError("`quantiles` must not decrease")
        return self


def _distribution(value: object) -> object:
    """Accept the bare name of a distribution."""
    if not isinstance(value, str):
        return value
    known = [kind.value for kind in DistributionKind]
    if value not in known:
        raise ValueError(f"there is no distribution {value!r}: {did_you_mean(value, known)}")
    return {"kind": value}


def _allow_name(schema: dict[str, Any]) -> None:
    """Tell JSON Schema what `_distribution` accepts beside the mapping."""
    schema.setdefault("anyOf", []).append({"enum": [kind.value for kind in DistributionKind]})


class DriftTest(StrEnum):
    """The statistical tests of Evidently that a column can be compared with."""

    KS = "ks"
    WASSERSTEIN = "wasserstein"
    PSI = "psi"
    JENSENSHANNON = "jensenshannon"
    CHISQUARE = "chisquare"
    Z = "z"
    ANDERSON = "anderson"
    TVD = "TVD"

    @property
    def is_p_value(self) -> bool:
        """True where the score is a p-value, else it is a distance."""
        return self not in (DriftTest.WASSERSTEIN, DriftTest.PSI, DriftTest.JENSENSHANNON)


class DriftRule(Model):
    """How the drift of one column is judged, where the usual way does not suit."""

    test: DriftTest | None = Field(default=None, description="Default: by type and rows")
    threshold: float | None = Field(
        default=None, gt=0, description="p-value below, or distance above which there is drift"
    )
    ignore: bool = Field(default=False, description="The column is not compared")


# Which Python types the `values` of a column may have; other columns have no `values`.
_TYPES_OF_VALUES: dict[ColumnType, tuple[type, ...]] = {
    ColumnType.INTEGER: (int,),
    ColumnType.FLOAT: (int, float),
    ColumnType.CATEGORY: (bool, int, float, str),
    ColumnType.STRING: (str,),
    ColumnType.TEXT: (str,),
}


class Column(Model):
    """One column: its type and what its values have to satisfy."""

    type: ColumnType
    description: str = ""
    min: Bound | None = Field(default=None, description="Least value of a number, datetime or date")
    max: Bound | None = Field(default=None, description="Greatest value, included")
    null: float = Field(default=0.0, ge=0, le=1, description="Expected share of missing values")
    values: tuple[Scalar, ...] | dict[Scalar, float] | None = Field(
        default=None, description="The values of a category: a list, or a mapping value -> weight"
    )
    pattern: str | None = Field(
        default=None, description="Regular expression that a string matches from end to end"
    )
    length: tuple[int, int] | None = Field(
        default=None, description="[least, greatest] number of characters of a string or text"
    )
    unique: bool = Field(default=False, description="No value occurs twice")
    optional: bool = Field(default=False, description="The column may be absent from a file")
    label: bool = Field(default=False, description="This column is what a model learns to predict")
    rate: float | None = Field(
        default=None, gt=0, lt=1, description="Share of true values of a boolean or 0/1 column"
    )
    signal: Share | dict[str, Weight] | None = Field(
        default=None,
        description="How far the other columns foretell a label: 0 not at all, 1 wholly "
        "(default: 0.5); or column -> how far, negative for what speaks against it",
    )
    like: Likeness | None = Field(default=None, description="What the strings look like")
    distribution: Annotated[Distribution | None, BeforeValidator(_distribution)] = Field(
        default=None,
        description="In which shape numbers are drawn (default: uniform)",
        json_schema_extra=_allow_name,
    )
    monotone: Literal["increasing", "decreasing"] | None = Field(
        default=None, description="The values never decrease, or never increase, down the rows"
    )
    derived: str | None = Field(
        default=None, description="Expression of other columns that gives the value"
    )
    foreign_key: str | None = Field(
        default=None, description="dataset.column whose values this column refers to"
    )
    items: Column | None = Field(default=None, description="What the elements of a list are")
    fields: dict[str, Column] | None = Field(
        default=None, description="Name -> type of the members of a JSON object"
    )
    drift: DriftRule = Field(default=DriftRule(), description="How drift is judged")

    @property
    def strength(self) -> float:
        """How far the other columns foretell this one, if it is a label: `signal`, or 0.5."""
        if not self.label:
            return 0.0
        if isinstance(self.signal, dict):
            return math.hypot(*self.signal.values())
        return 0.5 if self.signal is None else self.signal

    @property
    def weights(self) -> dict[Scalar, float]:
        """Values with their shares, which sum to 1; empty without ``values``."""
        if not self.values:
            return {}
        if isinstance(self.values, dict):
            total = sum(self.values.values())
            return {value: weight / total for value, weight in self.values.items()}
        return {value: 1 / len(self.values) for value in self.values}

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        kind = self.type
        if kind is ColumnType.CATEGORY and not self.values:
            raise ValueError("a category needs `values`: a list, or a mapping value -> weight")
        if self.values is not None:
            self._check_values()
        if self.pattern is not None:
            if not kind.is_textual:
                raise ValueError(f"`pattern` is for string and text columns, not for {kind.value}")
            try:
                re.compile(self.pattern)
            except (re.error, OverflowError, RecursionError) as error:
                raise ValueError(f"`pattern` is no regular expression: {error}") from None
        if self.length is not None:
            if not kind.is_textual and kind is not ColumnType.LIST:
                raise ValueError(
                    f"`length` is for string, text and list columns, not for {kind.value}"
                )
            if not 0 <= self.length[0] <= self.length[1]:
                raise ValueError("`length` is [least, greatest], both at least 0")
        if self.rate is not None and kind not in (ColumnType.BOOLEAN, ColumnType.INTEGER):
            raise ValueError("`rate` is for boolean and 0/1 integer columns")
        self._check_bounds()
        return self

    @model_validator(mode="after")
    def _is_drawn_in_one_way(self) -> Self:
        kind = self.type.value
        if self.like is not None and not self.type.is_textual:
            raise ValueError(f"`like` is for string and text columns, not for {kind}")
        if self.like is not None and self.pattern is not None:
            raise ValueError("`like` and `pattern` can't both say what the strings look like")
        if self.signal is not None and not self.label:
            raise ValueError("`signal` is for the column with `label: true`")
        if self.strength > 1:
            raise ValueError("`signal`: the squares of its weights may sum to 1 at most")
        ordered = self.type.is_number or self.type.is_temporal
        if self.distribution is not None and (not ordered or self.values is not None):
            raise ValueError("`distribution` is for numbers, datetimes and dates without `values`")
        if self.monotone is not None and not ordered:
            raise ValueError(f"`monotone` is for numbers, datetimes and dates, not for {kind}")
        if self.unique and self.rate is not None:
            raise ValueError("a column with `rate` has two values: it can't be `unique`")
        if (self.items is not None) != (self.type is ColumnType.LIST):
            raise ValueError("a list needs `items`, and nothing else has them")
        if (self.fields is not None) != (self.type is ColumnType.JSON):
            raise ValueError("a json column needs `fields`, and nothing else has them")
        return self

    @model_validator(mode="after")
    def _has_one_source(self) -> Self:
        """Check `derived` and `foreign_key`: the value comes from elsewhere."""
        if self.derived is not None and self.foreign_key is not None:
            raise ValueError("`derived` and `foreign_key` can't both give the value")
        for name in ("derived", "foreign_key"):
            if getattr(self, name) is None:
                continue
            for other in ("distribution", "monotone", "like", "rate", "values"):
                if getattr(self, other) is not None and (name, other) != ("derived", "values"):
                    raise ValueError(f"`{name}` gives the value: `{other}` can't shape it")
        return self

    @field_validator("derived")
    @classmethod
    def _is_expression(cls, value: str | None) -> str | None:
        if value is not None:
            parse_expression(value)
        return value

    @field_validator("foreign_key")
    @classmethod
    def _names_dataset_and_column(cls, value: str | None) -> str | None:
        if value is not None and not all(value.partition(".")):
            raise ValueError(f"expected dataset.column, got {value!r}")
        return value

    def _check_values(self) -> None:
        if not self.values:
            raise ValueError("`values` must name at least one value")
        if isinstance(self.values, dict) and (
            min(self.values.values()) < 0 or sum(self.values.values()) <= 0
        ):
            raise ValueError("weights must not be negative and not all zero")
        allowed = _TYPES_OF_VALUES.get(self.type)
        if allowed is None:
            raise ValueError(f"`values` is not for {self.type.value} columns")
        for value in self.values:
            if type(value) not in allowed:
                raise ValueError(f"{value!r} in `values` is no {self.type.value}")

    def _check_bounds(self) -> None:
        for name, bound in (("min", self.min), ("max", self.max)):
            if bound is None:
                continue
            if isinstance(bound, bool) or not (self.type.is_number or self.type.is_temporal):
                raise ValueError(f"`{name}` is not for {self.type.value} columns")
            if self.type.is_number and not (
                isinstance(bound, int | float) and math.isfinite(bound)
            ):
                raise ValueError(f"`{name}` of a {self.type.value} column must be a finite number")
            if self.type.is_temporal and not isinstance(bound, dt.date):
                raise ValueError(f"`{name}` of a {self.type.value} column must be a date")
        if (
            self.min is not None
            and self.max is not None
            and as_comparable(self.min) > as_comparable(self.max)
        ):
            raise ValueError(f"`min` ({self.min}) is greater than `max` ({self.max})")


def as_comparable(bound: Bound) -> float:
    """Return numbers as they are, dates and datetimes as seconds since the epoch (UTC)."""
    if isinstance(bound, dt.datetime):
        aware = bound if bound.tzinfo else bound.replace(tzinfo=dt.UTC)
        return aware.timestamp()
    if isinstance(bound, dt.date):
        return dt.datetime(bound.year, bound.month, bound.day, tzinfo=dt.UTC).timestamp()
    return float(bound)
