"""F30x and F31x: what is inside the output files, against the declared datasets."""

from __future__ import annotations

import json
import tarfile
import zipfile
from collections.abc import Iterator

from mlvalidate.checks.base import Check
from mlvalidate.checks.evidence import Evidence, FileContent
from mlvalidate.checks.sight import Sight
from mlvalidate.core.contracts import FileKind
from mlvalidate.core.findings import Finding, Severity
from mlvalidate.core.units import format_size
from mlvalidate.data.conformity import FaultKind
from mlvalidate.data.limits import LIMITS


class FileUnreadable(Check):
    """A file can't be read as what the contract declares it to be.

    A table that is no csv (or parquet, or JSON), a `json` file that does not parse, an `archive`
    that is no tar or zip file. NaN and Infinity are no JSON either: other readers stop at them.

    What to do: the message has the reader's reason; check format, delimiter and encoding.
    """

    code = "F307"
    looks_at = Sight.FILES

    def run(self, evidence: Evidence) -> Iterator[Finding]:
        for output in evidence.outputs:
            for file in output.files:
                # Plain files are read as tables to show them; that they can't be is no fault.
                reason = (file.unreadable if file.dataset else "") or _kind_problem(file)
                if reason:
                    declared = file.dataset_name or (file.kind.value if file.kind else "")
                    yield self.finding(
                        evidence,
                        f"output {output.port}: {file.name} can't be read as {declared}: {reason}",
                        hint="check format, delimiter and encoding",
                        port=output.port,
                        file=file.name,
                    )


def _kind_problem(file: FileContent) -> str:
    if file.problem or file.size == 0:
        return ""
    if file.kind is FileKind.JSON and not _too_large(file):
        try:
            with file.path.open("rb") as stream:
                json.load(stream, parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            return str(error)
    if file.kind is FileKind.ARCHIVE and not (
        tarfile.is_tarfile(file.path) or zipfile.is_zipfile(file.path)
    ):
        return "it is no tar or zip file"
    return ""


def _refuse_constant(name: str) -> None:
    raise ValueError(f"it holds {name}, which Python writes and JSON does not have")


def _too_large(file: FileContent) -> str:
    """Return why a file that is declared to be JSON is not parsed, or ''."""
    if file.kind is not FileKind.JSON or file.size <= LIMITS.json:
        return ""
    return f"it holds more than {format_size(LIMITS.json)} of JSON"


class ColumnMissing(Check):
    """An output table lacks a column that its dataset declares.

    What to do: write the column, correct its name, or mark it `optional` in the dataset.
    """

    code = "F311"
    looks_at = Sight.DATASETS

    def run(self, evidence: Evidence) -> Iterator[Finding]:
        for output, file, fault in evidence.faults_of(FaultKind.MISSING_COLUMN):
            yield self.finding(
                evidence,
                f"output {output.port}: {file.name} has no column {fault.column!r}",
                hint=fault.suggestion,
                port=output.port,
                file=file.name,
                column=fault.column,
            )


class ColumnUndeclared(Check):
    """An output table has a column that its dataset does not declare.

    Models trained on whatever columns there are pick it up without anybody noticing. A column that
    only has another name than a missing one is reported there (F311).

    What to do: declare the column, or drop it before writing.
    """

    code = "F312"
    looks_at = Sight.DATASETS
    severity = Severity.WARNING

    def run(self, evidence: Evidence) -> Iterator[Finding]:
        for output, file, fault in evidence.faults_of(FaultKind.UNDECLARED_COLUMN):
            if fault.counterpart:
                continue
            yield self.finding(
                evidence,
                f"output {output.port}: {file.name} has the undeclared column {fault.column!r}",
                hint=fault.suggestion or f"declare it in dataset {file.dataset_name}, or drop it",
                port=output.port,
                file=file.name,
                column=fault.column,
            )


class ColumnType(Check):
    """A column of an output table does not hold values of its declared type.

    What a file format does to types is taken into account: integers with gaps come out of a csv
    file as floats, dates as text. What is left is a real difference, shown with examples.

    What to do: convert the column before writing, or correct the dataset.
    """

    code = "F313"
    looks_at = Sight.DATASETS

    def run(self, evidence: Evidence) -> Iterator[Finding]:
        for output, file, fault in evidence.faults_of(FaultKind.WRONG_TYPE):
            yield self.finding(
                evidence,
                f"output {output.port}: column {fault.column!r} of {file.name} should be "
                f"{fault.expected} and is {fault.found}",
                hint=f"convert it, or change its type in dataset {file.dataset_name}",
                port=output.port,
                file=file.name,
                column=fault.column,
                examples=fault.examples,
            )


class ColumnDuplicated(Check):
    """An output table has several columns of the same name.

    Readers differ in what they make of it: pandas appends `.1` to the second, others take the last
    or fail.

    What to do: drop or rename all but one; `pd.concat(axis=1)` and merges are frequent causes.
    """

    code = "F314"
    looks_at = Sight.TABLES

    def run(self, evidence: Evidence) -> Iterator[Finding]:
        for output, file, fault in evidence.faults_of(FaultKind.DUPLICATE_COLUMN):
            yield self.finding(
                evidence,
                f"output {output.port}: {file.name} has {fault.found or 'several columns'}: "
                f"{fault.column!r}",
                hint="drop or rename all but one",
                port=output.port,
                file=file.name,
                column=fault.column,
            )


class NotJudged(Check):
    """A declared file was too large to be judged whole.

    Of csv and parquet tables the columns and the number of rows are judged nevertheless, the values
    are not. See [how outputs are read](../data.md#how-outputs-are-read) for the limits.

    What to do: test with fewer rows (`--rows`).
    """

    code = "F316"
    looks_at = Sight.FILES
    severity = Severity.WARNING

    def run(self, evidence: Evidence) -> Iterator[Finding]:
        for output in evidence.outputs:
            for file in output.files:
                skipped = file.skipped if file.dataset is not None else _too_large(file)
                if skipped:
                    judged = ", except for its columns" if file.outline else ""
                    judged += " and rows" if file.outline and file.rows is not None else ""
                    yield self.finding(
                        evidence,
                        f"output {output.port}: {file.name} was not judged{judged}: {skipped}",
                        hint="test with fewer rows: --rows",
                        port=output.port,
                        file=file.name,
                    )


CHECKS: tuple[type[Check], ...] = (
    FileUnreadable,
    ColumnMissing,
    ColumnUndeclared,
    ColumnType,
    ColumnDuplicated,
    NotJudged,
)
