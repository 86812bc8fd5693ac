"""What a check looks at, so that one which had nothing to look at is not taken for passed."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

from mlvalidate.checks.evidence import Evidence, FileContent, Variation


class Sight(StrEnum):
    """What a check needs in order to find anything; the value says what was not there."""

    EXECUTION = "nothing was executed"
    SANDBOX = "there was no sandbox that would have noticed"
    INPUTS = "the step has no inputs"
    WATCHED_INPUTS = "there was no sandbox, or no input"
    EDGES = "no input comes from another step"
    OUTPUTS = "the step has no outputs"
    FILES = "no output holds a file"
    TABLES = "no output holds a table"
    DATASETS = "no output holds a table whose dataset is declared"
    METRICS = "the step declares no metrics"
    ENTRIES = "the script was started in one way only"


def what_is_missing(sight: Sight, evidence: Evidence) -> str:
    """Return why there is nothing to look at, or ''."""
    return "" if _is_there(sight, evidence) else sight.value


def declared_tables(evidence: Evidence) -> Iterator[FileContent]:
    """Yield the tables in outputs that have a dataset, also when they were not read whole."""
    for file in _files(evidence):
        if file.dataset is not None and (file.frame is not None or file.outline is not None):
            yield file


def _is_there(sight: Sight, evidence: Evidence) -> bool:
    planned = evidence.planned
    found: dict[Sight, object] = {
        Sight.EXECUTION: True,
        Sight.SANDBOX: evidence.in_sandbox,
        Sight.INPUTS: planned.inputs,
        Sight.WATCHED_INPUTS: evidence.in_sandbox and planned.inputs,
        Sight.EDGES: [item for item in planned.inputs if item.producer],
        Sight.OUTPUTS: evidence.outputs,
        Sight.FILES: any(True for _ in _files(evidence)),
        Sight.TABLES: any(file.frame is not None for file in _files(evidence)),
        Sight.DATASETS: any(True for _ in declared_tables(evidence)),
        Sight.METRICS: planned.step.metrics,
        Sight.ENTRIES: Variation.OTHER_ENTRY in evidence.repeats,
    }
    return bool(found[sight])


def _files(evidence: Evidence) -> Iterator[FileContent]:
    for output in evidence.outputs:
        yield from output.files
