"""Checks that samples fit the datasets that name them, before anything runs on them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from mlvalidate.core.contracts import Project
from mlvalidate.core.datasets import Dataset
from mlvalidate.core.errors import UsageError
from mlvalidate.core.plan import Origin, Plan
from mlvalidate.data.errors import UnreadableFile
from mlvalidate.data.faults import Fault, FaultKind

# Reading more would keep people waiting; the steps that get such a sample will tell.
MOST_BYTES = 50_000_000
MOST_BYTES_AT_ONCE = 5_000_000  # for commands that answer at once
MOST_PROBLEMS = 20
_WORDS = {
    FaultKind.MISSING_COLUMN: "is not there",
    FaultKind.UNDECLARED_COLUMN: "is not declared",
    FaultKind.DUPLICATE_COLUMN: "occurs twice",
    FaultKind.WRONG_TYPE: "is of another type",
    FaultKind.NULL: "has missing values, and no `null` is declared",
    FaultKind.NOT_FINITE: "has numbers that are not finite",
    FaultKind.OUT_OF_RANGE: "has values out of range",
    FaultKind.UNKNOWN_VALUE: "has values that are not among `values`",
    FaultKind.MALFORMED: "has texts of another form",
    FaultKind.NOT_UNIQUE: "has values that occur twice",
    FaultKind.OUT_OF_ORDER: "is not in order",
    FaultKind.BROKEN_RULE: "breaks a rule",
}


def check_samples(project: Project, plan: Plan) -> None:
    """Raise UsageError when a sample that the plan uses does not fit its dataset.

    The message names key, file and column of every problem, with examples.
    """
    used = {
        file.dataset: file.copied_from
        for step in plan.steps
        for item in step.inputs
        for file in item.files
        if item.origin is Origin.SAMPLE and file.dataset and file.copied_from
    }
    _refuse(list(sample_problems(project, used)))


def check_small_samples(project: Project) -> None:
    """Raise UsageError when a sample of up to 5 MB does not fit its dataset."""
    _refuse(list(sample_problems(project, most_bytes=MOST_BYTES_AT_ONCE)))


def _refuse(problems: list[str]) -> None:
    if not problems:
        return
    shown = problems[:MOST_PROBLEMS]
    if len(problems) > MOST_PROBLEMS:
        shown.append(f"... and {len(problems) - MOST_PROBLEMS} more")
    raise UsageError(
        "\n".join(shown),
        "correct the sample or the dataset; `mlvalidate infer` prints a dataset that fits",
    )


def sample_problems(
    project: Project, names: Iterable[str] | None = None, most_bytes: int | None = None
) -> Iterator[str]:
    """Yield what is wrong with the samples of datasets (default: of all), a line each.

    Files of more than ``most_bytes`` (default: 50 MB) are not read.
    """
    limit = MOST_BYTES if most_bytes is None else most_bytes
    for name in project.datasets if names is None else names:
        dataset = project.datasets[name]
        if dataset.sample is None:
            continue
        path = project.path(dataset.sample)
        files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
        for file in files:
            if file.stat().st_size <= limit:
                where = f"datasets.{name}.sample: {file.relative_to(path.parent)}"
                yield from (f"{where}: {what}" for what in _problems_of(file, dataset))


def _problems_of(file: Path, dataset: Dataset) -> Iterator[str]:
    from mlvalidate.data.conformity import find_faults
    from mlvalidate.data.files import TooLarge, guess_format, read_table

    format = guess_format(file) or dataset.format
    try:
        frame = read_table(file, format, dataset)
    except TooLarge:
        return  # such files are not compared, however small they are on disk
    except UnreadableFile as error:
        yield f"can't be read as {format.value}: {error}"
        return
    for fault in find_faults(frame, dataset, format):
        if fault.kind in _WORDS:
            yield _describe(fault)


def _describe(fault: Fault) -> str:
    if fault.kind is FaultKind.BROKEN_RULE:
        subject = f"the rule `{fault.expected}` does not hold"
        facts = [fault.found] if fault.found else []
    else:
        subject = f"column {fault.column!r} {_WORDS[fault.kind]}"
        told = fault.kind is FaultKind.UNDECLARED_COLUMN or not fault.expected
        facts = [] if told else [f"expected {fault.expected}"]
    if fault.count:
        facts.append(f"{fault.count} of {fault.rows} rows")
    if fault.examples:
        facts.append(f"for example {fault.examples[0]}")
    if fault.suggestion:
        facts.append(fault.suggestion)
    return f"{subject} ({'; '.join(facts)})" if facts else subject
