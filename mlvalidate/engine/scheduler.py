"""Runs tasks, several at once, and yields their events one by one in the thread of the caller.

Tasks know nothing of each other: what one leaves behind is there when those that come after it
start. Nothing but the caller's thread sees events, so that whoever writes or shows them needs no
lock.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from queue import SimpleQueue
from typing import Generic, TypeVar

E = TypeVar("E")

# As many tasks as there are cores may have given theirs up and still be busy.
_THREADS_PER_JOB = 2


class Abandoned(BaseException):
    """Raised in the thread of a task whose events nobody wants any more."""


@dataclass(frozen=True)
class Task(Generic[E]):
    """Something that yields events while it is done.

    ``group`` tells the caller what it belongs to. It starts when the tasks that ``after`` names are
    done; of those that can start, the one with the smallest ``priority`` does. ``memory`` is what
    it needs, in bytes. From an event on for which ``frees_core`` is true it gives up its core and
    its memory and goes on without.
    """

    name: str
    group: str
    events: Callable[[], Generator[E, None, None]]
    after: tuple[str, ...] = ()
    priority: tuple[float, ...] = ()
    memory: int = 0
    frees_core: Callable[[E], bool] = lambda _event: False


@dataclass(frozen=True)
class _Message(Generic[E]):
    """What the thread of a task has to say: an event, an error, or with neither that it is done."""

    task: Task[E]
    event: E | None = None
    error: BaseException | None = None


class Scheduler(Generic[E]):
    """Runs up to ``jobs`` tasks at once, in ``memory`` bytes; a single one always may run.

    With one job everything happens in the caller's thread, in the order of the tasks. For one use.
    """

    def __init__(self, jobs: int, memory: int) -> None:
        self._jobs = jobs
        self._memory = memory
        self._abandoned = threading.Event()

    def checkpoint(self) -> None:
        """Raise `Abandoned` when the tasks are to end; long ones call it now and then."""
        if self._abandoned.is_set():
            raise Abandoned

    def run(self, tasks: Sequence[Task[E]]) -> Generator[tuple[Task[E], E], None, None]:
        """Yield every event with its task; each of ``tasks`` stands behind those it comes after.

        An error of a task is raised here. When the generator ends, also when it is closed early,
        no task is running any more.
        """
        if self._jobs > 1 and len(tasks) > 1:
            yield from self._run_at_once(tasks)
            return
        for task in tasks:
            with contextlib.closing(task.events()) as events:
                for event in events:
                    yield task, event

    def _run_at_once(self, tasks: Sequence[Task[E]]) -> Generator[tuple[Task[E], E], None, None]:
        messages: SimpleQueue[_Message[E]] = SimpleQueue()
        state = _State(tasks, self._jobs, self._memory)
        # Threads outlive their tasks: to the kernel the parent of a process is a thread, and
        # processes that are to die with their parent must not die with a task.
        threads = ThreadPoolExecutor(self._jobs * _THREADS_PER_JOB, "mlvalidate-task")
        try:
            while state.is_active:
                while (task := state.start_next()) is not None:
                    threads.submit(self._work, task, messages)
                message = messages.get()
                if message.error is not None:
                    raise message.error
                if message.event is None:
                    state.finish(message.task)
                    continue
                if message.task.frees_core(message.event):
                    state.free_core(message.task)
                yield message.task, message.event
        finally:
            self._abandoned.set()
            threads.shutdown(wait=True)

    def _work(self, task: Task[E], messages: SimpleQueue[_Message[E]]) -> None:
        try:
            with contextlib.closing(task.events()) as events:
                for event in events:
                    messages.put(_Message(task, event))
                    self.checkpoint()
        except BaseException as error:
            messages.put(_Message(task, error=error))
        else:
            messages.put(_Message(task))


@dataclass
class _State(Generic[E]):
    """Which tasks run, which can start, and what is left of the machine."""

    tasks: Sequence[Task[E]]
    jobs: int
    memory: int
    _order: TopologicalSorter[str] = field(init=False)
    _ready: list[Task[E]] = field(default_factory=list)
    _running: dict[str, Task[E]] = field(default_factory=dict)
    # Those of the running ones that have not given up their core and their memory.
    _loading: dict[str, Task[E]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._by_name = {task.name: task for task in self.tasks}
        self._order = TopologicalSorter({task.name: task.after for task in self.tasks})
        self._order.prepare()

    @property
    def is_active(self) -> bool:
        return self._order.is_active()

    def start_next(self) -> Task[E] | None:
        """Take the next task that fits into what is left; None when there is none."""
        self._ready += [self._by_name[name] for name in self._order.get_ready()]
        self._ready.sort(key=lambda task: task.priority)
        task = next(filter(self._fits, self._ready), None)
        if task is not None:
            self._ready.remove(task)
            self._running[task.name] = self._loading[task.name] = task
        return task

    def _fits(self, task: Task[E]) -> bool:
        if len(self._running) >= self.jobs * _THREADS_PER_JOB:
            return False
        if not self._loading:
            return True
        needed = task.memory + sum(other.memory for other in self._loading.values())
        return len(self._loading) < self.jobs and needed <= self.memory

    def free_core(self, task: Task[E]) -> None:
        self._loading.pop(task.name, None)

    def finish(self, task: Task[E]) -> None:
        self.free_core(task)
        del self._running[task.name]
        self._order.done(task.name)
