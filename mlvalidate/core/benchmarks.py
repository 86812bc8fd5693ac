"""What a benchmark came to: figures by volume, and how they grow. Seconds, and MB of 10^6 bytes."""

from __future__ import annotations

from enum import StrEnum

from mlvalidate.core.model import Model


class Estimate(Model):
    """A value and its 95 % interval; without bounds where too little was measured."""

    value: float
    low: float | None = None
    high: float | None = None


class Growth(Model):
    """How one figure grows with the rows: `start + factor * rows^exponent`.

    ``kind`` is ``constant``, ``n``, ``n log n``, ``n^2``, ``n^3``, or another power where none of
    these fits; ``confidence`` is its weight among them, from 0 to 1.
    """

    kind: str
    confidence: float
    exponent: Estimate
    start: float
    factor: float
    # At the volume that the contract names.
    predicted: Estimate | None = None

    def at(self, rows: float) -> float:
        """Return the fitted value for a number of rows."""
        return float(self.start + self.factor * rows**self.exponent.value)


class VolumeFigures(Model):
    """The median of the passed measurements on one volume, each with its interval."""

    rows: int
    measurements: int
    duration_s: Estimate
    cpu_s: Estimate
    peak_rss_mb: Estimate


class ProfileKind(StrEnum):
    """What is profiled: where the time goes by function, or who holds the memory by line."""

    CPU = "cpu"
    MEMORY = "memory"


class ProfileEntry(Model):
    """A function or a line: seconds, or MB held at the peak.

    ``own`` is without what it calls. ``file`` is relative to the project where it lies in it.
    """

    file: str
    line: int
    function: str
    own: float
    total: float
    is_of_project: bool = False


class Profile(Model):
    """What a profiler saw of one more run, on the largest volume.

    ``files`` are paths in the run's folder. ``problem`` says why there is nothing, and
    ``step_failed`` that the step failed with the profiler: what was seen ends there.
    """

    kind: ProfileKind
    node: str = ""
    tool: str = ""
    peak_mb: float | None = None
    # Those that count most.
    entries: tuple[ProfileEntry, ...] = ()
    files: tuple[str, ...] = ()
    problem: str = ""
    step_failed: bool = False


class Benchmark(Model):
    """All of it. ``duration_s`` and ``peak_rss_mb`` are None where too little was measured."""

    step: str
    volumes: tuple[VolumeFigures, ...] = ()
    duration_s: Growth | None = None
    peak_rss_mb: Growth | None = None
    # Rows in production, as the contract has them.
    volume: int | None = None
    timeout_s: float
    memory_mb: float
    profiles: tuple[Profile, ...] = ()
