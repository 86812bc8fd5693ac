"""The scheduler alone: tasks that meet at barriers instead of scripts that take time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from contextlib import closing

import pytest

from mlvalidate.engine.scheduler import Abandoned, Scheduler, Task

# Nothing waits so long unless a test fails.
PATIENCE = 20.0
PLENTY = 10**9

Work = Callable[[], Generator[str, None, None]]


def says(*words: str) -> Work:
    def work() -> Generator[str, None, None]:
        yield from words

    return work


def meets(barrier: threading.Barrier) -> Work:
    """Return work that is only ever done when as many tasks do it at once."""

    def work() -> Generator[str, None, None]:
        barrier.wait(PATIENCE)
        yield "met"

    return work


def task(name: str, work: Work, *after: str, **more: object) -> Task[str]:
    return Task(name, "group", work, after, **more)  # type: ignore[arg-type]


def run(jobs: int, *tasks: Task[str], memory: int = PLENTY) -> list[tuple[str, str]]:
    scheduler: Scheduler[str] = Scheduler(jobs, memory)
    return [(task.name, event) for task, event in scheduler.run(tasks)]


class Gauge:
    """How many tasks were at work at once, at most."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._now = 0
        self.most = 0
        self.order: list[str] = []

    def work(self, name: str) -> Work:
        def work() -> Generator[str, None, None]:
            with self._lock:
                self.order.append(name)
                self._now += 1
                self.most = max(self.most, self._now)
            yield "working"
            # Others that may start do it meanwhile.
            threading.Event().wait(0.05)
            with self._lock:
                self._now -= 1

        return work


def test_a_core_that_no_task_wants_is_lent() -> None:
    scheduler: Scheduler[str] = Scheduler(2, PLENTY)
    lent = []

    def borrows() -> Generator[str, None, None]:
        while not scheduler.cores.borrow("guest", "a"):
            threading.Event().wait(0.001)
        lent.append(scheduler.cores.borrow("another", "a"))
        scheduler.cores.give_back("guest")
        yield "done"

    tasks = [task("a", borrows), task("b", says("done"), "a")]
    assert [event for _, event in scheduler.run(tasks)] == ["done", "done"]
    assert lent == [False]


def test_a_core_is_not_lent_while_a_task_waits_for_one() -> None:
    scheduler: Scheduler[str] = Scheduler(2, memory=10)
    lent = []

    def borrows() -> Generator[str, None, None]:
        assert not scheduler.cores.borrow("guest", "a")  # it needs as much memory again
        # The scheduler has looked at both tasks when it has the event.
        yield "first"
        lent.append(scheduler.cores.borrow("guest", "a"))
        yield "second"

    tasks = [task("a", borrows, memory=8), task("b", says("third"), memory=8)]
    assert [event for _, event in scheduler.run(tasks)] == ["first", "second", "third"]
    assert lent == [False]


def test_a_core_that_comes_back_is_given_to_a_task_at_once() -> None:
    scheduler: Scheduler[str] = Scheduler(2, PLENTY)
    returned, ran = threading.Event(), threading.Event()

    def borrows() -> Generator[str, None, None]:
        while not scheduler.cores.borrow("guest", "a"):
            threading.Event().wait(0.001)
        yield "lent"

    def holds() -> Generator[str, None, None]:
        assert not ran.wait(0.05)
        returned.set()
        scheduler.cores.give_back("guest")
        # Without another event of this task.
        assert ran.wait(PATIENCE)
        yield "held"

    def runs() -> Generator[str, None, None]:
        assert returned.is_set()
        ran.set()
        yield "ran"

    tasks = [task("a", borrows), task("b", holds, "a"), task("c", runs, "a")]
    events = [event for _, event in scheduler.run(tasks)]
    assert events == ["lent", "ran", "held"]


def test_with_one_job_no_core_is_lent() -> None:
    scheduler: Scheduler[str] = Scheduler(1, PLENTY)

    def borrows() -> Generator[str, None, None]:
        yield str(scheduler.cores.borrow("guest", "a"))

    tasks = [task("a", borrows), task("b", says("x"), "a")]
    assert [event for _, event in scheduler.run(tasks)] == ["False", "x"]


def test_independent_tasks_run_at_once() -> None:
    barrier = threading.Barrier(3)
    events = run(3, *(task(name, meets(barrier)) for name in "abc"))
    assert sorted(events) == [("a", "met"), ("b", "met"), ("c", "met")]


def test_the_middle_of_a_diamond_runs_at_once_and_its_end_last() -> None:
    barrier = threading.Barrier(2)
    events = run(
        2,
        task("top", says("done")),
        task("left", meets(barrier), "top"),
        task("right", meets(barrier), "top"),
        task("bottom", says("done"), "left", "right"),
    )
    assert events[0] == ("top", "done")
    assert sorted(events[1:3]) == [("left", "met"), ("right", "met")]
    assert events[3] == ("bottom", "done")


