"""The trace of a run: a span for the run, one for each step that was not skipped, and in it what
the step's time went to, so that MLflow's trace view is the timeline of the pipeline.

Pure. The ids are made from the run in MLflow: written again, the same spans are the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from mlvalidate.core.results import PipelineResult, Status, StepResult

_BROKEN = (Status.FAILED, Status.INTERNAL, Status.INTERRUPTED)
# Parts of a step: inputs are made ready, the script runs, its outputs are judged.
LOAD, RUN, CHECK = "load", "run", "check"


@dataclass(frozen=True)
class Span:
    """One bar of the trace. Times are seconds since the epoch; a root has no parent."""

    path: str
    parent: str | None
    name: str
    begun: float
    ended: float
    failed: bool = False
    reason: str = ""
    attributes: tuple[tuple[str, str], ...] = ()


def run_spans(result: PipelineResult, script_ends: Mapping[str, float]) -> list[Span]:
    """Return the spans of a run, parents first; ``script_ends`` tells when scripts ended, by node.

    A span that would end before it begins, as after a change of the clock, has no length.
    """
    root = Span(
        path="",
        parent=None,
        name=result.name,
        begun=result.started_at,
        ended=max(result.started_at, result.finished_at),
        failed=result.status in _BROKEN,
        attributes=(("mlvalidate.run_id", result.run_id), ("status", result.status.value)),
    )
    spans = [root]
    for step in result.steps:
        if step.status is not Status.SKIPPED:
            spans.append(_step_span(step))
            if step.node in script_ends and not step.reused_from:
                spans += _parts(step, script_ends[step.node])
    return spans


def _step_span(step: StepResult) -> Span:
    first = step.findings[0].message if step.findings else ""
    failed = step.status in _BROKEN
    return Span(
        path=step.node,
        parent="",
        name=step.node,
        begun=step.started_at,
        ended=max(step.started_at, step.finished_at),
        failed=failed,
        reason=first if failed else "",
        attributes=(
            ("status", step.status.value),
            ("entry_point", step.entry_point),
            *((("reused_from", step.reused_from),) if step.reused_from else ()),
        ),
    )


def _parts(step: StepResult, script_ended: float) -> list[Span]:
    begun, ended = step.started_at, max(step.started_at, step.finished_at)
    script_ended = min(max(script_ended, begun), ended)
    script_begun = max(begun, script_ended - max(0.0, step.usage.duration_s))
    edges = ((LOAD, begun, script_begun), (RUN, script_begun, script_ended),
             (CHECK, script_ended, ended))  # fmt: skip
    # A node's name has no slash.
    return [Span(f"{step.node}/{name}", step.node, name, a, b) for name, a, b in edges]


def trace_id(mlflow_run_id: str) -> str:
    """Return the id of the trace of a run in MLflow: there is one for each."""
    return f"tr-{_digest(mlflow_run_id, 32)}"


def span_id(mlflow_run_id: str, path: str) -> str:
    """Return the id of a span of a run in MLflow: 16 hexadecimal digits."""
    return _digest(f"{mlflow_run_id}\n{path}", 16)


def _digest(text: str, length: int) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:length]
