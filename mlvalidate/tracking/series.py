"""The course of a step's memory and CPU as metrics over time."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from mlvalidate.core.events import SampleTaken
from mlvalidate.tracking import layout
from mlvalidate.tracking.limits import Metric

# MLflow draws no more points than this, and every thousand costs 50 ms. The journal has them all.
MOST_POINTS = 1000


def usage_series(begun: float, samples: Sequence[SampleTaken]) -> list[Metric]:
    """Return the series of one step that began at `begun` (seconds since the epoch)."""
    return [
        *_series(layout.SERIES_RSS, [(s.at, s.rss_mb) for s in samples]),
        *_series(layout.SERIES_CPU, _cpu_percent(begun, samples)),
    ]


def _cpu_percent(begun: float, samples: Sequence[SampleTaken]) -> list[tuple[float, float]]:
    """Return the share of one core that was used since the sample before."""
    known = [(begun, 0.0), *((sample.at, sample.cpu_s) for sample in samples)]
    return [
        # The sum falls when a process ends whose time nobody collects.
        (at, max(0.0, 100.0 * (cpu - cpu_before) / (at - before)))
        for (before, cpu_before), (at, cpu) in pairwise(known)
        if at > before
    ]


def _series(key: str, points: Sequence[tuple[float, float]]) -> list[Metric]:
    return [
        Metric(key=key, value=value, timestamp=round(at * 1000), step=number)
        for number, (at, value) in enumerate(thin_out(points))
    ]


def thin_out(
    points: Sequence[tuple[float, float]], most: int = MOST_POINTS
) -> list[tuple[float, float]]:
    """Return at most `most` of the points, of each stretch the highest, so that no peak is lost."""
    if len(points) <= most:
        return list(points)
    edges = [index * len(points) // most for index in range(most + 1)]
    return [max(points[a:b], key=lambda point: point[1]) for a, b in pairwise(edges)]
