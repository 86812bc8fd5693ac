"""The checks that a project declares: under `checks:` of a step or of a pipeline.

A check is one word, or a mapping of one word to what it needs.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, ConfigDict, Field, field_validator, model_validator

from mlvalidate.core.model import Model
from mlvalidate.core.suggest import did_you_mean

Names = Annotated[
    tuple[str, ...],
    BeforeValidator(lambda value: [value] if isinstance(value, str) else value),
    Field(
        min_length=1,
        json_schema_extra=lambda schema: schema.update(
            {"type": ["array", "string"], "items": {"type": "string"}}
        ),
    ),
]


class RowsCheck(Model):
    """How many rows come out for those that go in."""

    model_config = ConfigDict(populate_by_name=True)

    source: Names = Field(alias="from", description="Input ports whose rows are counted")
    target: Names = Field(alias="to", description="Output ports whose rows are counted")
    ratio: tuple[float, float] = Field(
        default=(1.0, 1.0), description="[least, greatest] rows out per row in"
    )

    @field_validator("ratio")
    @classmethod
    def _is_interval(cls, value: tuple[float, float]) -> tuple[float, float]:
        if not 0 <= value[0] <= value[1]:
            raise ValueError("`ratio` is [least, greatest], both at least 0")
        return value


class DisjointCheck(Model):
    """No two of the ports have a key in common."""

    between: Names = Field(description="Output ports, such as train and test")
    on: Names = Field(description="Columns that identify a row")

    @field_validator("between")
    @classmethod
    def _are_several(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(value)) < 2:
            raise ValueError("`between` names two ports or more")
        return value


class UniqueCheck(Model):
    """No two rows of a port have the same values."""

    port: str = Field(description="Output port")
    on: Names = Field(description="Columns whose values together occur once")


class ForeignKeyCheck(Model):
    """Values of a column are found in a column of another port."""

    model_config = ConfigDict(populate_by_name=True)

    source: str = Field(alias="from", description="port.column whose values are looked up")
    target: str = Field(alias="to", description="port.column that has them, of an input or output")

    @field_validator("source", "target")
    @classmethod
    def _is_port_and_column(cls, value: str) -> str:
        if not all(value.partition(".")):
            raise ValueError(f"expected port.column, got {value!r}")
        return value


class LabelCheck(Model):
    """The label is not among the features, under its name or another."""

    ports: Names = Field(description="Output ports that hold features")
    label: str | None = Field(default=None, description="Default: the dataset's label")
    ignore: tuple[str, ...] = Field(default=(), description="Columns that may foretell it")


class CategoriesCheck(Model):
    """Categories of some ports are known from another."""

    known: str = Field(description="Port that the model learns from, such as train")
    ports: Names = Field(description="Ports whose categories must be known")


class SchemaCheck(Model):
    """Several ports have the same columns of the same types."""

    ports: Names = Field(description="Output ports")


class RepeatCheck(Model):
    """The step is run a second time, and the outputs are compared."""

    ignore: tuple[str, ...] = Field(
        default=(), description="port/file globs that may differ, such as report/*.html"
    )
    row_order: Literal["strict", "ignore"] = Field(
        default="strict", description="ignore: tables may have their rows in another order"
    )
    tolerance: float = Field(default=0.0, ge=0, description="Relative, between numbers of tables")


class ShuffleCheck(Model):
    """The step is run a second time on input tables with their rows in another order."""

    ignore: tuple[str, ...] = Field(default=(), description="port/file globs that may differ")
    tolerance: float = Field(default=1e-9, ge=0, description="Relative, between numbers of tables")


class JsonSchemaCheck(Model):
    """An output file satisfies a JSON Schema."""

    model_config = ConfigDict(populate_by_name=True)

    file: str = Field(description="port/file.json")
    json_schema_file: str = Field(
        alias="schema", description="JSON Schema (JSON or YAML), relative to the project"
    )

    @field_validator("file")
    @classmethod
    def _is_port_and_file(cls, value: str) -> str:
        return _port_and_file(value)


class ArchiveCheck(Model):
    """An archive holds some members and lacks others."""

    file: str = Field(description="port/file.tar.gz; of a training step also model/model.tar.gz")
    members: tuple[str, ...] = Field(default=(), description="Names or globs that must be there")
    forbidden: tuple[str, ...] = Field(default=(), description="Names or globs that must not")
    json_members: tuple[str, ...] = Field(
        default=(), description="Names of members that must be there and hold JSON"
    )

    @field_validator("file")
    @classmethod
    def _is_port_and_file(cls, value: str) -> str:
        return _port_and_file(value)


def _port_and_file(value: str) -> str:
    if not all(value.partition("/")) or ".." in PurePosixPath(value).parts:
        raise ValueError(f"expected port/file, got {value!r}")
    return value


class PortsCheck(Model):
    """Ports that a check looks at."""

    ports: Names | None = Field(default=None, description="Output ports (default: all)")


class Nothing(Model):
    """A check that needs nothing."""


class DeclaredCheck(Model):
    """One check of a step: exactly one of the keys."""

    rows: RowsCheck | None = Field(default=None, description="Rows out against rows in")
    disjoint: DisjointCheck | None = Field(default=None, description="Splits share no key")
    unique: UniqueCheck | None = Field(default=None, description="Values occur once")
    foreign_key: ForeignKeyCheck | None = Field(
        default=None, description="Values are found in another column"
    )
    no_label_in: LabelCheck | None = Field(
        default=None, description="Features do not give the label away"
    )
    finite: PortsCheck | None = Field(default=None, description="No infinite numbers")
    known_categories: CategoriesCheck | None = Field(
        default=None, description="No category that the training data lacks"
    )
    same_schema: SchemaCheck | None = Field(default=None, description="Same columns and types")
    deterministic: RepeatCheck | None = Field(
        default=None, description="A second run gives the same outputs"
    )
    row_order_invariant: ShuffleCheck | None = Field(
        default=None, description="The order of the input's rows does not matter"
    )
    inputs_unchanged: Nothing | None = Field(
        default=None, description="The script does not write to its inputs"
    )
    json_schema: JsonSchemaCheck | None = Field(
        default=None, description="A JSON file fits a JSON Schema"
    )
    archive: ArchiveCheck | None = Field(default=None, description="What an archive holds")
    check: str | None = Field(
        default=None, description="package.module:function or file.py:function of yours"
    )

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        given = [name for name in type(self).model_fields if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError("a check is one word, or one key with what it needs")
        return self

    @field_validator("check")
    @classmethod
    def _names_function(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"[\w./-]+:[A-Za-z_]\w*", value):
            raise ValueError(f"expected package.module:function or file.py:function, got {value!r}")
        return value


class EqualCheck(Model):
    """Figures of two steps are the same."""

    figures: tuple[str, str] = Field(description="Two figures, such as evaluate.auc and score.auc")
    tolerance: float = Field(default=1e-9, ge=0, description="Greatest difference between the two")


class AgreeCheck(Model):
    """Rows of two outputs that have the same key have the same values."""

    ports: tuple[str, str] = Field(
        description="Two outputs, such as evaluate.predictions and score.scores"
    )
    on: Names = Field(description="Columns that identify a row in both")
    columns: Names = Field(description="Columns whose values are the same")
    tolerance: float = Field(default=1e-9, ge=0, description="Greatest difference of numbers")

    @field_validator("ports")
    @classmethod
    def _are_outputs(cls, value: tuple[str, str]) -> tuple[str, str]:
        for end in value:
            if not all(end.partition(".")):
                raise ValueError(f"expected node.output, got {end!r}")
        return value


class PipelineCheck(Model):
    """One check of a pipeline: exactly one of the keys."""

    equal: EqualCheck | None = Field(
        default=None, description="Figures of two steps agree: no train/serve skew"
    )
    agree: AgreeCheck | None = Field(
        default=None, description="Two steps say the same of the same rows: no train/serve skew"
    )

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if (self.equal is None) == (self.agree is None):
            raise ValueError("a check of a pipeline is one of `equal` and `agree`")
        return self


def read_word(value: object) -> object:
    """Accept `deterministic` for `{deterministic: {}}`."""
    if not isinstance(value, str):
        return value
    known = tuple(DeclaredCheck.model_fields)
    if value not in known:
        raise ValueError(f"there is no check {value!r}: {did_you_mean(value, known)}")
    return {value: {}}


def allow_word(schema: dict[str, Any]) -> None:
    """Tell JSON Schema what `read_word` accepts beside the mapping."""
    schema["items"] = {"anyOf": [{"type": "string"}, schema["items"]]}
