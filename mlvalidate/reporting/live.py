"""Progress on a terminal: a line per step, redrawn in place, replaced by the summary at the end.

Redrawn when events arrive and by no thread of its own: events come one by one, also from steps that
run at once, and samples of running steps arrive often enough to keep the clock going.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from mlvalidate.core.events import (
    ChecksFinished,
    DriftMeasured,
    Event,
    RunFinished,
    RunStarted,
    SampleTaken,
    StepFinished,
    StepStarted,
)
from mlvalidate.core.results import StepResult
from mlvalidate.core.units import format_duration, format_size
from mlvalidate.reporting.console import can_redraw, write
from mlvalidate.reporting.progress import PlainProgress, Progress, heading, step_line
from mlvalidate.reporting.text import count

_LEAST_SECONDS_BETWEEN_DRAWINGS = 0.1
_SPINNER = "-\\|/"


@dataclass
class _Line:
    """What is known of one step so far."""

    node: str
    started_at: float | None = None
    rss_mb: float = 0.0
    is_being_checked: bool = False
    result: StepResult | None = None

    @property
    def is_running(self) -> bool:
        return self.started_at is not None and self.result is None


class LiveProgress(Progress):
    """A line per step with a spinner, the time since its start and its memory."""

    def __init__(self, console: Console, clock: Callable[[], float] = time.time) -> None:
        self._console = console
        self._clock = clock
        self._started_at = 0.0
        self._drawn_at = 0.0
        self._lines: dict[str, _Line] = {}
        self._live = Live(
            console=console,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def begin(self, title: str, nodes: Sequence[str], at: float) -> None:
        """Print the title and show a line for each node from now on."""
        write(self._console, Text(title, "bold"))
        self._started_at = at
        self._lines = {node: _Line(node) for node in nodes}
        self._live.start()

    def handle(self, event: Event) -> None:
        """Take note of an event and redraw, unless that has just been done."""
        if isinstance(event, RunStarted):
            self.begin(heading(event.plan), [step.node for step in event.plan.steps], event.at)
        elif isinstance(event, RunFinished):
            self.close()
            return
        else:
            self._note(event)
        since = self._clock() - self._drawn_at
        if not (isinstance(event, SampleTaken) and 0 <= since < _LEAST_SECONDS_BETWEEN_DRAWINGS):
            self._draw()

    def close(self) -> None:
        """Take the lines off the screen and show the cursor again."""
        self._live.stop()

    def _note(
        self, event: StepStarted | SampleTaken | StepFinished | ChecksFinished | DriftMeasured
    ) -> None:
        if isinstance(event, ChecksFinished | DriftMeasured):
            node = event.result.node
        else:
            node = event.node
        line = self._lines.setdefault(node, _Line(node))
        if isinstance(event, StepStarted):
            line.started_at = event.at
        elif isinstance(event, SampleTaken):
            line.rss_mb = event.rss_mb
        elif isinstance(event, StepFinished):
            line.is_being_checked = True
        else:
            line.result = event.result

    def _draw(self) -> None:
        self._drawn_at = self._clock()
        done = sum(line.result is not None for line in self._lines.values())
        elapsed = format_duration(max(self._drawn_at - self._started_at, 0.0))
        title = f"{done} of {count(len(self._lines), 'step')} done, {elapsed}"
        rows = Table.grid(padding=(0, 1))
        for line in self._visible():
            rows.add_row(self._render(line))
        self._live.update(Group(Text(title, "bold"), rows), refresh=True)

    def _visible(self) -> list[_Line]:
        """Return the lines that fit on the screen: what runs, and what is near to it."""
        lines = list(self._lines.values())
        room = max(self._console.height - 2, 1)
        first = next((i for i, line in enumerate(lines) if line.result is None), len(lines))
        near = max(0, min(first - room // 2, len(lines) - room)) + room / 2 - 0.5

        def distance(number: int) -> tuple[bool, float]:
            return not lines[number].is_running, abs(number - near)

        shown = sorted(range(len(lines)), key=distance)[:room]
        return [lines[number] for number in sorted(shown)]

    def _render(self, line: _Line) -> Text:
        if line.result is not None:
            return step_line(line.result)
        if line.started_at is None:
            return Text(f"{'':<7} {line.node}", "dim")
        spinner = _SPINNER[int(self._drawn_at * 8) % len(_SPINNER)]
        memory = format_size(line.rss_mb * 1e6) if line.rss_mb else ""
        elapsed = format_duration(max(self._drawn_at - line.started_at, 0.0))
        stage = "being checked" if line.is_being_checked else ""
        facts = (f"{spinner:<7}", line.node, elapsed, memory, stage)
        return Text(" ".join(fact for fact in facts if fact), "cyan")


def choose_progress(console: Console, *, verbose: bool = False, quiet: bool = False) -> Progress:
    """Return the handler that suits the console."""
    if quiet:
        return Progress()
    if can_redraw(console):
        return LiveProgress(console)
    return PlainProgress(console, verbose=verbose)
