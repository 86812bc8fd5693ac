"""F309: what an edge names was not written."""

from __future__ import annotations

from mlvalidate.checks.base import Rule
from mlvalidate.core.findings import Finding
from mlvalidate.core.plan import PlannedInput, PlannedStep
from mlvalidate.core.suggest import did_you_mean


class SourceMissing(Rule):
    """An edge names a folder inside a producer's output, and the producer has not written it.

    The consumer was not started: SageMaker would fail to download its input. The producer is
    blamed.

    What to do: correct the part behind the output's name in the edge, or write the folder.
    """

    code = "F309"


def missing_input(
    planned: PlannedStep, item: PlannedInput, found: list[str], reproduce: str
) -> Finding:
    """Return the finding for an input whose edge leads to nothing."""
    return Finding(
        code=SourceMissing.code,
        severity=SourceMissing.severity,
        message=f"output {item.output}: there is no folder {item.subpath or 'at all'}, which "
        f"{planned.node}.{item.port} reads",
        step=item.producer,
        observed_in=planned.node,
        port=item.output,
        file=item.subpath or None,
        hint=did_you_mean(item.subpath, found),
        reproduce=reproduce,
    )