def test_a_task_starts_when_the_events_of_those_before_it_have_been_seen() -> None:
    seen: list[str] = []

    def look() -> Generator[str, None, None]:
        yield " ".join(seen)

    tasks = [task("first", says("one", "two")), task("second", look, "first")]
    for _, event in Scheduler[str](2, PLENTY).run(tasks):
        seen.append(event)
    assert seen == ["one", "two", "one two"]


def test_never_more_tasks_run_at_once_than_there_are_jobs() -> None:
    gauge = Gauge()
    run(2, *(task(str(number), gauge.work(str(number))) for number in range(8)))
    assert gauge.most == 2


def test_one_job_does_everything_in_the_callers_thread_and_in_order() -> None:
    threads: list[str] = []

    def work() -> Generator[str, None, None]:
        threads.append(threading.current_thread().name)
        yield "done"

    later = task("a", work, priority=(2,))
    events = run(1, later, task("b", work, priority=(1,)))
    assert [name for name, _ in events] == ["a", "b"]
    assert set(threads) == {threading.current_thread().name}


def test_of_those_that_can_start_the_smallest_priority_does() -> None:
    gauge = Gauge()
    names = {"later": (1, -99.0), "short": (0, -1.0), "long": (0, -9.0)}
    gate = threading.Barrier(2)
    # The barrier keeps both cores busy until all are ready.
    holders = [task("x", meets(gate), priority=(-1,)), task("y", meets(gate), priority=(-1,))]
    rest = [task(name, gauge.work(name), "x", "y", priority=p) for name, p in names.items()]
    run(2, *holders, *rest)
    assert set(gauge.order[:2]) == {"long", "short"}
    assert gauge.order[2] == "later"


def test_tasks_that_do_not_fit_into_memory_together_run_one_after_the_other() -> None:
    gauge = Gauge()
    tasks = [task(str(number), gauge.work(str(number)), memory=60) for number in range(3)]
    run(3, *tasks, memory=100)
    assert gauge.most == 1


def test_a_small_task_runs_beside_a_large_one_that_another_large_one_waits_for() -> None:
    barrier = threading.Barrier(2)
    gauge = Gauge()
    events = run(
        3,
        task("large", meets(barrier), priority=(0,), memory=80),
        task("second", gauge.work("second"), priority=(1,), memory=80),
        task("small", meets(barrier), priority=(2,), memory=20),
        memory=100,
    )
    assert {name for name, event in events if event == "met"} == {"large", "small"}
    assert events[-1] == ("second", "working")


def test_a_task_that_needs_more_memory_than_there_is_runs_alone() -> None:
    assert run(2, task("a", says("done"), memory=500), memory=100) == [("a", "done")]


def test_a_core_that_a_task_gives_up_is_used_while_it_goes_on() -> None:
    barrier = threading.Barrier(3)

    def judged() -> Generator[str, None, None]:
        yield "script ended"
        barrier.wait(PATIENCE)
        yield "judged"

    def frees(event: str) -> bool:
        return event == "script ended"

    events = run(
        2,
        task("a", judged, memory=100, frees_core=frees),
        task("b", judged, memory=100, frees_core=frees),
        task("c", meets(barrier), memory=100),
        memory=100,
    )
    assert ("c", "met") in events
    assert events.count(("a", "judged")) == 1


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_error_of_a_task_is_raised_to_the_caller(jobs: int) -> None:
    def fail() -> Generator[str, None, None]:
        yield "begun"
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        run(jobs, task("a", fail), task("b", says("done"), "a"))


class Endless:
    """Work that ends only when it is abandoned, and notes that it was cleaned up after."""

    def __init__(self) -> None:
        self.scheduler: Scheduler[str] = Scheduler(2, PLENTY)
        self.ended: list[str] = []
        self.has_begun = threading.Event()

    def work(self) -> Generator[str, None, None]:
        self.has_begun.set()
        try:
            yield "begun"
            for _ in range(int(PATIENCE / 0.01)):
                self.scheduler.checkpoint()
                threading.Event().wait(0.01)
        except (Abandoned, GeneratorExit):
            self.ended.append("cleaned up")
            raise


def test_when_one_task_fails_the_others_have_ended_before_the_caller_is_told() -> None:
    endless = Endless()

    def fail() -> Generator[str, None, None]:
        assert endless.has_begun.wait(PATIENCE)
        yield "begun"
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        list(endless.scheduler.run([task("a", endless.work), task("b", fail)]))
    assert endless.ended == ["cleaned up"]


def test_a_caller_that_wants_no_more_leaves_no_task_and_no_thread_behind() -> None:
    endless = Endless()
    tasks = [task("a", endless.work), task("b", says("done"), "a")]
    with closing(endless.scheduler.run(tasks)) as events:
        next(events)
    assert endless.ended == ["cleaned up"]
    assert not [t for t in threading.enumerate() if t.name.startswith("mlvalidate-task")]
