"""Datasets: named schemas of tabular files, as declared in the project file."""

from __future__ import annotations

import codecs
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BeforeValidator,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)

from mlvalidate.core.columns import Column
from mlvalidate.core.expressions import parse_expression
from mlvalidate.core.model import Model

# Words for a `reference`; anything else is a path.
INPUT, SAMPLE, BASELINE = "input", "sample", "baseline"
REFERENCE_WORDS = (INPUT, SAMPLE, BASELINE)

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_-]*$", max_length=100)]


class FileFormat(StrEnum):
    """The tabular formats that can be written, read and judged."""

    CSV = "csv"
    TSV = "tsv"
    PARQUET = "parquet"
    JSON = "json"
    JSONL = "jsonl"


class Compression(StrEnum):
    """How the bytes of a file are packed."""

    NONE = "none"
    GZIP = "gzip"
    BZ2 = "bz2"
    XZ = "xz"
    ZSTD = "zstd"


_UNKNOWN_TO_PARQUET = (Compression.BZ2, Compression.XZ)


class Dialect(Model):
    """How delimited text is written, where it is not the usual way."""

    delimiter: str | None = Field(
        default=None, min_length=1, max_length=1, description="Default: `,` for csv, tab for tsv"
    )
    quote: str = Field(default='"', min_length=1, max_length=1)
    quoting: Literal["minimal", "all"] = Field(
        default="minimal", description="Which fields stand in quotes"
    )
    encoding: str = Field(default="utf-8", description="Name of a Python codec")
    line_end: Literal["lf", "crlf"] = "lf"
    null: str = Field(default="", description="Text that stands for a missing value")
    decimal: Literal[".", ","] = Field(default=".", description="Decimal mark of floats")

    @field_validator("encoding")
    @classmethod
    def _is_codec(cls, value: str) -> str:
        try:
            "".encode(value)  # some codecs are not for text
            return codecs.lookup(value).name
        except LookupError:
            raise ValueError(f"there is no encoding {value!r}") from None

    @field_validator("delimiter", "quote")
    @classmethod
    def _is_one_byte(cls, value: str | None) -> str | None:
        if value is not None and (not value.isascii() or value in "\r\n\0"):
            raise ValueError("expected one ASCII character that ends no line")
        return value

    @model_validator(mode="after")
    def _marks_differ(self) -> Self:
        if self.quote in (self.delimiter, self.decimal) or self.delimiter == self.decimal:
            raise ValueError("`delimiter`, `quote` and `decimal` must differ")
        marks = filter(None, ("\r", "\n", self.quote, self.delimiter))
        if any(mark in self.null for mark in marks):
            raise ValueError("`null` must hold no `delimiter`, no `quote` and no end of a line")
        return self


class Rule(Model):
    """What holds between the columns of one row: `then`, wherever `when` does."""

    when: str | None = Field(default=None, description="Expression; without it every row counts")
    then: str = Field(description="Expression that must be true (null counts as true)")

    @field_validator("when", "then")
    @classmethod
    def _is_expression(cls, value: str | None) -> str | None:
        if value is not None:
            parse_expression(value)
        return value

    @property
    def text(self) -> str:
        """The rule as one line."""
        return self.then if self.when is None else f"{self.then} where {self.when}"


def _rules(value: object) -> object:
    """Accept a bare expression for a rule that holds in every row."""
    if not isinstance(value, list | tuple):
        return value
    return [{"then": item} if isinstance(item, str) else item for item in value]


