"""All tests of a project, as one: what is planned, and what it came to."""

from __future__ import annotations

from collections.abc import Iterator

from mlvalidate.core.errors import ExitCode
from mlvalidate.core.findings import Finding
from mlvalidate.core.model import Model
from mlvalidate.core.plan import Plan
from mlvalidate.core.results import PipelineResult

SUITE_VERSION = 1


class LeftOut(Model):
    """A step that has no test of its own, or a run that was not begun, and why.

    ``covered_by`` names the pipelines that run the step all the same.
    """

    name: str
    reason: str
    hint: str = ""
    covered_by: tuple[str, ...] = ()


class SuitePlan(Model):
    """The runs of all pipelines and of all steps that can be tested alone."""

    project: str
    plans: tuple[Plan, ...]
    left_out: tuple[LeftOut, ...] = ()
    # What the user would type to get this plan again.
    command: str

    def settings(self) -> Iterator[dict[str, str]]:
        """Yield whatever steps are given by name and value: any of it may be a secret."""
        for plan in self.plans:
            yield from plan.settings()


class SuiteResult(Model):
    """What all tests of a project came to. Times are seconds since the epoch."""

    version: int = SUITE_VERSION
    project: str
    command: str
    started_at: float
    finished_at: float
    runs: tuple[PipelineResult, ...]
    left_out: tuple[LeftOut, ...] = ()
    # Whether runs were left out because the user did not want to wait for them.
    was_interrupted: bool = False

    @property
    def duration_s(self) -> float:
        """Wall time of everything in seconds."""
        return self.finished_at - self.started_at

    @property
    def all_findings(self) -> tuple[Finding, ...]:
        """Every finding of every run."""
        return tuple(finding for run in self.runs for finding in run.all_findings)

    @property
    def exit_code(self) -> ExitCode:
        """The gravest of the runs' codes; a step that nothing ran is a wrong call."""
        codes = {run.exit_code for run in self.runs}
        if self.was_interrupted:
            codes.add(ExitCode.INTERRUPTED)
        for code in (ExitCode.INTERRUPTED, ExitCode.INTERNAL, ExitCode.FAILED):
            if code in codes:
                return code
        if any(not item.covered_by for item in self.left_out):
            return ExitCode.USAGE
        return ExitCode.PASSED if ExitCode.PASSED in codes else ExitCode.NOTHING_RAN
