"""What is shown while a run goes on: one handler of events for each place that it is shown in."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from mlvalidate.core.events import ChecksFinished, Event, RunStarted, StepStarted
from mlvalidate.core.plan import Plan
from mlvalidate.core.results import StepResult
from mlvalidate.reporting.console import write
from mlvalidate.reporting.text import count, plain
from mlvalidate.reporting.words import SEPARATOR, STATUS_STYLE, outcome_line


class Progress:
    """Shows nothing: the handler of ``--quiet``, and the interface of the others."""

    def begin(self, title: str, nodes: Sequence[str], at: float) -> None:
        """Take note of what is about to run, and of the time, in seconds since the epoch."""

    def handle(self, event: Event) -> None:
        """Take note of an event."""

    def close(self) -> None:
        """Leave the terminal as it was found; also after an error."""


class PlainProgress(Progress):
    """A line per finished step: for CI, pipes and files. ``verbose`` adds a line per start."""

    def __init__(self, console: Console, *, verbose: bool = False) -> None:
        self._console = console
        self._verbose = verbose

    def begin(self, title: str, nodes: Sequence[str], at: float) -> None:  # noqa: ARG002
        """Print the title."""
        write(self._console, Text(title, "bold"))

    def handle(self, event: Event) -> None:
        """Print the line that the event deserves."""
        if isinstance(event, RunStarted):
            self.begin(heading(event.plan), [step.node for step in event.plan.steps], event.at)
        elif isinstance(event, StepStarted) and self._verbose:
            write(self._console, Text(f"STARTED {event.node}", "dim"))
        elif isinstance(event, ChecksFinished):
            write(self._console, step_line(event.result))


# What the nodes of a run are.
_NODES = {"matrix": "case", "benchmark": "measurement"}


def heading(plan: Plan) -> str:
    """Return what is about to run, in one line."""
    facts = (
        f"{plan.kind} {plan.name}",
        count(len(plan.steps), _NODES.get(plan.kind, "step")),
        f"{plan.data_source.value} data, scenario {plan.scenario}",
        f"{count(plan.rows, 'row')} per dataset" if plan.rows else "",
        f"seed {plan.seed}",
    )
    return plain(SEPARATOR.join(fact for fact in facts if fact))


def step_line(result: StepResult) -> Text:
    """Return ``PASSED preprocess 1.20s 140MB 6,000 rows``."""
    status = f"{result.status.value.upper():<7}"
    return Text.assemble((status, STATUS_STYLE[result.status]), " ", plain(outcome_line(result)))