def _allow_expressions(schema: dict[str, Any]) -> None:
    """Tell JSON Schema what `_rules` accepts beside mappings."""
    schema["items"] = {"anyOf": [{"type": "string"}, schema["items"]]}


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
    rules: Annotated[tuple[Rule, ...], BeforeValidator(_rules)] = Field(
        default=(),
        description="Expressions that hold in every row, or mappings `when`/`then`",
        json_schema_extra=_allow_expressions,
    )
    correlations: dict[str, dict[str, float]] = Field(
        default_factory=dict,
        description="Column -> other column -> rank correlation (Spearman), from -1 to 1",
    )
    shards: int = Field(
        default=1, ge=1, le=10_000, description="Files that the rows are split over"
    )
    header: bool = Field(default=True, description="False: delimited files begin with data")
    dialect: Dialect = Field(default=Dialect(), description="How delimited text is written")
    compression: Compression | None = Field(
        default=None, description="Default: as the ending of the name says (.gz, .bz2, .xz, .zst)"
    )
    notes: tuple[str, ...] = Field(
        default=(),
        description="What readers have to know, such as what a `schema` says and no key here can",
    )
    reference: str | None = Field(
        default=None,
        description="What the drift of outputs is measured against: `input`, `sample`, `baseline`, "
        "or a file or folder",
    )
    column_figures: bool = Field(
        default=False, description="Figures of each column for MLflow and gates, not of ports only"
    )

    @property
    def key_columns(self) -> tuple[str, ...]:
        """The key as a tuple, empty where none is declared."""
        if self.key is None:
            return ()
        return (self.key,) if isinstance(self.key, str) else self.key

    @property
    def label(self) -> str | None:
        """The column that a model learns to predict, if one is declared."""
        return next((name for name, column in self.columns.items() if column.label), None)

    @model_validator(mode="after")
    def _refers_to_a_sample_that_is_there(self) -> Self:
        if self.reference == SAMPLE and self.sample is None:
            raise ValueError("`reference: sample` needs a `sample`")
        return self

    @model_validator(mode="after")
    def _expressions_name_columns(self) -> Self:
        for name, column in self.columns.items():
            if column.derived:
                self._check_names(f"column {name!r}: `derived`", column.derived)
        for rule in self.rules:
            for text in filter(None, (rule.when, rule.then)):
                self._check_names("a rule", text)
        return self

    def _check_names(self, where: str, text: str) -> None:
        for name in parse_expression(text).names:
            if name not in self.columns:
                raise ValueError(f"{where} names {name!r}, which is not among the columns")

    @model_validator(mode="after")
    def _correlates_ordered_columns(self) -> Self:
        for name, others in self.correlations.items():
            for other, value in others.items():
                for each in (name, other):
                    if each not in self.columns:
                        raise ValueError(
                            f"`correlations` names {each!r}, which is not among the columns"
                        )
                    if self.columns[each].derived or self.columns[each].type.is_nested:
                        raise ValueError(f"`correlations`: column {each!r} has no order of its own")
                if name == other or not -1 <= value <= 1:
                    raise ValueError("`correlations` are from -1 to 1, between two columns")
        return self

    def foretells(self, name: str) -> bool:
        """Tell whether a model could learn from a column: texts, keys and the label say nothing."""
        column = self.columns[name]
        is_key = name in self.key_columns or column.unique or column.foreign_key is not None
        is_drawn = not is_key and column.derived is None and not column.label
        return is_drawn and not column.type.is_textual and not column.type.is_nested

    @model_validator(mode="after")
    def _label_is_foretold_by_columns_that_can(self) -> Self:
        for label, column in self.columns.items():
            for name in column.signal if isinstance(column.signal, dict) else ():
                where = f"column {label!r}: `signal` names {name!r}, "
                if name not in self.columns:
                    raise ValueError(f"{where}which is not among the columns")
                if not self.foretells(name):
                    raise ValueError(
                        f"{where}but keys, unique, derived, text and nested columns, and the label "
                        "itself, foretell nothing"
                    )
        return self

    @model_validator(mode="after")
    def _is_text_where_text_is_shaped(self) -> Self:
        delimited = self.format in (FileFormat.CSV, FileFormat.TSV)
        if not delimited and (not self.header or self.dialect != Dialect()):
            raise ValueError(f"`header` and `dialect` are for csv and tsv, not {self.format.value}")
        if self.format is FileFormat.PARQUET and self.compression in _UNKNOWN_TO_PARQUET:
            raise ValueError(f"parquet has no `compression: {self.compression.value}`")
        usual = "," if self.format is FileFormat.CSV else "\t"
        marks = self.dialect.decimal + self.dialect.quote + self.dialect.null
        if delimited and self.dialect.delimiter is None and usual in marks:
            raise ValueError(f"`dialect` needs a `delimiter` other than {usual!r}")
        return self

    @model_validator(mode="after")
    def _can_be_written(self) -> Self:
        """Check that names and values are in the encoding, and none is the word for null."""
        delimited = self.format in (FileFormat.CSV, FileFormat.TSV)
        for name, column in self.columns.items():
            texts = [value for value in column.values or () if isinstance(value, str)]
            for text in (name, *texts):
                try:
                    text.encode(self.dialect.encoding)
                except UnicodeEncodeError:
                    raise ValueError(
                        f"column {name!r}: the encoding {self.dialect.encoding} of the `dialect`"
                        f" can't hold {text!r}"
                    ) from None
                # A file with that character is read as binary, here and by others.
                if delimited and "\0" in text:
                    raise ValueError(f"column {name!r}: {self.format.value} can't hold {text!r}")
            if self.dialect.null and self.dialect.null in texts:
                raise ValueError(
                    f"column {name!r}: {self.dialect.null!r} is one of its `values`, and the"
                    " `null` of the `dialect`"
                )
        return self

    @model_validator(mode="after")
    def _key_exists(self) -> Self:
        for name in self.key_columns:
            if name not in self.columns:
                raise ValueError(f"`key` names {name!r}, which is not among the columns")
            if self.columns[name].null:
                raise ValueError(f"column {name!r} is part of the key and can't have `null`")
        return self
