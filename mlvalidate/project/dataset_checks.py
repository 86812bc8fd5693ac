"""Checks what datasets say about each other, and whether derived columns lead anywhere."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter

from mlvalidate.core.contracts import Project
from mlvalidate.core.expressions import parse_expression
from mlvalidate.core.suggest import did_you_mean
from mlvalidate.project.report import Report


def check_datasets(project: Project, report: Report) -> None:
    """Add to ``report`` foreign keys that refer to nothing, and circles of columns or datasets."""
    for name, dataset in project.datasets.items():
        derived = {
            column: parse_expression(keys.derived).names
            for column, keys in dataset.columns.items()
            if keys.derived
        }
        own = {c: [name for name in names if name in derived] for c, names in derived.items()}
        cycle = _cycle(own)
        if cycle:
            path = ("datasets", name, "columns", cycle[0], "derived")
            report.add(path, f"the columns are derived from each other: {' -> '.join(cycle)}")
        for column, keys in dataset.columns.items():
            if keys.foreign_key:
                _check_foreign_key(project, name, column, keys.foreign_key, report)
    cycle = _cycle(
        {
            name: [
                keys.foreign_key.partition(".")[0]
                for keys in dataset.columns.values()
                if keys.foreign_key
            ]
            for name, dataset in project.datasets.items()
        }
    )
    if cycle:
        message = f"the foreign keys lead in a circle: {' -> '.join(cycle)}"
        report.add_at_key(("datasets", cycle[0]), message)


def _check_foreign_key(
    project: Project, name: str, column: str, reference: str, report: Report
) -> None:
    path = ("datasets", name, "columns", column, "foreign_key")
    target, _, key = reference.partition(".")
    if target not in project.datasets:
        hint = did_you_mean(target, project.datasets)
        report.add(path, f"there is no dataset {target!r}", hint)
    elif key not in project.datasets[target].columns:
        hint = did_you_mean(key, project.datasets[target].columns)
        report.add(path, f"dataset {target!r} has no column {key!r}", hint)


def _cycle(graph: dict[str, list[str]]) -> list[str]:
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        cycle: list[str] = error.args[1]
        return cycle
    return []
