"""Checks that the datasets of inputs can be generated, before anything runs on them."""

from __future__ import annotations

from collections.abc import Iterable

from mlvalidate.core.contracts import Project
from mlvalidate.core.errors import UsageError
from mlvalidate.core.plan import Plan


def check_declarations(project: Project, plan: Plan) -> None:
    """Raise UsageError when the plan generates a dataset that no table satisfies."""
    used = {
        file.dataset: None
        for step in plan.steps
        for item in step.inputs
        for file in item.files
        if file.dataset and file.copied_from is None
    }
    _refuse(project, used, plan.rows)


def check_input_declarations(project: Project) -> None:
    """Raise UsageError when a dataset of an input, or one it refers to, can't be generated."""
    named = {
        name
        for step in project.steps.values()
        for port in step.inputs.values()
        for name in port.files.values()
        if name in project.datasets and project.datasets[name].sample is None
    }
    _refuse(project, sorted(named), None)


def _refuse(project: Project, names: Iterable[str], rows: int | None) -> None:
    from mlvalidate.data.satisfiability import impossible_columns

    problems = [
        f"datasets.{name}.columns.{column}: {problem}"
        for name in _with_referred(project, names)
        for column, problem in impossible_columns(
            project.datasets[name], rows or project.datasets[name].rows
        )
    ]
    if problems:
        raise UsageError(
            "\n".join(problems),
            "widen the declarations, ask for fewer rows, or give real data with `sample`",
        )


def _with_referred(project: Project, names: Iterable[str]) -> list[str]:
    """Return datasets and those to whose columns they refer, each once."""
    found: dict[str, None] = {}
    pending = list(names)
    while pending:
        name = pending.pop(0)
        if name not in found:
            found[name] = None
            columns = project.datasets[name].columns.values()
            pending += [key.partition(".")[0] for key in (c.foreign_key for c in columns) if key]
    return list(found)
