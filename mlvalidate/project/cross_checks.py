"""Checks that the names in a project refer to something, and that pipelines have no cycles."""

from __future__ import annotations

import re

from mlvalidate.core.contracts import FileKind, Kind, Project, Step
from mlvalidate.core.scenarios import Case
from mlvalidate.core.suggest import did_you_mean
from mlvalidate.project.check_references import check_declared_checks
from mlvalidate.project.dataset_checks import check_datasets
from mlvalidate.project.gate_checks import check_gates
from mlvalidate.project.pipeline_checks import check_pipeline
from mlvalidate.project.report import Report

_FILE_KINDS = tuple(kind.value for kind in FileKind)
_PLACEHOLDER = re.compile(r"\{(inputs|outputs)\.([^{}]*)\}")


def check_references(project: Project, report: Report) -> None:
    """Add to ``report`` every name that refers to nothing, and every cycle."""
    for name in project.datasets:
        if name in _FILE_KINDS:
            message = (
                f"{name!r} can't be a dataset: a port's files use that word for a kind of file"
            )
            report.add_at_key(("datasets", name), message)
    for name, step in project.steps.items():
        _check_files(name, step, project, report)
        _check_placeholders(name, step, report)
        _check_expectations(name, step, project, report)
    for name in project.pipelines:
        check_pipeline(project, name, report)
    check_datasets(project, report)
    check_declared_checks(project, report)
    check_gates(project, report)


def _check_files(name: str, step: Step, project: Project, report: Report) -> None:
    known = (*project.datasets, *_FILE_KINDS)
    for direction, ports in (("inputs", step.inputs), ("outputs", step.outputs)):
        for port_name, port in ports.items():
            for pattern, content in port.files.items():
                if content not in known:
                    report.add(
                        ("steps", name, direction, port_name, "files", pattern),
                        f"expected a dataset or one of {', '.join(_FILE_KINDS)}, found {content!r}",
                        did_you_mean(content, known),
                    )


def _check_placeholders(name: str, step: Step, report: Report) -> None:
    if step.kind is not Kind.COMMAND:
        return
    for index, text in enumerate(step.command or ()):
        for direction, port in _PLACEHOLDER.findall(text):
            ports = step.inputs if direction == "inputs" else step.outputs
            if port not in ports:
                report.add(
                    ("steps", name, "command", index),
                    f"{{{direction}.{port}}}: the step has no {direction[:-1]} {port!r}",
                    did_you_mean(port, ports),
                )


def _check_expectations(name: str, step: Step, project: Project, report: Report) -> None:
    """Report cases about a column that no dataset of the step has."""
    contents = {content for port in step.inputs.values() for content in port.files.values()}
    columns = {
        column
        for content in contents
        if content in project.datasets
        for column in project.datasets[content].columns
    }
    for text in step.expect:
        case = Case.parse(text)
        # A step whose inputs name no files gets those of whatever produces them.
        if case.is_of_a_column and case.variant and columns and case.variant not in columns:
            report.add(
                ("steps", name, "expect", text),
                f"no input has the column {case.variant!r}",
                did_you_mean(case.variant, columns),
            )
