"""Checks that what `checks:` of steps and pipelines name is there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mlvalidate.core.contracts import Pipeline, Project, Step
from mlvalidate.core.declared_checks import DeclaredCheck
from mlvalidate.core.suggest import did_you_mean
from mlvalidate.project.problems import KeyPath
from mlvalidate.project.report import Report

# Check -> the keys below it that name output ports.
_OUTPUT_KEYS = {
    "rows": ("to",),
    "disjoint": ("between",),
    "unique": ("port",),
    "no_label_in": ("ports",),
    "finite": ("ports",),
    "same_schema": ("ports",),
    "json_schema": ("file",),
    "archive": ("file",),
}


def check_declared_checks(project: Project, report: Report) -> None:
    """Add to ``report`` ports, figures and schema files that checks name and that are not there."""
    for name, step in project.steps.items():
        for index, check in enumerate(step.checks):
            path: KeyPath = ("steps", name, "checks", index)
            for key, value, ports, what in _named_ports(step, check):
                if value not in ports:
                    report.add(
                        (*path, *key),
                        f"the step has no {what} {value!r}",
                        did_you_mean(value, ports) or f"there is {', '.join(ports) or 'none'}",
                    )
            _check_schema_file(project, check, path, report)
    for name, pipeline in project.pipelines.items():
        _check_pipeline_checks(project, pipeline, ("pipelines", name), report)


def _named_ports(
    step: Step, check: DeclaredCheck
) -> Iterator[tuple[KeyPath, str, Iterable[str], str]]:
    """Yield key path, name, known names and direction for every port that a check names."""
    for name, keys in _OUTPUT_KEYS.items():
        options = getattr(check, name)
        if options is None:
            continue
        given = options.model_dump(by_alias=True)
        for key in keys:
            for port in _as_names(given[key]):
                value = port.partition("/")[0] if key == "file" else port
                yield (name, key), value, step.outputs, "output"
    if check.rows is not None:
        for port in check.rows.source:
            yield ("rows", "from"), port, step.inputs, "input"
    both = {**step.inputs, **step.outputs}
    if check.known_categories is not None:
        yield ("known_categories", "known"), check.known_categories.known, both, "port"
        for port in check.known_categories.ports:
            yield ("known_categories", "ports"), port, both, "port"
    if check.foreign_key is not None:
        for key, end in (("from", check.foreign_key.source), ("to", check.foreign_key.target)):
            yield ("foreign_key", key), end.partition(".")[0], both, "port"


def _as_names(value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else tuple(value)  # type: ignore[arg-type]


def _check_schema_file(
    project: Project, check: DeclaredCheck, path: KeyPath, report: Report
) -> None:
    if check.json_schema is not None:
        file = check.json_schema.json_schema_file
        if not project.path(file).is_file():
            report.add((*path, "json_schema", "schema"), f"there is no file {file}")
    if check.check is not None:
        place = check.check.rpartition(":")[0]
        if place.endswith(".py") and not project.path(place).is_file():
            report.add((*path, "check"), f"there is no file {place}")


def _check_pipeline_checks(
    project: Project, pipeline: Pipeline, path: KeyPath, report: Report
) -> None:
    for index, check in enumerate(pipeline.checks):
        if check.equal is not None:
            keys: KeyPath = (*path, "checks", index, "equal", "figures")
            named = check.equal.figures
        else:
            assert check.agree is not None
            keys = (*path, "checks", index, "agree", "ports")
            named = check.agree.ports
        for node, _, name in (each.partition(".") for each in named):
            if node not in pipeline.nodes:
                hint = did_you_mean(node, pipeline.nodes)
                report.add(keys, f"the pipeline has no node {node!r}", hint)
            elif check.agree is not None:
                # A node whose step is unknown is told elsewhere.
                step = project.steps.get(pipeline.step_of(node))
                if step is not None and name not in step.outputs:
                    hint = did_you_mean(name, step.outputs)
                    report.add(keys, f"{node!r} has no output {name!r}", hint)
