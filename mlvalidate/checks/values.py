"""F317 to F327: the values of output tables, against the declared datasets."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from mlvalidate.checks.base import Check, join_names
from mlvalidate.checks.evidence import Evidence, FileContent, PortContent
from mlvalidate.checks.sight import declared_tables
from mlvalidate.core.columns import Column
from mlvalidate.core.findings import Finding, Severity
from mlvalidate.core.scenarios import Trait
from mlvalidate.data.conformity import FaultKind
from mlvalidate.data.constraints import LEAST_ROWS_TO_VARY, should_vary

if TYPE_CHECKING:
    import pandas as pd


class ValueCheck(Check):
    """Makes findings of one kind of fault in the values of a column."""

    kind: ClassVar[FaultKind]
    # What is said behind "column 'x' of a.csv"; `fault` has the figures.
    saying: ClassVar[str]
    hint: ClassVar[str]

    @abstractmethod
    def concerns(self, column: Column) -> bool:
        """Tell whether the declaration of a column says anything that this check looks at."""

    def nothing_there(self, evidence: Evidence) -> str:
        columns = (column for file in declared_tables(evidence) for column in _columns(file))
        return "" if any(map(self.concerns, columns)) else "no dataset declares it of a column"

    def run(self, evidence: Evidence) -> Iterator[Finding]:
        for output, file, fault in evidence.faults_of(self.kind):
            said = self.saying.format(fault=fault, share=fault.count / max(fault.rows, 1))
            yield self.finding(
                evidence,
                f"output {output.port}: column {fault.column!r} of {file.name} {said}",
                hint=self.hint.format(dataset=file.dataset_name, column=fault.column),
                port=output.port,
                file=file.name,
                column=fault.column,
                examples=fault.examples,
            )


def _columns(file: FileContent) -> Iterator[Column]:
    """Yield the declared columns of a table, with what lies inside of them."""
    waiting = list(file.dataset.columns.values()) if file.dataset else []
    while waiting:
        column = waiting.pop()
        yield column
        waiting += [column.items] if column.items else []
        waiting += list((column.fields or {}).values())


class ValueMissing(ValueCheck):
    """A column of an output table has missing values, and its dataset declares none.

    What to do: fill or drop them before writing, or declare the share with `null` in the dataset.
    """

    code = "F317"
    kind = FaultKind.NULL
    saying = "has {fault.count} of {fault.rows} values missing, and none may be"
    hint = "fill or drop them, or declare `null` for {column} in dataset {dataset}"

    def concerns(self, column: Column) -> bool:
        return column.null == 0


class ManyValuesMissing(ValueCheck):
    """Far more values of an output column are missing than its dataset declares with `null`.

    More than twice the declared share, and more than chance explains; or all of them.

    What to do: look for a join that found nothing or a failed conversion; or raise `null`.
    """

    code = "F318"
    severity = Severity.WARNING
    excused_by = frozenset({Trait.SPARSE})
    kind = FaultKind.MANY_NULLS
    saying = "has {share:.1%} of its values missing; declared are {fault.expected}"
    hint = "a join that finds nothing and a failed conversion look like this; or raise `null`"

    def concerns(self, column: Column) -> bool:
        return column.null > 0


class ValueOutOfRange(ValueCheck):
    """Values of an output column lie outside `min` and `max` of the dataset.

    Rounding in the last digits doesn't count.

    What to do: look at the examples; correct the script, or the bounds.
    """

    code = "F319"
    kind = FaultKind.OUT_OF_RANGE
    saying = "has {fault.count} of {fault.rows} values out of range: expected {fault.expected}"
    hint = "correct the script, or `min` and `max` of {column} in dataset {dataset}"

    def concerns(self, column: Column) -> bool:
        return column.min is not None or column.max is not None


class ValueUnknown(ValueCheck):
    """An output column holds values that are not among the `values` of the dataset.

    Encoders and models downstream have never seen them.

    What to do: map them to known values before writing, or add them to `values`.
    """

    code = "F320"
    kind = FaultKind.UNKNOWN_VALUE
    saying = "has {fault.count} of {fault.rows} undeclared values: expected {fault.expected}"
    hint = "map them to known values, or add them to `values` of {column} in dataset {dataset}"

    def concerns(self, column: Column) -> bool:
        return column.values is not None


class TextMalformed(ValueCheck):
    """Texts of an output column break the `pattern`, `length` or `like` of the dataset.

    Identifiers that lost their leading zeros or gained `.0` are found here.

    What to do: look at the examples; correct the script, or the declaration.
    """

    code = "F321"
    kind = FaultKind.MALFORMED
    saying = "has {fault.count} of {fault.rows} texts of another form: expected {fault.expected}"
    hint = "numbers read as text lose zeros and gain `.0`; else correct dataset {dataset}"

    def concerns(self, column: Column) -> bool:
        return any(given is not None for given in (column.pattern, column.length, column.like))


class ValueRepeated(ValueCheck):
    """A column that the dataset declares `unique` holds values more than once.

    What to do: look for rows that were duplicated, by a join for example.
    """

    code = "F322"
    kind = FaultKind.NOT_UNIQUE
    saying = "is unique by contract, and {fault.count} of {fault.rows} values occur more than once"
    hint = "joins and concatenations duplicate rows; drop_duplicates removes them"

    def concerns(self, column: Column) -> bool:
        return column.unique


class KeyRepeated(Check):
    """Several rows of an output have the same `key`.

    All files of a port that share the dataset count as one table: the shards of a dataset must not
    overlap.

    What to do: look for rows that were duplicated, by a join or a concatenation for example.
    """

    code = "F323"

    def nothing_there(self, evidence: Evidence) -> str:
        keyed = any(file.dataset and file.dataset.key_columns for file in declared_tables(evidence))
        return "" if keyed else "no dataset declares a key"

    def run(self, evidence: Evidence) -> Iterator[Finding]:
        for output in evidence.outputs:
            for name in dict.fromkeys(file.dataset_name for file in output.files):
                files = [file for file in output.files if file.dataset_name == name]
                yield from self._repeated(evidence, output, files)

    def _repeated(
        self, evidence: Evidence, output: PortContent, files: list[FileContent]
    ) -> Iterator[Finding]:
        key = list(files[0].dataset.key_columns) if files[0].dataset else []
        keyed = _key_table(files, key) if key else None
        if keyed is None or (len(key) == 1 and keyed[key[0]].is_unique):
            return
        repeated = keyed[keyed.duplicated(subset=key, keep=False)]
        # A single column that is unique by itself has been reported as such.
        if not len(repeated) or (len(key) == 1 and _is_unique_column(files[0], key[0])):
            return
        # Reported for the first file: with several, the same rows often lie in two of them.
        places = list(dict.fromkeys(repeated["file"]))
        yield self.finding(
            evidence,
            f"output {output.port}: {len(repeated)} of {len(keyed)} rows of "
            f"{join_names(places, 3)} share their key {', '.join(key)} with another row",
            hint="joins and concatenations duplicate rows; drop_duplicates removes them",
            port=output.port,
            file=places[0],
            column=key[0],
            examples=[
                f"{row.pop('file')}: " + ", ".join(f"{name}={cell}" for name, cell in row.items())
                for row in repeated.sort_values(key).head(5).to_dict("records")
            ],
        )


def _key_table(files: list[FileContent], key: list[str]) -> pd.DataFrame | None:
    """Return the key columns of all files below each other, as text, with a column `file`."""
    import pandas as pd

    frames = [
        file.frame[key].astype("string").assign(file=file.name)
        for file in files
        if file.frame is not None and set(key) <= set(file.frame.columns)
        if file.frame.columns.is_unique
    ]
    return pd.concat(frames, ignore_index=True).dropna(subset=key) if frames else None


def _is_unique_column(file: FileContent, name: str) -> bool:
    return file.dataset is not None and file.dataset.columns[name].unique


class RuleBroken(Check):
    """Rows of an output table break a rule of the dataset, or a `derived` column is something else.

    What to do: look at the examples; correct the script, or the rule.
    """

    code = "F324"

    def nothing_there(self, evidence: Evidence) -> str:
        ruled = any(
            (file.dataset and file.dataset.rules)
            or any(column.derived for column in _columns(file))
            for file in declared_tables(evidence)
        )
        return "" if ruled else "no dataset declares rules"

    def run(self, evidence: Evidence) -> Iterator[Finding]:
        for output, file, fault in evidence.faults_of(FaultKind.BROKEN_RULE):
            said = fault.found or f"{fault.count} of {fault.rows} rows break it"
            yield self.finding(
                evidence,
                f"output {output.port}: rule `{fault.expected}` on {file.name}: {said}",
                hint=f"correct the script, or the rule in dataset {file.dataset_name}",
                port=output.port,
                file=file.name,
                examples=fault.examples,
            )


class NumberInfinite(ValueCheck):
    """An output column holds infinite numbers.

    A division by zero or the logarithm of zero; most models refuse to train on them.

    What to do: replace them before writing.
    """

    code = "F325"
    kind = FaultKind.NOT_FINITE
    saying = "has {fault.count} of {fault.rows} infinite values"
    hint = "look for a division by zero or a logarithm of zero"

    def concerns(self, column: Column) -> bool:
        return column.type.is_number


class ColumnConstant(ValueCheck):
    """A column holds one and the same value in every row, and its declaration has it vary.

    Constant predictions, a feature that lost its content, a label of one class. Columns count
    that declare several `values`, both bounds, `rate`, `label` or `unique`; tables of fewer than
    20 rows don't.

    What to do: look where the value comes from.
    """

    code = "F326"
    severity = Severity.WARNING
    excused_by = frozenset({Trait.UNIFORM})
    kind = FaultKind.CONSTANT
    saying = "holds the same value in all {fault.rows} rows"
    hint = "a model or a transformation that lost its input gives this"

    def concerns(self, column: Column) -> bool:
        return should_vary(column, LEAST_ROWS_TO_VARY)


class OrderBroken(ValueCheck):
    """A column that the dataset declares `monotone` goes the other way somewhere.

    What to do: sort the rows before writing.
    """

    code = "F327"
    kind = FaultKind.OUT_OF_ORDER
    saying = "should have {fault.expected}, and {fault.count} of {fault.rows} break the order"
    hint = "sort the rows by {column} before writing"

    def concerns(self, column: Column) -> bool:
        return column.monotone is not None


CHECKS: tuple[type[Check], ...] = (
    ValueMissing,
    ManyValuesMissing,
    ValueOutOfRange,
    ValueUnknown,
    TextMalformed,
    ValueRepeated,
    KeyRepeated,
    RuleBroken,
    NumberInfinite,
    ColumnConstant,
    OrderBroken,
)
