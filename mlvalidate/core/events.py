"""Events: frozen facts that the engine emits, in the past tense.

The engine yields them, the journal holds them one per line, and everything that shows or records a
run is made from them.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from mlvalidate.core.model import Model
from mlvalidate.core.plan import Plan
from mlvalidate.core.results import PipelineResult, StepResult


class RunStarted(Model):
    """The run has an id and a folder; nothing has been executed."""

    event: Literal["RunStarted"] = "RunStarted"
    at: float
    run_id: str
    plan: Plan


class StepStarted(Model):
    """The script is about to start."""

    event: Literal["StepStarted"] = "StepStarted"
    at: float
    node: str


class SampleTaken(Model):
    """Memory and CPU time of the step's process tree at one moment."""

    event: Literal["SampleTaken"] = "SampleTaken"
    at: float
    node: str
    rss_mb: float
    cpu_s: float
    processes: int


class StepFinished(Model):
    """The script ended; its outputs have not been judged yet."""

    event: Literal["StepFinished"] = "StepFinished"
    at: float
    node: str
    exit_code: int | None
    signal: str | None


class ChecksFinished(Model):
    """A node is done: judged, or skipped."""

    event: Literal["ChecksFinished"] = "ChecksFinished"
    at: float
    result: StepResult


class DriftMeasured(Model):
    """The outputs of a node were compared with their references; the result has it in it now."""

    event: Literal["DriftMeasured"] = "DriftMeasured"
    at: float
    result: StepResult


class RunFinished(Model):
    """The run is over and judged."""

    event: Literal["RunFinished"] = "RunFinished"
    at: float
    result: PipelineResult


Event = (
    RunStarted
    | StepStarted
    | SampleTaken
    | StepFinished
    | ChecksFinished
    | DriftMeasured
    | RunFinished
)

_EVENT: TypeAdapter[Event] = TypeAdapter(Annotated[Event, Field(discriminator="event")])


def parse_event(line: str | bytes) -> Event:
    """Read one line of a journal; pydantic's ValidationError when it is not an event."""
    return _EVENT.validate_json(line)
