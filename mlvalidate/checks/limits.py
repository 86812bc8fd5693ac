"""X213, X214: a script that wanted more of this machine than its limits let it have."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator

from mlvalidate.checks.base import Check
from mlvalidate.checks.evidence import Evidence
from mlvalidate.core.execution import Stop
from mlvalidate.core.findings import Finding
from mlvalidate.core.units import format_size

# As Python, and libraries below it, write EFBIG.
_FILE_TOO_LARGE = re.compile(r"\berrno 27\b", re.IGNORECASE)


def met_file_limit(evidence: Evidence) -> bool:
    """Tell whether the script ended because the kernel let no file of it grow further."""
    outcome = evidence.outcome
    if outcome.stop is not None or outcome.succeeded:
        return False
    if outcome.signal is not None:
        return outcome.signal == signal.SIGXFSZ
    return evidence.error is not None and bool(_FILE_TOO_LARGE.search(evidence.error.message))


class DiskExceeded(Check):
    """The script wrote more to disk than `disk` allows, or nearly filled the disk.

    Everything counts that it holds on disk at once: outputs, /tmp, and the throwaway layers of
    inputs, project and packages. A single file can't become larger than the limit either: the
    kernel refuses. And a script is ended before less than a gigabyte is left on the disk.

    What to do: look for a loop that writes without end; if the step needs as much, raise `disk`.
    """

    code = "X213"
    needs_success = False

    def run(self, evidence: Evidence) -> Iterator[Finding]:
        outcome, limit = evidence.outcome, evidence.planned.disk
        hint = f"raise `disk` of step {evidence.planned.step_name} if it needs as much"
        written = format_size(outcome.disk_bytes)
        location = None
        if met_file_limit(evidence):
            message = f"the script wrote a file larger than {format_size(limit)}, the limit"
            location = evidence.error.location if evidence.error else None
        elif outcome.stop is not Stop.DISK:
            return
        elif outcome.disk_bytes > limit:
            message = f"the script wrote {written} to disk; the limit is {format_size(limit)}"
        else:
            message = f"the script was ended after {written}: the disk is nearly full"
            hint = "make room on this machine"
        yield self.finding(evidence, message, hint=hint, location=location)


class TooManyProcesses(Check):
    """The script had more processes and threads at once than `processes` allows.

    They are killed at once. Threads count because the kernel numbers them like processes: a
    machine that runs out of numbers starts nothing any more.

    What to do: start a pool of workers instead of one process per item; if the step needs as many,
    raise `processes`.
    """

    code = "X214"
    needs_success = False

    def run(self, evidence: Evidence) -> Iterator[Finding]:
        outcome = evidence.outcome
        if outcome.stop is Stop.PROCESSES:
            yield self.finding(
                evidence,
                f"the script had {outcome.peak_tasks} processes and threads at once; "
                f"the limit is {evidence.planned.processes}",
                hint=f"raise `processes` of step {evidence.planned.step_name} if it needs as many",
            )


CHECKS: tuple[type[Check], ...] = (DiskExceeded, TooManyProcesses)
