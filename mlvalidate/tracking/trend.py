"""Trends: the last runs of a pipeline or a step, in two searches."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice

from mlvalidate.core.contracts import Project
from mlvalidate.core.errors import UsageError
from mlvalidate.core.findings import Finding
from mlvalidate.core.history import NoHistoryError, RunRecord, StepRecord
from mlvalidate.core.suggest import did_you_mean
from mlvalidate.core.trend import METRICS, Series, Trend
from mlvalidate.tracking import layout, search
from mlvalidate.tracking.history import History
from mlvalidate.tracking.trend_series import make_series, recurrences, reliability

_FAULTS = ("findings.error", "findings.warning")
# Findings stand in artifacts: of so many runs these are fetched, the newest ones.
_MOST_READ = 20
_MOST_FINDINGS = 10
# Of runs that are looked at for names, when there is none of the wanted one.
_MOST_NAMES = 300


@dataclass(frozen=True)
class _Runs:
    """The last runs, in the order of their time. ``nodes`` are those of each, by its id."""

    kind: str
    runs: Sequence[RunRecord]
    nodes: Mapping[str, Sequence[StepRecord]] = field(default_factory=dict)

    def by_node(self) -> dict[str, list[RunRecord]]:
        """Return the runs of each node, in the order of the newest run; none for whole runs."""
        groups: dict[str, list[RunRecord]] = defaultdict(list)
        if self.kind == "step":
            steps: Iterable[RunRecord] = self.runs
        else:
            newest_first = [self.nodes[run.run_id] for run in reversed(self.runs)]
            groups.update((step.node, []) for steps in newest_first for step in steps)
            steps = (step for run in self.runs for step in self.nodes[run.run_id])
        for step in steps:
            if isinstance(step, StepRecord):
                groups[step.node].append(step)
        return dict(groups)


def find_trend(
    history: History, project: Project, name: str, metric: str = "duration", last: int = 50
) -> Trend:
    """Return the trend of a metric over the last runs of a pipeline, or else of a step.

    ``metric`` is `duration`, `memory`, `rows`, any recorded one, or one of a node as `node.metric`.
    NoHistoryError when there is no run of that name, UsageError when no run has the metric.
    """
    found = _pipeline_runs(history, name, last) or _step_runs(history, name, last)
    if found is None:
        raise _unknown(history, project, name)
    by_node = found.by_node()
    series = tuple(_series(found, by_node, metric))
    if not any(each.points for each in series):
        raise _no_metric(found, by_node, name, metric)
    whole = [reliability("", found.runs)] if found.kind == "pipeline" else []
    faulty = [run for run in found.runs if any(run.metrics.get(name) for name in _FAULTS)]
    findings_of = dict(_findings(history, faulty[-_MOST_READ:]))
    return Trend(
        project=project.project,
        kind=found.kind,
        name=name,
        metric=metric,
        runs=len(found.runs),
        began_at=found.runs[0].started_at,
        ended_at=found.runs[-1].started_at,
        series=tuple(each for each in series if each.points),
        reliability=(*whole, *(reliability(node, runs) for node, runs in by_node.items())),
        findings=recurrences(findings_of)[:_MOST_FINDINGS],
        runs_with_findings=len(faulty),
        runs_read=len(findings_of),
    )


def _findings(
    history: History, runs: Iterable[RunRecord]
) -> Iterator[tuple[str, tuple[Finding, ...]]]:
    """Yield the id and the findings of each run of which the result can be read."""
    for run in runs:
        # A run that was cut off has no result, and one of another version may have another sort.
        with suppress(UsageError):
            if isinstance(run, StepRecord):
                yield run.run_id, history.step_result(run).findings
            else:
                yield run.run_id, history.result(run).all_findings


def _pipeline_runs(history: History, name: str, last: int) -> _Runs | None:
    of_pipeline = search.has_tag(layout.PIPELINE, name)
    found = history.search(
        search.has_tag(layout.KIND, "pipeline"),
        search.is_finished(),
        of_pipeline,
        page=last,
    )
    runs = list(islice(found, last))
    if not runs:
        return None
    # Nodes begin after their run, and before a later one only where two runs were made at once.
    nodes: dict[str, list[StepRecord]] = {run.run_id: [] for run in runs}
    for step in history.search(
        search.has_tag(layout.KIND, search.STEP),
        of_pipeline,
        search.began_after(runs[-1].started_at),
        page=_NODES_AT_ONCE,
    ):
        if isinstance(step, StepRecord) and step.run_id in nodes:
            nodes[step.run_id].insert(0, step)
    return _Runs("pipeline", runs[::-1], nodes)


def _step_runs(history: History, name: str, last: int) -> _Runs | None:
    for tag in (layout.NODE, layout.STEP):
        found = history.search(
            search.has_tag(tag, name),
            search.is_finished(),
            page=last,
        )
        runs = list(islice(filter(_is_of_contract, found), last))
        if runs:
            return _Runs("step", runs[::-1])
    return None


# Nodes are asked for in pages of this size: a search costs as much as what it returns.
_NODES_AT_ONCE = 5000


def _is_of_contract(run: RunRecord) -> bool:
    """Tell whether a step ran as it is declared, and not as a case of a matrix or benchmark."""
    return isinstance(run, StepRecord) and (run.kind == "script" or bool(run.pipeline))


def _series(
    found: _Runs, by_node: Mapping[str, Sequence[RunRecord]], metric: str
) -> Iterator[Series]:
    if found.kind == "pipeline":
        for name in _names(found.runs, metric):
            yield make_series("", name, found.runs, found.nodes)
    for node, runs in by_node.items():
        own = metric.removeprefix(f"{node}.")
        for name in _names(runs, own):
            yield make_series(node, name, runs)


def _names(runs: Iterable[RunRecord], metric: str) -> list[str]:
    """Return the names of metrics that a word stands for, of those that the runs have."""
    wanted = METRICS.get(metric, metric)
    names = dict.fromkeys(name for run in runs for name in run.metrics)
    if wanted.endswith("."):
        return [name for name in names if name.startswith(wanted)]
    return [wanted] if wanted in names else []


def _unknown(history: History, project: Project, name: str) -> NoHistoryError:
    nodes = {node for pipeline in project.pipelines.values() for node in pipeline.nodes}
    declared = {*project.pipelines, *project.steps, *nodes}
    if name in declared:
        command = "test-pipeline" if name in project.pipelines else "test-script"
        kind = "pipeline" if name in project.pipelines else "step"
        return NoHistoryError(
            f"no finished run of {kind} {name!r} is recorded",
            f"`mlvalidate {command} {name}` makes one, "
            "`mlvalidate sync` records runs that wait for it",
        )
    recorded = {run.name for run in islice(history.search(page=_MOST_NAMES), _MOST_NAMES)}
    return NoHistoryError(
        f"there is no pipeline or step {name!r}",
        did_you_mean(name, declared | recorded) or "`mlvalidate list` shows those there are",
    )


def _no_metric(
    found: _Runs, by_node: Mapping[str, Sequence[RunRecord]], name: str, metric: str
) -> UsageError:
    runs = [run for runs in by_node.values() for run in runs] + list(found.runs)
    names = _shown_names(runs)
    if _names(runs, metric) or any(metric == f"{n}.{m}" for n in by_node for m in names):
        return NoHistoryError(
            f"none of the last {len(found.runs)} runs of {name!r} passed with a {metric!r}",
            "see the runs with `mlvalidate ui`, or look further back with --last",
        )
    return UsageError(
        f"no run of {name!r} has a metric {metric!r}",
        did_you_mean(metric, names) or f"there is {', '.join(sorted(names))}",
    )


def _shown_names(runs: Iterable[RunRecord]) -> Collection[str]:
    """Return words and metrics that can be asked for: not series over time, nor copies of nodes."""
    recorded = {name for run in runs for name in run.metrics if "/" not in name}
    return recorded | {
        word for word, name in METRICS.items() if any(each.startswith(name) for each in recorded)
    }
