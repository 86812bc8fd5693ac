"""What recorded runs must have in common for their figures to be compared, and what counts then."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mlvalidate.core.history import RunRecord, StepRecord
from mlvalidate.stats.effects import LeastEffect
from mlvalidate.tracking import layout


@dataclass(frozen=True)
class Condition:
    """Something that comparable runs have in common; ``otherwise`` says of others that they don't.

    ``is_measured``: only figures that are measured depend on it.
    """

    name: str
    otherwise: str
    of: Callable[[RunRecord], str]
    is_measured: bool = False


ROWS = Condition(
    "rows",
    "with another number of rows",
    lambda run: "" if run.rows is None else str(run.rows),
)
MACHINE = Condition("machine", "on another machine", lambda run: run.machine, is_measured=True)
SANDBOX = Condition(
    "sandbox",
    "in another sandbox",
    lambda run: run.tags.get(layout.SANDBOX, ""),
    is_measured=True,
)
START = Condition(
    "start",
    "started otherwise (warm, cold)",
    lambda run: run.start if isinstance(run, StepRecord) else "",
    is_measured=True,
)

# In seconds and MB. What is counted or scored has no noise of clocks.
LEAST_EFFECTS = {
    "duration_s": LeastEffect(0.05, 0.05),
    "cpu_s": LeastEffect(0.05, 0.05),
    "peak_rss_mb": LeastEffect(0.05, 5.0),
    "read_mb": LeastEffect(0.05, 1.0),
    "written_mb": LeastEffect(0.05, 1.0),
}
