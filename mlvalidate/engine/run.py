"""Executes plans: a generator of events, each written to the journal before it is yielded."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import secrets
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass

from mlvalidate.core.contracts import Project
from mlvalidate.core.events import Event, RunFinished, RunStarted, SampleTaken
from mlvalidate.core.plan import Plan
from mlvalidate.core.results import Status
from mlvalidate.core.run_folder import RunFolder, runs_folder
from mlvalidate.engine.drift_watch import NO_BASELINES, Baselines, DriftWatch
from mlvalidate.engine.execution import AskHistory, Run, no_history
from mlvalidate.engine.journal import JournalWriter, unfinished_result, write_result
from mlvalidate.engine.machine import available_memory
from mlvalidate.engine.past import past_steps
from mlvalidate.engine.ranking import path_lengths
from mlvalidate.engine.sandbox import Sandboxing
from mlvalidate.engine.scheduler import Scheduler, Task
from mlvalidate.engine.scratch import sweep_scratch
from mlvalidate.engine.tasks import RunTasks
from mlvalidate.engine.warm_starts import WarmStarts

# For samples and for removing folders, beside one repeated step for each core.
_THREADS_BESIDE = 2


@dataclass(frozen=True)
class Order:
    """One run to execute.

    ``baselines`` are what `reference: baseline` compares with; ``ask_history`` answers what gates
    on history ask.
    """

    plan: Plan
    folder: RunFolder
    baselines: Baselines = NO_BASELINES
    ask_history: AskHistory = no_history


def new_run_folder(project: Project) -> RunFolder:
    """Return the folder of a new run. Its name sorts by time and is unique."""
    now = dt.datetime.now(dt.UTC)
    run_id = f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
    return RunFolder(runs_folder(project.state_folder) / run_id)


def execute_plans(
    project: Project,
    orders: Sequence[Order],
    sandboxing: Sandboxing,
    interrupted: Callable[[], bool] = lambda: False,
    jobs: int = 1,
) -> Generator[tuple[RunFolder, Event], None, None]:
    """Execute plans, up to ``jobs`` nodes at once; each run ends with its `RunFinished`.

    A node whose producer failed is skipped with that reason; the others go on. When
    ``interrupted`` turns true the running nodes are ended and the rest is skipped. OSError when a
    journal can't be written, InfrastructureError when a sandbox can't be built. When the generator
    ends, also when it is closed early, no script is running and no run is open. Of several runs
    those that have not begun when the user interrupts are left out.
    """
    sweep_scratch()
    if any(order.plan.kind == "benchmark" for order in orders):
        # Measurements would slow each other down.
        jobs = 1
    scheduler: Scheduler[Event] = Scheduler(jobs, available_memory())

    def asked_to_stop() -> bool:
        # Scripts are watched in threads, and whoever watches one asks this all the time.
        scheduler.checkpoint()
        return interrupted()

    starts = WarmStarts(project, [planned for order in orders for planned in order.plan.steps])
    beside = ThreadPoolExecutor(jobs + _THREADS_BESIDE, "mlvalidate-beside")
    runs = [
        Run(
            project,
            order.plan,
            order.folder,
            sandboxing,
            order.plan.redactor(os.environ),
            asked_to_stop,
            DriftWatch(project, order.plan, order.folder, order.baselines, asked_to_stop),
            starts,
            beside,
            scheduler.cores,
            order.ask_history,
        )
        for order in orders
    ]
    books = {run.folder.run_id: _Book(run) for run in runs}
    tasks = _make_tasks(project, runs, jobs)
    try:
        with beside, starts, closing(scheduler.run(tasks)) as events:
            for task, event in events:
                book = books[task.group]
                yield book.folder, book.keep(event)
    except BaseException as error:
        for book in books.values():
            book.break_off(error)
        raise


def _make_tasks(project: Project, runs: Sequence[Run], jobs: int) -> list[Task[Event]]:
    """Return the tasks of all runs, the longest run's first where several nodes run at once."""
    if jobs == 1:
        return [task for run in runs for task in RunTasks(run, len(runs) > 1).make(0, {})]
    past = [past_steps(project.state_folder, run.plan) for run in runs]
    lengths = [
        max(path_lengths(run.plan, known).values(), default=0.0)
        for run, known in zip(runs, past, strict=True)
    ]
    order = sorted(range(len(runs)), key=lambda number: -lengths[number])
    return [
        task
        for place, number in enumerate(order)
        for task in RunTasks(runs[number], len(runs) > 1).make(place, past[number])
    ]


class _Book:
    """The journal of one run, open from its `RunStarted` to its `RunFinished`."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self.folder = run.folder
        # What a run that breaks off is closed from.
        self._facts: list[Event] = []
        self._journal: JournalWriter | None = None
        self._open = contextlib.ExitStack()

    def keep(self, event: Event) -> Event:
        """Write an event to the journal and return it, without secrets."""
        if isinstance(event, SampleTaken):
            self._write(event)
            return event
        safe = self._run.redactor.redact_model(event)
        if isinstance(safe, RunStarted):
            self._journal = self._open.enter_context(JournalWriter(self.folder))
            self._open.enter_context(self._run.watch)
        self._facts.append(safe)
        if isinstance(safe, RunFinished):
            # Before the event: who sees it finds the file.
            write_result(self.folder, safe.result)
        self._write(safe)
        if isinstance(safe, RunFinished):
            self._close()
        return safe

    def _write(self, event: Event) -> None:
        assert self._journal is not None
        self._journal.write(event)

    def _close(self) -> None:
        self._journal = None
        self._facts.clear()
        self._open.close()

    def break_off(self, error: BaseException) -> None:
        """Close a run that has begun and did not get to its end: it must not stay open."""
        if not self._facts or isinstance(self._facts[-1], RunFinished):
            self._close()
            return
        # GeneratorExit: the consumer wants no more events.
        stopped = isinstance(error, KeyboardInterrupt | GeneratorExit)
        status = Status.INTERRUPTED if stopped else Status.INTERNAL
        redact = self._run.redactor.redact
        reason = "" if stopped else redact(f": {type(error).__name__}: {error}")
        result = unfinished_result(self._facts, status, f"mlvalidate gave up{reason}")
        # A full disk may be the reason; whoever records the run then closes it from its journal.
        with contextlib.suppress(OSError):
            write_result(self.folder, result)
            self._write(RunFinished(at=result.finished_at, result=result))
        self._close()
