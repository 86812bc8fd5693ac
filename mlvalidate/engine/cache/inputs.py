"""What a step is given, told without making it: generated data by its recipe, files by content."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mlvalidate.core.contracts import Project
from mlvalidate.core.plan import FileToMake, Origin, Plan, PlannedInput, PlannedStep
from mlvalidate.core.results import StepResult
from mlvalidate.engine.cache.contract import digest_dataset
from mlvalidate.engine.cache.digests import FileDigests
from mlvalidate.engine.cache.surroundings import digest_json
from mlvalidate.engine.outputs import find_files


class UncomparableError(Exception):
    """It can't be told whether something is the same as before; the text says why."""


def input_parts(
    planned: PlannedStep,
    item: PlannedInput,
    project: Project,
    plan: Plan,
    digests: FileDigests,
    results: Mapping[str, StepResult],
) -> dict[str, str] | None:
    """Return digests of one input by what they are of; None when its producer is not known yet.

    UncomparableError when no digest tells the content.
    """
    if item.origin is Origin.ABSENT:
        return {}
    if item.origin is Origin.EDGE:
        producer = results.get(item.producer)
        return None if producer is None else _of_producer(item, producer)
    if item.folder is not None:
        return _of_folder(item.folder, digests)
    copied = {
        file.name: digests.of(file.copied_from)
        for file in item.files
        if file.copied_from is not None
    }
    made = [file for file in item.files if file.copied_from is None]
    return copied | (_of_recipe(planned, made, project, plan) if made else {})


def _of_producer(item: PlannedInput, producer: StepResult) -> dict[str, str]:
    port = next((port for port in producer.outputs if port.port == item.output), None)
    files = port.files if port else ()
    for file in files:
        if not file.digest or file.digest.startswith("~"):
            raise UncomparableError(
                f"input `{item.port}` has files that are not compared in whole: {file.name}"
            )
    return {file.name: file.digest for file in files} | {"": item.subpath}


def _of_folder(folder: Path, digests: FileDigests) -> dict[str, str]:
    parts = {}
    for file in find_files(folder, folder):
        if file.problem:
            raise UncomparableError(f"{file.path} {file.problem}")
        parts[file.name] = digests.of(file.path)
    return parts


def _of_recipe(
    planned: PlannedStep, made: list[FileToMake], project: Project, plan: Plan
) -> dict[str, str]:
    """Return what decides on the content of generated files."""
    names = {file.dataset for file in made}
    parts = {
        "files": digest_json([[file.name, file.dataset, file.part, file.parts] for file in made]),
        "seed": str(plan.seed),
        "rows": str(plan.rows),
        "scenario": planned.on.case.name if names & set(planned.on.datasets) else "standard",
    }
    for name in sorted(_family(names, project)):
        parts[f"dataset {name}"] = digest_dataset(project.datasets[name])
    return parts


def _family(names: set[str], project: Project) -> set[str]:
    """Return the datasets with those that their columns refer to, and so on."""
    found: set[str] = set()
    pending = list(names)
    while pending:
        name = pending.pop()
        if name in found or name not in project.datasets:
            continue
        found.add(name)
        for column in project.datasets[name].columns.values():
            if column.foreign_key:
                pending.append(column.foreign_key.partition(".")[0])
    return found
