"""Remembers what was found between the steps of a pipeline, for runs in which no step ran.

Comparing outputs of several steps means reading them, which takes longer than all the rest of such
a run.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress

from pydantic import ValidationError

from mlvalidate.core.contracts import Project
from mlvalidate.core.findings import Finding
from mlvalidate.core.model import Model
from mlvalidate.core.plan import Plan
from mlvalidate.core.results import Status, StepResult
from mlvalidate.core.secrets import Redactor
from mlvalidate.engine.cache.contract import digest_dataset
from mlvalidate.engine.cache.surroundings import digest_json, mlvalidate_parts

# What differs between a run of a step and its reuse.
_OF_THE_RUN = {"started_at", "finished_at", "reused_from", "run_reason", "run_detail"}


class _Judged(Model):
    key: str
    findings: tuple[Finding, ...]


def judge_once(
    project: Project,
    plan: Plan,
    steps: Sequence[StepResult],
    redactor: Redactor,
    judge: Callable[[], Iterable[Finding]],
) -> tuple[Finding, ...]:
    """Return what ``judge`` finds, or what it found when the steps came to just the same."""
    if not plan.reuse.cache or any(step.status is not Status.PASSED for step in steps):
        return tuple(judge())
    path = project.cache_folder / "pipelines" / f"{plan.name}.json"
    key = _key(project, plan, steps, redactor)
    if all(step.reused_from for step in steps):
        with suppress(OSError, ValidationError):
            judged = _Judged.model_validate_json(path.read_bytes())
            if judged.key == key:
                return judged.findings
    findings = tuple(judge())
    kept = _Judged(key=key, findings=tuple(map(redactor.redact_model, findings)))
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(kept.model_dump_json(), encoding="utf-8")
        temporary.replace(path)
    return findings


def _key(project: Project, plan: Plan, steps: Sequence[StepResult], redactor: Redactor) -> str:
    datasets = {name: digest_dataset(dataset) for name, dataset in project.datasets.items()}
    pipeline = project.pipelines[plan.name].model_dump(mode="json")
    came_to = [redactor.redact_model(s).model_dump(mode="json", exclude=_OF_THE_RUN) for s in steps]
    return digest_json([mlvalidate_parts(), plan.command, pipeline, datasets, came_to])
