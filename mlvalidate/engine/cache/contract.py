"""The contract and the settings of a step, taken apart so that a change can be named."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from mlvalidate.core.contracts import Project
from mlvalidate.core.datasets import BASELINE, INPUT, SAMPLE, Dataset
from mlvalidate.core.plan import Origin, Plan, PlannedStep
from mlvalidate.data.tables_in_folders import find_tables
from mlvalidate.engine.cache.digests import FileDigests
from mlvalidate.engine.cache.surroundings import digest_json

# They have groups of their own, or say nothing to a script or a judge.
_NO_CONTRACT = ("args", "env", "hyperparameters", "description", "python")


def setting_parts(values: Mapping[str, object] | Iterable[object]) -> dict[str, str]:
    """Return digests of settings by name, or of words by their position."""
    named = values if isinstance(values, Mapping) else dict(enumerate(values, start=1))
    return {str(name): digest_json(value) for name, value in named.items()}


def contract_parts(
    planned: PlannedStep, project: Project, plan: Plan, digests: FileDigests
) -> dict[str, str]:
    """Return digests of all that a run of the step is judged by."""
    declared = planned.step.model_dump(mode="json", exclude=set(_NO_CONTRACT))
    parts = {name: digest_json(value) for name, value in declared.items()}
    parts["node"] = planned.node
    limits = [planned.timeout, planned.memory, planned.disk, planned.processes, plan.log_limit]
    parts["limits"] = digest_json(limits)
    parts["access"] = digest_json([planned.network, planned.credentials])
    parts["scenario"] = digest_json(planned.on.model_dump(mode="json"))
    names: set[str] = set()
    for item in planned.inputs:
        if item.origin is Origin.EDGE:
            producer = plan.step(item.producer).step.outputs[item.output]
            parts[f"producer of {item.port}"] = producer.model_dump_json(exclude={"description"})
            names.update(producer.files.values())
    for port in (*planned.step.inputs.values(), *planned.step.outputs.values()):
        names.update(port.files.values())
    for name in sorted(names & set(project.datasets)):
        parts[f"dataset {name}"] = digest_dataset(project.datasets[name])
    parts |= _reference_parts(planned, project, digests)
    for check in planned.step.checks:
        if check.json_schema is not None:
            file = check.json_schema.json_schema_file
            parts[f"schema {file}"] = digests.of(project.path(file))
    return parts


def digest_dataset(dataset: Dataset) -> str:
    """Return the digest of a declaration."""
    return digest_json(dataset.model_dump(mode="json", exclude={"description"}))


def _reference_parts(
    planned: PlannedStep, project: Project, digests: FileDigests
) -> dict[str, str]:
    """Return digests of the files that outputs are compared with."""
    parts = {}
    for port in planned.step.outputs.values():
        for name in set(port.files.values()) & set(project.datasets):
            dataset = project.datasets[name]
            if dataset.reference in (None, INPUT, BASELINE):
                continue
            path = dataset.sample if dataset.reference == SAMPLE else dataset.reference
            files = find_tables(project.path(str(path)))
            parts[f"reference of {name}"] = digest_json(
                [[file.name, digests.of(file)] for file in files]
            )
    return parts
