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
    """What the thread of a task has to say: an event, an error, or with neither that it is done.

    Without a task: a core has come back that was lent.
    """

    task: Task[E] | None = None
    event: E | None = None
    error: BaseException | None = None


class Cores:
    """The cores and the memory of a run, which tasks share with what is started beside them."""

    def __init__(self, jobs: int = 1, memory: int = 0) -> None:
        self._jobs = jobs
        self._memory = memory
        self._lock = threading.Lock()
        # Bytes by holder.
        self._taken: dict[str, int] = {}
        # Whether tasks wait for a core, or may do so unknown to us.
        self._are_wanted = True
        self._on_return: Callable[[], None] = lambda: None

    def borrow(self, holder: str, beside: str) -> bool:
        """Take a core that no task wants now, and as much memory as the task ``beside`` it has.

        Whoever gets it gives it back.
        """
        with self._lock:
            memory = self._taken.get(beside, 0)
            if self._are_wanted or not self._has(memory):
                return False
            self._taken[holder] = memory
            return True

    def give_back(self, holder: str) -> None:
        """Give back what was borrowed."""
        self.free(holder)
        self._on_return()

    def call_on_return(self, on_return: Callable[[], None]) -> None:
        self._on_return = on_return

    def take(self, holder: str, memory: int) -> bool:
        """Take a core for a task, if there is one; a single task may have more than there is."""
        with self._lock:
            if self._taken and not self._has(memory):
                return False
            self._taken[holder] = memory
            return True

    def free(self, holder: str) -> None:
        """End what was taken, if it has not ended before."""
        with self._lock:
            self._taken.pop(holder, None)

    def tell(self, *, are_wanted: bool) -> None:
        """Say whether tasks wait for cores."""
        with self._lock:
            self._are_wanted = are_wanted

    def _has(self, memory: int) -> bool:
        return len(self._taken) < self._jobs and sum(self._taken.values()) + memory <= self._memory


class Scheduler(Generic[E]):
    """Runs up to ``jobs`` tasks at once, in ``memory`` bytes; a single one always may run.

    With one job everything happens in the caller's thread, in the order of the tasks. For one use.
    ``cores`` are lent to what tasks start beside themselves.
    """

    def __init__(self, jobs: int, memory: int) -> None:
        self._jobs = jobs
        self.cores = Cores(jobs, memory)
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
        state = _State(tasks, self._jobs, self.cores)
        self.cores.call_on_return(lambda: messages.put(_Message()))
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
                if message.task is None:
                    continue
                if message.event is None:
                    state.finish(message.task)
                    continue
                if message.task.frees_core(message.event):
                    self.cores.free(message.task.name)
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
    cores: Cores
    _order: TopologicalSorter[str] = field(init=False)
    _ready: list[Task[E]] = field(default_factory=list)
    _running: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._by_name = {task.name: task for task in self.tasks}
        self._order = TopologicalSorter({task.name: task.after for task in self.tasks})
        self._order.prepare()

    @property
    def is_active(self) -> bool:
        return self._order.is_active()

    def start_next(self) -> Task[E] | None:
        """Take the next task that fits into what is left; None when there is none."""
        # Nothing is lent before it is known that no task wants it.
        self.cores.tell(are_wanted=True)
        self._ready += [self._by_name[name] for name in self._order.get_ready()]
        self._ready.sort(key=lambda task: task.priority)
        task = next(filter(self._fits, self._ready), None)
        if task is None:
            self.cores.tell(are_wanted=bool(self._ready))
            return None
        self._ready.remove(task)
        self._running.add(task.name)
        return task

    def _fits(self, task: Task[E]) -> bool:
        has_thread = len(self._running) < self.jobs * _THREADS_PER_JOB
        return has_thread and self.cores.take(task.name, task.memory)

    def finish(self, task: Task[E]) -> None:
        self.cores.free(task.name)
        self._running.remove(task.name)
        self._order.done(task.name)
