"""Runs with several scripts at once. What has to overlap waits until it has been seen to."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing

import psutil
import pytest

from mlvalidate import api
from mlvalidate.core.contracts import Project
from mlvalidate.core.events import (
    ChecksFinished,
    Event,
    RunFinished,
    SampleTaken,
    StepFinished,
    StepStarted,
)
from mlvalidate.core.plan import Plan
from mlvalidate.core.results import PipelineResult, Status, StepResult
from mlvalidate.core.run_folder import RunFolder
from mlvalidate.engine import tasks
from mlvalidate.engine.journal import read_events
from mlvalidate.engine.run import Order, execute_plans, new_run_folder
from mlvalidate.engine.sandbox import detect_sandboxing
from tests.projects import ProjectFolder, execute_plan

OUT = {"out": {"path": "/opt/ml/processing/output"}}
WRITE = "open('/opt/ml/processing/output/done.txt', 'w').write('x')\n"
# Longer than any test takes: whoever waits for its end has not ended it.
HANG = WRITE + "import time; print('begun', flush=True); time.sleep(300)\n"
TALK = WRITE + "import sys\nfor i in range(3000): print(sys.argv[2] * 20)\n"


def diamond(project: ProjectFolder, middle: str) -> tuple[Project, Plan]:
    """Declare top, then left and right with the script ``middle``, then bottom."""
    project.write("write.py", WRITE)
    project.write("middle.py", middle)
    one = {"raw": {"path": "/opt/ml/processing/raw", "required": False}}
    two = {"other": {"path": "/opt/ml/processing/other"}, **one}
    project.declare(
        steps={
            "write": {"script": "write.py", "inputs": two | one, "outputs": OUT},
            "middle": {"script": "middle.py", "inputs": one, "outputs": OUT},
            "top": {"script": "write.py", "outputs": OUT},
        },
        pipelines={
            "p": {
                "nodes": {
                    "top": {},
                    "left": {"step": "middle", "args": {"name": "left"}},
                    "right": {"step": "middle", "args": {"name": "right"}},
                    "bottom": {"step": "write"},
                },
                "edges": {
                    "left.raw": "top.out",
                    "right.raw": "top.out",
                    "bottom.raw": "left.out",
                    "bottom.other": "right.out",
                },
            }
        },
    )
    loaded = project.load()
    return loaded, api.plan_pipeline(loaded, options=api.Options(cache=False))


def both_run(events: list[Event]) -> bool:
    """Tell whether left and right have been seen at work, and neither is done."""
    at_work = {event.node for event in events if isinstance(event, SampleTaken)}
    done = {event.node for event in events if isinstance(event, StepFinished)}
    return {"left", "right"} <= at_work and not {"left", "right"} & done


def by_node(result: PipelineResult) -> dict[str, StepResult]:
    return {step.node: step for step in result.steps}


@pytest.fixture
def no_script_is_left() -> Callable[[], bool]:
    """Tell whether all children have ended but those of other tests, as a server of theirs."""
    others = set(psutil.Process().children(recursive=True))

    def is_none_left() -> bool:
        children = set(psutil.Process().children(recursive=True)) - others
        return not [child for child in children if child.status() != psutil.STATUS_ZOMBIE]

    return is_none_left


def test_scripts_that_need_nothing_of_each_other_run_at_once_and_are_interrupted_together(
    project: ProjectFolder,
    no_script_is_left: Callable[[], bool],
) -> None:
    loaded, plan = diamond(project, HANG)
    folder = new_run_folder(loaded)
    events: list[Event] = []
    # Once asked for, an interruption lasts: the end of one script does not take it back.
    asked = threading.Event()
    for event in execute_plan(loaded, plan, folder, detect_sandboxing(), asked.is_set, jobs=2):
        events.append(event)
        if both_run(events):
            asked.set()
    assert isinstance(events[-1], RunFinished)
    steps = by_node(events[-1].result)
    assert events[-1].result.status is Status.INTERRUPTED
    assert {node: step.status for node, step in steps.items()} == {
        "top": Status.PASSED,
        "left": Status.INTERRUPTED,
        "right": Status.INTERRUPTED,
        "bottom": Status.SKIPPED,
    }
    assert read_events(folder) == events
    assert no_script_is_left()


def comparable(step: StepResult) -> dict[str, object]:
    """What has to be the same in every run: all but times and measurements."""
    varying = {"started_at", "finished_at", "usage"}
    return step.model_dump(exclude=varying)


def test_the_results_are_those_of_a_run_one_after_the_other(project: ProjectFolder) -> None:
    loaded, plan = diamond(project, TALK)
    ran = {}
    for jobs in (1, 2):
        events: list[Event] = []
        result = api.execute(loaded, plan, events.append, record=False, jobs=jobs)
        ran[jobs] = result
        logs = {
            node: api.run_folder(loaded, result).step(node).stdout.read_text()
            for node in ("left", "right")
        }
        # Whatever the scripts print stays in logs of their own.
        assert {node: set(text.split()) for node, text in logs.items()} == {
            "left": {"left" * 20},
            "right": {"right" * 20},
        }
    assert [step.node for step in ran[2].steps] == [step.node for step in plan.steps]
    assert [*map(comparable, ran[1].steps)] == [*map(comparable, ran[2].steps)]
    assert ran[2].status is Status.PASSED


def test_a_caller_that_wants_no_more_leaves_no_script_behind_and_no_run_open(
    project: ProjectFolder,
    no_script_is_left: Callable[[], bool],
) -> None:
    loaded, plan = diamond(project, HANG)
    folder = new_run_folder(loaded)
    seen: list[Event] = []
    run = execute_plan(loaded, plan, folder, detect_sandboxing(), jobs=2)
    with closing(run):
        while not both_run(seen):
            seen.append(next(run))
    assert no_script_is_left()
    last = read_events(folder)[-1]
    assert isinstance(last, RunFinished)
    assert last.result.status is Status.INTERRUPTED
    assert by_node(last.result)["right"].status is Status.INTERRUPTED


def test_a_fault_of_ours_in_one_node_ends_the_others_before_the_run_is_closed(
    project: ProjectFolder,
    monkeypatch: pytest.MonkeyPatch,
    no_script_is_left: Callable[[], bool],
) -> None:
    loaded, plan = diamond(project, HANG)
    folder = new_run_folder(loaded)
    seen: list[Event] = []
    reuse_or_run = tasks.reuse_or_run

    def break_at_right(run: object, planned: object) -> object:
        for event in reuse_or_run(run, planned):  # type: ignore[arg-type]
            yield event
            if both_run(seen) and isinstance(event, SampleTaken) and event.node == "right":
                raise RuntimeError("a bug")

    monkeypatch.setattr(tasks, "reuse_or_run", break_at_right)
    with pytest.raises(RuntimeError, match="a bug"):
        for event in execute_plan(loaded, plan, folder, detect_sandboxing(), jobs=2):
            seen.append(event)
    assert no_script_is_left()
    last = read_events(folder)[-1]
    assert isinstance(last, RunFinished)
    assert last.result.status is Status.INTERNAL
    assert "a bug" in last.result.notes[0]


def test_several_plans_are_executed_as_one(project: ProjectFolder) -> None:
    loaded, pipeline = diamond(project, WRITE)
    plans = (pipeline, api.plan_script(loaded, "top"), api.plan_script(loaded, "middle"))
    orders = [Order(plan, new_run_folder(loaded)) for plan in plans]
    events: dict[RunFolder, list[Event]] = {}
    for folder, event in execute_plans(loaded, orders, detect_sandboxing(), jobs=2):
        events.setdefault(folder, []).append(event)
    assert events.keys() == {order.folder for order in orders}
    for order in orders:
        own = events[order.folder]
        assert own == read_events(order.folder)
        assert isinstance(own[-1], RunFinished)
        assert own[-1].result.status is Status.PASSED
        judged = [event.result.node for event in own if isinstance(event, ChecksFinished)]
        started = [event.node for event in own if isinstance(event, StepStarted)]
        nodes = [planned.node for planned in order.plan.steps]
        assert sorted(judged) == sorted(started) == sorted(nodes)
