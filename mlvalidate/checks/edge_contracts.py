"""C111: the two ends of an edge, as their contracts have them."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatch

from mlvalidate.checks.base import Rule
from mlvalidate.core.columns import Column
from mlvalidate.core.contracts import FileKind, Port, Project, Step
from mlvalidate.core.findings import Finding
from mlvalidate.core.plan import Origin, Plan, PlannedInput, PlannedStep
from mlvalidate.core.suggest import did_you_mean


class EdgeUnfit(Rule):
    """What a producer declares to write can't be what the consumer of the edge declares to read.

    The consumer's dataset has a column that the producer's lacks, or of another type; the formats
    differ; or no declared file of the producer matches what the consumer wants.

    What to do: make the two contracts agree, or correct the edge.
    """

    code = "C111"


def judge_edges(project: Project, plan: Plan) -> Iterator[Finding]:
    """Yield a finding for each edge whose two contracts exclude each other."""
    for planned in plan.steps:
        for item in planned.inputs:
            if item.origin is Origin.EDGE and not item.subpath:
                produced = _files(plan.step(item.producer).step, item.output)
                wanted = planned.step.inputs[item.port]
                for said, hint in _problems(project, produced, wanted):
                    yield _finding(plan, planned, item, said, hint)


def _files(step: Step, output: str) -> dict[str, str]:
    """Return the files that reach the consumers of an output, as declared."""
    archive = step.archive_name(output)
    return {archive: FileKind.ARCHIVE.value} if archive else step.outputs[output].files


def _problems(
    project: Project, produced: dict[str, str], wanted: Port
) -> Iterator[tuple[str, str]]:
    if not produced or not wanted.files:
        return
    for pattern, declared in wanted.files.items():
        matching = [name for name in produced if _may_match(name, pattern)]
        if not matching:
            if wanted.required:
                yield f"it declares no file {pattern}", did_you_mean(pattern, produced)
            continue
        for name in matching:
            other = produced[name]
            if other != declared and {other, declared} <= set(project.datasets):
                yield from _unfit_columns(project, other, declared)


def _may_match(produced: str, wanted: str) -> bool:
    """Tell whether a file can be meant by both names; two globs may always."""
    if any(sign in produced for sign in "*?["):
        return any(sign in wanted for sign in "*?[") or fnmatch(wanted, produced)
    return produced == wanted or fnmatch(produced, wanted)


def _unfit_columns(project: Project, produced: str, wanted: str) -> Iterator[tuple[str, str]]:
    ours, theirs = project.datasets[produced], project.datasets[wanted]
    if ours.format is not theirs.format:
        yield f"dataset {produced} is {ours.format}, and {wanted} is {theirs.format}", ""
        return
    for name, column in theirs.columns.items():
        other = ours.columns.get(name)
        if other is None:
            if not column.optional:
                hint = did_you_mean(name, ours.columns)
                yield f"dataset {produced} has no column {name!r}, which {wanted} has", hint
        elif not _compatible(other, column):
            yield (
                f"column {name!r} is {other.type.value} in dataset {produced} and "
                f"{column.type.value} in {wanted}",
                "",
            )


def _compatible(produced: Column, wanted: Column) -> bool:
    if produced.type is wanted.type or "category" in (produced.type, wanted.type):
        return True
    if produced.type.is_textual:
        return wanted.type.is_textual
    if produced.type.is_temporal:
        return wanted.type.is_temporal
    # Whole numbers and booleans may be read as numbers.
    return produced.type in ("integer", "boolean") and wanted.type in ("integer", "float")


def _finding(plan: Plan, planned: PlannedStep, item: PlannedInput, said: str, hint: str) -> Finding:
    return Finding(
        code=EdgeUnfit.code,
        severity=EdgeUnfit.severity,
        message=f"output {item.output}: {said}; {planned.node}.{item.port} reads it",
        step=item.producer,
        observed_in=planned.node,
        port=item.output,
        hint=hint or "make the two contracts agree",
        reproduce=plan.command,
    )
