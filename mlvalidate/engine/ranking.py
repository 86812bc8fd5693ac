"""In which order the nodes of runs start, and how much memory each is given room for."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median

from mlvalidate.core.plan import Plan, PlannedStep
from mlvalidate.engine.past import PastStep

# A run is seldom exactly like the one before it.
_HEADROOM = 1.2


def path_lengths(plan: Plan, past: Mapping[str, PastStep]) -> dict[str, float]:
    """Return for each node how many seconds the longest path from its start to the end takes.

    A node that has never run counts as much as the others do in the middle. Where none has, the
    lengths are depths.
    """
    typical = median(step.seconds for step in past.values()) if past else 1.0
    lengths: dict[str, float] = {}
    behind: dict[str, float] = {}
    for planned in reversed(plan.steps):
        own = past[planned.node].seconds if planned.node in past else typical
        lengths[planned.node] = own + behind.get(planned.node, 0.0)
        for producer in planned.depends_on:
            behind[producer] = max(behind.get(producer, 0.0), lengths[planned.node])
    return lengths


def memory_needed(planned: PlannedStep, past: Mapping[str, PastStep]) -> int:
    """Return how many bytes to keep free for a node: what it took before, else its limit."""
    before = past.get(planned.node)
    if before is None or not before.peak:
        return planned.memory
    return min(int(before.peak * _HEADROOM), planned.memory)
