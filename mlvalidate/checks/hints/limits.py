"""Limits of the step that a script ran into."""

from __future__ import annotations

from mlvalidate.checks.evidence import Evidence
from mlvalidate.checks.hints.advice import Advice
from mlvalidate.checks.traceback import PythonError


def memory(error: PythonError, evidence: Evidence) -> Advice | None:
    """Say that an allocation failed, and which key gives more memory."""
    if error.type not in ("MemoryError", "_ArrayMemoryError"):
        return None
    return Advice(
        f"an allocation failed: raise `memory` of step {evidence.planned.step_name}, or read the "
        "data in chunks"
    )


def no_space(error: PythonError, evidence: Evidence) -> Advice | None:
    """Say which places of the container are in memory, and how much they hold."""
    if "No space left on device" not in error.message:
        return None
    return Advice(
        "folders that a script makes in `/`, and /dev/shm, are in memory and hold no more than "
        f"`memory` of step {evidence.planned.step_name}: raise it, or write to an output or to /tmp"
    )


def no_process(error: PythonError, evidence: Evidence) -> Advice | None:
    """Say how many processes and threads the step may have."""
    if error.type != "BlockingIOError" and "can't start new thread" not in error.message:
        return None
    return Advice(
        f"the step may have {evidence.planned.processes} processes and threads: raise `processes` "
        f"of step {evidence.planned.step_name} if it needs more"
    )
