"""Recording one run: its events go in, runs in MLflow come out, each exactly once.

What has been finished stands in the run's progress log. After a crash the log says which nodes are
complete, and the store itself which runs exist: their key finds them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace

from mlvalidate.core.events import (
    ChecksFinished,
    DriftMeasured,
    Event,
    RunFinished,
    RunStarted,
    SampleTaken,
    StepFinished,
)
from mlvalidate.core.related import RELATED_ISSUES
from mlvalidate.core.results import PipelineResult, Status, StepResult
from mlvalidate.core.run_folder import RunFolder
from mlvalidate.tracking import content, layout
from mlvalidate.tracking.benchmark_content import benchmark_content
from mlvalidate.tracking.content import Origin
from mlvalidate.tracking.gateway import Gateway
from mlvalidate.tracking.links import run_link
from mlvalidate.tracking.progress import Entry, append, read_progress, recorded_run
from mlvalidate.tracking.related import find_related
from mlvalidate.tracking.trace import run_spans

# Ends the key under which the progress log says that drift was added to a run.
_DRIFT = "#drift"


class RunRecorder:
    """Records one run. Whoever uses it holds the run's tracking lock.

    ``has_ended`` tells that the run was over before: then a copy of its journal on another host,
    where no lock reaches, may have been recorded, or be being recorded just now.
    """

    def __init__(
        self,
        folder: RunFolder,
        gateway: Gateway,
        context: Mapping[str, str],
        *,
        has_ended: bool = False,
    ) -> None:
        self._folder = folder
        self._gateway = gateway
        self._context = context
        self._samples: dict[str, list[SampleTaken]] = defaultdict(list)
        self._script_ends: dict[str, float] = {}
        progress = read_progress(folder, gateway.store.key)
        # Nothing can be there before the first attempt: no need to search.
        self._may_be_double = has_ended or progress.was_started
        self._runs = gateway.find_runs(folder.run_id) if self._may_be_double else {}
        # What somebody has deleted in the meantime is recorded again.
        self._recorded = {key for key in progress.recorded if _run_of(key) in self._runs}
        if not progress.was_started:
            self._log(Entry(op="started"))

    def record(self, events: Iterable[Event]) -> bool:
        """Record the events of a run as they come; True when the run was recorded to its end.

        RecordingError when MLflow does not take it, OSError when the disk does not.
        """
        started: RunStarted | None = None
        for event in events:
            if isinstance(event, RunStarted):
                started = event
                self._open_run(started)
            elif started is None:
                return False
            elif isinstance(event, SampleTaken):
                self._samples[event.node].append(event)
            elif isinstance(event, StepFinished):
                self._script_ends[event.node] = event.at
            elif isinstance(event, ChecksFinished):
                self._record_step(started, event.result)
            elif isinstance(event, DriftMeasured):
                self._record_drift(started, event.result)
            elif isinstance(event, RunFinished):
                self._record_end(started, event.result)
                return True
        return False

    def _open_run(self, started: RunStarted) -> None:
        tags = content.opening_tags(started, self._context)
        self._create(layout.run_key(started.run_id), content.run_title(started), started.at, tags)

    def _record_step(self, started: RunStarted, result: StepResult) -> None:
        key = layout.run_key(started.run_id, result.node)
        if started.plan.kind == "script" or result.status is Status.SKIPPED:
            return
        if key in self._recorded:
            return
        parent = self._runs[layout.run_key(started.run_id)]
        origin = self._origin(result)
        tags = content.step_tags(started, result, self._context, parent, origin)
        run = self._create(key, result.node, result.started_at, tags)
        samples = self._samples.pop(result.node, [])
        files = self._folder.step(result.node)
        written = content.step_content(started, result, samples, files)
        self._gateway.write(run, written, scratch=self._folder.root)
        self._recorded.add(key)
        self._log(Entry(op="recorded", key=key, mlflow_run_id=run))

    def _origin(self, result: StepResult) -> Origin:
        """Return the run in MLflow that a reused step is of, as far as it is known here."""
        if not result.reused_from:
            return Origin()
        folder = RunFolder(self._folder.root.parent / result.reused_from)
        # A script test has a single run, a node of a pipeline one of its own.
        keys = [layout.run_key(folder.run_id, result.node), layout.run_key(folder.run_id)]
        store = self._gateway.store
        run = recorded_run(folder, store.key, keys)
        link = run_link(store, self._gateway.experiment_id, run) if run else ""
        return Origin(run, link)

    def _record_drift(self, started: RunStarted, result: StepResult) -> None:
        node = layout.run_key(started.run_id, result.node)
        key = f"{node}{_DRIFT}"
        # The only run of a script is written at its end.
        if started.plan.kind == "script" or key in self._recorded:
            return
        written = content.drift_content(started, result, self._folder.step(result.node))
        self._gateway.write(self._runs[node], written, scratch=self._folder.root)
        self._recorded.add(key)
        self._log(Entry(op="recorded", key=key, mlflow_run_id=self._runs[node]))

    def _record_end(self, started: RunStarted, result: PipelineResult) -> None:
        result = self._with_related(started, result)
        # The steps of an abandoned run that were under way have no event of their own.
        for step in result.steps:
            self._record_step(started, step)
        if started.plan.kind == "script":
            node = next((step.node for step in result.steps), started.plan.name)
            written = content.script_content(
                started, result, self._samples.pop(node, []), self._folder.step(node)
            )
            for step in result.steps:
                written = replace(written, tags={**written.tags, **self._origin(step).tags})
        elif started.plan.kind == "benchmark":
            written = benchmark_content(started, result, self._folder)
        else:
            written = content.pipeline_content(started, result)
        key = layout.run_key(started.run_id)
        self._gateway.write(self._runs[key], written, scratch=self._folder.root)
        if self._may_be_double:
            self._delete_doubles(started.run_id)
        run = self._runs[key]
        # Of the run that stays, and before the log says that all is done.
        self._gateway.write_trace(run, run_spans(result, self._script_ends))
        experiment = self._gateway.experiment_id
        url = run_link(self._gateway.store, experiment, run)
        self._log(
            Entry(op="done", key=key, experiment_id=experiment, mlflow_run_id=run, run_url=url)
        )

    def _with_related(self, started: RunStarted, result: PipelineResult) -> PipelineResult:
        """Add what earlier runs know about the faults, and leave it for whoever waits."""
        related = find_related(self._gateway, started, result)
        if not related:
            return result
        self._folder.related.write_bytes(RELATED_ISSUES.dump_json(related, indent=2))
        return result.model_copy(update={"related_issues": related})

    def _delete_doubles(self, run_id: str) -> None:
        for key, run in self._gateway.delete_doubles(run_id).items():
            if self._runs.get(key) != run:
                # Another's record stays. Who links to the run shall find it.
                self._runs[key] = run
                self._log(Entry(op="recorded", key=key, mlflow_run_id=run))

    def _create(self, key: str, name: str, started_at: float, tags: Mapping[str, str]) -> str:
        """Return the run of this key, created where it does not exist yet."""
        if key not in self._runs:
            self._runs[key] = self._gateway.create_run(name, started_at, tags)
            self._log(Entry(op="created", key=key, mlflow_run_id=self._runs[key]))
        return self._runs[key]

    def _log(self, entry: Entry) -> None:
        append(self._folder, entry.model_copy(update={"store": self._gateway.store.key}))


def _run_of(key: str) -> str:
    """Return the key of the run that an entry of the progress log is about."""
    return key.removesuffix(_DRIFT)
