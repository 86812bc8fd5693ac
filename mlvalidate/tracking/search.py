"""Filters for MLflow's run search, and what it returns as records. Pure.

A filter knows AND only, and `!=` finds no run that lacks the tag.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from mlvalidate.core.history import RunRecord, Scope, StepRecord
from mlvalidate.core.results import Status
from mlvalidate.tracking import layout

if TYPE_CHECKING:
    from mlflow.entities import Run

STEP = "step"
# Of these the name stands in a tag. Others have it in front of their title only.
_NAME_TAGS = {"pipeline": layout.PIPELINE, "script": layout.NODE}


def has_tag(name: str, value: str) -> str:
    """Return the condition that a tag has a value.

    MLflow knows no escape: of a value with quotes of both sorts one sort stands for any character.
    """
    comparison = "LIKE" if "'" in value and '"' in value else "="
    return f"tags.`{name}` {comparison} {_quoted(value)}"


def lacks_value(name: str, value: str) -> str:
    """Return the condition that a tag is there and has another value."""
    return f"tags.`{name}` != {_quoted(value)}"


def is_finished() -> str:
    """Return the condition that a run has its verdict."""
    return lacks_value(layout.STATUS, layout.RUNNING)


def is_passed() -> str:
    """Return the condition that a run has passed."""
    return has_tag(layout.STATUS, Status.PASSED.value)


def is_reused() -> str:
    """Return the condition that the outputs of a step are those of another run."""
    return lacks_value(layout.REUSED_FROM, "")


def starts_with(name: str, prefix: str) -> str:
    """Return the condition that a tag starts so; `_` and `%` in it stand for any text."""
    return f"tags.`{name}` LIKE {_quoted(prefix + '%')}"


def contains(name: str, text: str) -> str:
    """Return the condition that a tag holds a text; `_` and `%` in it stand for any text."""
    return f"tags.`{name}` LIKE {_quoted(f'%{text}%')}"


def has_title(title: str) -> str:
    """Return the condition that a run has this name in MLflow."""
    return f"attributes.run_name = {_quoted(title)}"


def began_before(moment: float) -> str:
    """Return the condition that a run began earlier, in seconds since the epoch."""
    return f"attributes.start_time < {round(moment * 1000)}"


def began_after(moment: float) -> str:
    """Return the condition that a run did not begin earlier."""
    return f"attributes.start_time >= {round(moment * 1000)}"


def is_in(scope: Scope) -> tuple[str, ...]:
    """Return the conditions of a scope; check `RunRecord.scope` of what is found as well."""
    tag = _NAME_TAGS.get(scope.kind)
    name = has_tag(tag, scope.name) if tag else f"attributes.run_name LIKE {_like(scope.name)}"
    return (
        has_tag(layout.PROJECT, scope.project),
        has_tag(layout.KIND, scope.kind),
        has_tag(layout.SCENARIO, scope.scenario),
        has_tag(layout.DATA_SOURCE, scope.data_source),
        name,
    )


def _like(name: str) -> str:
    return _quoted(f"{name} %")


def _quoted(text: str) -> str:
    if "'" not in text:
        return f"'{text}'"
    return '"' + text.replace('"', "_") + '"'


def run_record(run: Run) -> RunRecord:
    """Return what the search found; a `StepRecord` for a step, in a pipeline or alone."""
    tags: Mapping[str, str] = run.data.tags
    params: Mapping[str, str] = run.data.params
    kind = tags.get(layout.KIND, "")
    run_id = tags.get(layout.RUN_ID, "")
    values = {
        "mlflow_run_id": run.info.run_id,
        "run_id": run_id,
        "kind": kind,
        "name": _name(kind, tags, (run.info.run_name or "").removesuffix(f" {run_id}")),
        "project": tags.get(layout.PROJECT, ""),
        "status": tags.get(layout.STATUS, ""),
        "scenario": tags.get(layout.SCENARIO, "standard"),
        "data_source": tags.get(layout.DATA_SOURCE, "synthetic"),
        "started_at": (run.info.start_time or 0) / 1000,
        "finished_at": run.info.end_time / 1000 if run.info.end_time else None,
        "rows": _number(params.get(layout.PARAM_ROWS)),
        "seed": _number(params.get(layout.PARAM_SEED)),
        "machine": tags.get(layout.MACHINE, ""),
        "commit": tags.get(layout.GIT_COMMIT, ""),
        "branch": tags.get(layout.GIT_BRANCH, ""),
        "is_dirty": tags.get(layout.GIT_DIRTY) == "true",
        "code_hash": tags.get(layout.CODE_HASH, ""),
        "contract_hash": tags.get(layout.CONTRACT_HASH, ""),
        "data_hash": tags.get(layout.DATA_HASH, ""),
        "tags": dict(tags),
        "params": dict(params),
        "metrics": dict(run.data.metrics),
    }
    if layout.NODE not in tags:
        return RunRecord.model_validate(values)
    of_step = {
        "node": tags[layout.NODE],
        "step": tags.get(layout.STEP, tags[layout.NODE]),
        "pipeline": tags.get(layout.PIPELINE, ""),
        "start": tags.get(layout.START, ""),
        "reused_from": tags.get(layout.REUSED_FROM, ""),
    }
    return StepRecord.model_validate({**values, **of_step})


def _name(kind: str, tags: Mapping[str, str], title: str) -> str:
    if kind == STEP:
        return tags.get(layout.NODE, title)
    return tags.get(_NAME_TAGS.get(kind, ""), title)


def _number(text: str | None) -> int | None:
    return int(text) if text and text.lstrip("-").isdigit() else None
