"""What the command line and notebooks ask about recorded runs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlvalidate.api import Options
    from mlvalidate.core.comparison import Comparison
    from mlvalidate.core.contracts import Project
    from mlvalidate.core.history import RunRecord
    from mlvalidate.core.plan import Plan
    from mlvalidate.core.results import PipelineResult
    from mlvalidate.core.retention import Collected, Retention
    from mlvalidate.core.trend import Trend
    from mlvalidate.tracking.gateway import Gateway
    from mlvalidate.tracking.history import History


@contextmanager
def open_history(project: Project) -> Iterator[History]:
    """Yield the recorded runs of a project.

    UsageError when nothing is recorded yet, InfrastructureError when the store is away.
    """
    from mlvalidate.tracking.history import open_history as open_store
    from mlvalidate.tracking.store import resolve_store

    with open_store(resolve_store(project, os.environ), project.project) as history:
        yield history


def compare(project: Project, run: str = "", baseline: str = "baseline") -> Comparison:
    """Compare a recorded run with its baseline, step by step.

    ``run`` is a run id or the start of one, or the name of a pipeline or step of which the newest
    run is meant; by default it is the newest run of any pipeline. ``baseline`` is a run id,
    `baseline` (the one that `set_baseline` chose, else the last passed), `last-passed`, `last:N`,
    `branch:NAME` or `name=value` of a tag; runs count that began before.
    UsageError when there is no such run, InfrastructureError when the store is away.
    """
    from mlvalidate.core.history import NoHistoryError
    from mlvalidate.tracking.comparing import compare_run

    with open_history(project) as history:
        if run:
            found = history.find(run)
        else:
            try:
                found = history.newest("pipeline")
            except NoHistoryError:
                # A project without pipelines.
                found = history.newest()
        return compare_run(history, found, baseline, project.root)


def trend(project: Project, name: str, metric: str = "duration", last: int = 50) -> Trend:
    """Return how a metric went over the last runs of a pipeline or a step, as MLflow has them.

    ``metric`` is `duration`, `memory`, `rows`, any recorded metric, or `node.metric`. The trend
    also says how often steps failed, and which did so by chance. UsageError for a name without
    runs and a metric that no run has.
    """
    from mlvalidate.tracking.trend import find_trend

    with open_history(project) as history:
        return find_trend(history, project, name, metric, last)


def baselines(project: Project, name: str = "") -> tuple[RunRecord, ...]:
    """Return the runs that were chosen as baselines, of all pipelines and steps or of ``name``."""
    from mlvalidate.tracking.chosen_baseline import find_chosen

    with open_history(project) as history:
        return find_chosen(history, name)


def set_baseline(project: Project, run: str) -> RunRecord:
    """Make a run the baseline of its scope and return it; ``run`` is as for `compare`.

    UsageError when there is no such run or it is not finished, InfrastructureError when the store
    is away.
    """
    from mlvalidate.tracking.chosen_baseline import choose, find_chosen, run_to_choose

    with open_history(project) as history:
        found = run_to_choose(history, run)
        chosen = find_chosen(history)
    with _gateway(project) as gateway:
        choose(gateway, found, chosen)
    return found


def clear_baselines(project: Project, name: str) -> tuple[RunRecord, ...]:
    """Forget the baselines of a pipeline or step, and return the runs that were.

    UsageError when there are none, InfrastructureError when the store is away.
    """
    from mlvalidate.tracking.chosen_baseline import forget, to_forget

    with open_history(project) as history:
        found = to_forget(history, name)
    with _gateway(project) as gateway:
        forget(gateway, found)
    return found


def collect_garbage(project: Project, retention: Retention, *, dry: bool = True) -> Collected:
    """Throw away what a policy does not keep of old runs, or only say what would go.

    Runs that wait to be recorded, run, or are what later runs are compared with stay. Of MLflow
    only runs of this project are looked at. InfrastructureError when the store is away.
    """
    from mlvalidate.core.retention import Collected, Sort
    from mlvalidate.tracking.retention import collect_local, collect_recorded
    from mlvalidate.tracking.store import resolve_store

    store = resolve_store(project, os.environ)
    return Collected(
        is_dry=dry,
        removals=tuple(
            collect_recorded(store, project.project, retention, dry=dry)
            if sort is Sort.RUNS
            else collect_local(project.state_folder, retention, sort, dry=dry)
            for sort in retention.sorts
        ),
    )


@contextmanager
def _gateway(project: Project) -> Iterator[Gateway]:
    from mlvalidate.tracking.session import open_session
    from mlvalidate.tracking.store import resolve_store

    with open_session(resolve_store(project, os.environ)) as gateway:
        yield gateway


def log_comparison(project: Project, comparison: Comparison, page: str) -> None:
    """Keep a comparison and its page in MLflow, as artifacts of the newer of the two runs.

    InfrastructureError when the store is away.
    """
    from mlvalidate.tracking import layout

    path = layout.comparison_artifact(comparison.before.run_id)
    texts = {f"{path}.html": page, f"{path}.json": comparison.model_dump_json(indent=2)}
    with _gateway(project) as gateway:
        gateway.add_texts(comparison.after.mlflow_run_id, texts)


def _ignore(_round: int, _before: PipelineResult, _after: PipelineResult) -> None:
    """Take no notice of a round."""


def compare_code(
    project: Project,
    commit: str,
    name: str = "",
    *,
    repeat: int = 10,
    options: Options | None = None,
    on_round: Callable[[int, PipelineResult, PipelineResult], None] = _ignore,
) -> Comparison:
    """Compare the code as it is with that of a commit, by running both in turn ``repeat`` times.

    ``name`` is a pipeline or a step, by default the only pipeline. Both sides run alone, without
    cache, and are not recorded. Ends after the first round in which a step does not pass.
    UsageError when there is no such commit or name, KeyboardInterrupt when the user interrupts.
    """
    from mlvalidate import api
    from mlvalidate.core.errors import UsageError
    from mlvalidate.engine.checkout import checkout
    from mlvalidate.engine.drift_watch import without_references
    from mlvalidate.tracking import layout
    from mlvalidate.tracking.context import run_context
    from mlvalidate.tracking.turns import State, compare_states

    if repeat < 1:
        raise UsageError("there must be at least one round")
    _plan(project, name, "", options)
    with checkout(project, commit) as found:
        old = api.open_project(found.folder)
        sides = [without_references(each) for each in (old, project)]
        plans = [
            _plan(each, name, where, options)
            for each, where in zip(sides, (f" at commit {found.commit[:10]}", ""), strict=True)
        ]
        results: tuple[list[PipelineResult], list[PipelineResult]] = ([], [])
        for number in range(1, repeat + 1):
            # Each goes first every other time: what warms a cache up favours neither.
            for side in (0, 1) if number % 2 else (1, 0):
                results[side].append(_measure(sides[side], plans[side]))
            on_round(number, results[0][-1], results[1][-1])
            if any(not _all_passed(each[-1]) for each in results):
                break
        tags = run_context(project.root, os.environ)
        states = [
            State(each, api.run_folder(side, each[-1]))
            for side, each in zip(sides, results, strict=True)
        ]
        return compare_states(
            replace(states[0], commit=found.commit),
            replace(
                states[1],
                commit=tags.get(layout.GIT_COMMIT, ""),
                branch=tags.get(layout.GIT_BRANCH, ""),
                is_dirty=tags.get(layout.GIT_DIRTY) == "true",
            ),
            project.root,
            [f"run in turn, {len(results[0])} times each, and not recorded"],
        )


def _plan(project: Project, name: str, where: str, options: Options | None) -> Plan:
    from mlvalidate import api
    from mlvalidate.core.contracts import Reports
    from mlvalidate.core.errors import UsageError
    from mlvalidate.core.suggest import did_you_mean

    chosen = replace(options or api.Options(), cache=False, reports=Reports.NONE)
    if not name or name in project.pipelines:
        return api.plan_pipeline(project, name or None, chosen)
    if name in project.steps:
        return api.plan_script(project, name, chosen)
    raise UsageError(
        f"there is no pipeline or step {name!r}{where}",
        did_you_mean(name, [*project.pipelines, *project.steps]),
    )


def _measure(project: Project, plan: Plan) -> PipelineResult:
    from mlvalidate import api
    from mlvalidate.core.results import Status

    result = api.execute(project, plan, record=False, jobs=1)
    if result.status is Status.INTERRUPTED:
        raise KeyboardInterrupt
    return result


def _all_passed(result: PipelineResult) -> bool:
    from mlvalidate.core.results import Status

    return all(step.status is Status.PASSED for step in result.steps)
