"""Datasets: named schemas of tabular files, as declared in the project file."""

from __future__ import annotations

import datetime as dt
import math
import re
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from mlvalidate.core.model import Model

Bound = int | float | dt.datetime | dt.date
Scalar = bool | int | float | str
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_-]*$", max_length=100)]


class FileFormat(StrEnum):
    """The tabular formats that can be written, read and judged."""

    CSV = "csv"
    TSV = "tsv"
    PARQUET = "parquet"
    JSON = "json"
    JSONL = "jsonl"


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

    @property
    def is_number(self) -> bool:
        return self in (ColumnType.INTEGER, ColumnType.FLOAT)

    @property
    def is_temporal(self) -> bool:
        return self in (ColumnType.DATETIME, ColumnType.DATE)

    @property
    def is_textual(self) -> bool:
        return self in (ColumnType.STRING, ColumnType.TEXT)


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
            if not kind.is_textual:
                raise ValueError(f"`length` is for string and text columns, not for {kind.value}")
            if not 0 <= self.length[0] <= self.length[1]:
                raise ValueError("`length` is [least, greatest], both at least 0")
        if self.rate is not None and kind not in (ColumnType.BOOLEAN, ColumnType.INTEGER):
            raise ValueError("`rate` is for boolean and 0/1 integer columns")
        self._check_bounds()
        return self

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


class Dataset(Model):
    """A named schema of tabular files."""

    format: FileFormat = FileFormat.CSV
    description: str = ""
    rows: int = Field(default=1000, ge=1, description="Rows to generate")
    sample: str | None = Field(
        default=None, description="File or folder with real rows, used by --data sample"
    )
    key: str | tuple[str, ...] | None = Field(
        default=None, description="Column or columns that identify a row; their values are unique"
    )
    columns: dict[str, Column] = Field(min_length=1)

    @property
    def key_columns(self) -> tuple[str, ...]:
        """The key as a tuple, empty where none is declared."""
        if self.key is None:
            return ()
        return (self.key,) if isinstance(self.key, str) else self.key

    @model_validator(mode="after")
    def _key_exists(self) -> Self:
        for name in self.key_columns:
            if name not in self.columns:
                raise ValueError(f"`key` names {name!r}, which is not among the columns")
            if self.columns[name].null:
                raise ValueError(f"column {name!r} is part of the key and can't have `null`")
        return self
