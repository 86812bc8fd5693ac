"""Every call that is made to MLflow's client: explicit run ids, few and large calls.

Made so that each can be repeated: writing the same again changes nothing, and a run is found by
its key before it is created a second time.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from mlvalidate.tracking import layout, limits
from mlvalidate.tracking.content import Content
from mlvalidate.tracking.datasets import DatasetUse
from mlvalidate.tracking.reasons import RecordingError, mlflow_errors_told
from mlvalidate.tracking.store import Store
from mlvalidate.tracking.trace import Span, span_id, trace_id

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import DatasetInput, Run
    from mlflow.entities import Span as MlflowSpan
    from mlflow.tracing.client import TracingClient

_RETRIES = "MLFLOW_HTTP_REQUEST_MAX_RETRIES"
# The most that MLflow returns at once.
_MOST_RUNS = 50_000
_NO_SPANS = "REST OTLP span logging is not supported"


class Gateway:
    """The runs of one experiment of one store. Every method raises RecordingError."""

    def __init__(self, client: MlflowClient, store: Store, experiment_id: str) -> None:
        self._client = client
        self.store = store
        self.experiment_id = experiment_id

    @property
    def client(self) -> MlflowClient:
        """What `History` reads with."""
        return self._client

    def find_runs(self, run_id: str) -> dict[str, str]:
        """Return the MLflow runs of one of our runs by their key, see `delete_doubles`."""
        return choose_family(self._search(run_id), layout.run_key(run_id))

    def delete_doubles(self, run_id: str) -> dict[str, str]:
        """Keep one MLflow run for each key of one of our runs that has ended; return those.

        Doubles come of a create request that timed out here and was carried out all the same, and
        of two hosts that record copies of one journal. Whoever ends last deletes what is too many,
        and both keep the same.
        """
        runs = self._search(run_id)
        kept = choose_family(runs, layout.run_key(run_id))
        with mlflow_errors_told(self.store):
            for run in runs:
                if run.info.run_id not in kept.values():
                    self._client.delete_run(run.info.run_id)
                    self._delete_trace(run.info.run_id)
        return kept

    def delete_family(self, run_id: str) -> None:
        """Delete all MLflow runs of one of our runs and their traces; that of the run itself last,
        so that what was begun is found again.
        """
        top = layout.run_key(run_id)
        runs = sorted(self._search(run_id), key=lambda run: run.data.tags.get(layout.KEY) == top)
        with mlflow_errors_told(self.store):
            for run in runs:
                self._delete_trace(run.info.run_id)
                self._client.delete_run(run.info.run_id)

    def _search(self, run_id: str) -> list[Run]:
        with mlflow_errors_told(self.store):
            return list(
                self._client.search_runs(
                    [self.experiment_id],
                    filter_string=f"tags.`{layout.RUN_ID}` = '{run_id}'",
                    order_by=["attributes.start_time ASC", "attributes.run_id ASC"],
                    max_results=_MOST_RUNS,
                )
            )

    def create_run(self, name: str, started_at: float, tags: Mapping[str, str]) -> str:
        """Create a run with all its tags, in one request that is never sent twice."""
        with mlflow_errors_told(self.store), without_retries():
            run = self._client.create_run(
                self.experiment_id,
                start_time=round(started_at * 1000),
                tags=_clean_tags(tags),
                run_name=limits.run_name(name),
            )
        return str(run.info.run_id)

    def write(self, mlflow_run_id: str, content: Content, scratch: Path) -> None:
        """Write all content into a run and end it. `scratch` is a folder for temporary files."""
        staged = _staged(content.files, content.texts, scratch)
        with staged as artifacts, mlflow_errors_told(self.store):
            self._log_values(mlflow_run_id, content)
            self._log_datasets(mlflow_run_id, content.datasets)
            self._client.log_artifacts(mlflow_run_id, str(artifacts))
            self._client.set_terminated(
                mlflow_run_id, content.status, end_time=round(content.finished_at * 1000)
            )

    def add_files(self, mlflow_run_id: str, files: Mapping[str, Path], scratch: Path) -> None:
        """Add artifacts to a run that has ended."""
        with _staged(files, {}, scratch) as artifacts, mlflow_errors_told(self.store):
            self._client.log_artifacts(mlflow_run_id, str(artifacts))

    def add_texts(self, mlflow_run_id: str, texts: Mapping[str, str]) -> None:
        """Add artifacts that are not on disk to a run that has ended."""
        with tempfile.TemporaryDirectory(prefix="mlvalidate-") as scratch:
            staged = _staged({}, texts, Path(scratch))
            with staged as artifacts, mlflow_errors_told(self.store):
                self._client.log_artifacts(mlflow_run_id, str(artifacts))

    def set_tag(self, mlflow_run_id: str, key: str, value: str) -> None:
        """Set a tag of a run."""
        with mlflow_errors_told(self.store):
            self._client.set_tag(mlflow_run_id, key, limits.tag_value(value))

    def write_trace(self, mlflow_run_id: str, spans: Sequence[Span]) -> None:
        """Write the trace of a run, its root first; again, and it is the same trace.

        Folders, and servers before MLflow 3.4, keep no spans: there nothing is written.
        """
        from mlflow.entities import Span as MlflowSpan
        from mlflow.entities import TraceData, TraceInfo, TraceLocation, TraceState
        from mlflow.tracing.client import TracingClient

        root = spans[0]
        info = TraceInfo(
            trace_id=trace_id(mlflow_run_id),
            trace_location=TraceLocation.from_experiment_id(self.experiment_id),
            request_time=round(root.begun * 1000),
            execution_duration=round((root.ended - root.begun) * 1000),
            state=TraceState.ERROR if root.failed else TraceState.OK,
            trace_metadata={
                layout.MLFLOW_TRACE_RUN: mlflow_run_id,
                layout.MLFLOW_TRACE_SCHEMA: "3",
            },
            tags={layout.MLFLOW_TRACE_NAME: limits.run_name(root.name)},
        )
        written = [MlflowSpan.from_dict(_span(mlflow_run_id, span)) for span in spans]
        client = TracingClient(tracking_uri=self.store.client_uri)
        with mlflow_errors_told(self.store):
            if _log_spans(client, self.experiment_id, written):
                info.tags[layout.MLFLOW_TRACE_SPANS] = "TRACKING_STORE"
                client.start_trace(info)
            else:
                # A folder takes no trace twice.
                self._delete_trace(mlflow_run_id)
                client._upload_trace_data(client.start_trace(info), TraceData(written))

    def _delete_trace(self, mlflow_run_id: str) -> None:
        with suppress(NotImplementedError):
            self._client.delete_traces(self.experiment_id, trace_ids=[trace_id(mlflow_run_id)])

    def delete_tag(self, mlflow_run_id: str, key: str) -> None:
        """Take a tag from a run that has it."""
        with mlflow_errors_told(self.store):
            self._client.delete_tag(mlflow_run_id, key)

    def _log_values(self, mlflow_run_id: str, content: Content) -> None:
        from mlflow.entities import Metric, Param, RunTag

        metrics = _clean_metrics(content.metrics)
        params = {
            key: limits.param_value(value)
            for key, value in limits.clean_keys(content.params).items()
        }
        for batch in limits.split_batches(metrics, params, _clean_tags(content.tags)):
            self._client.log_batch(
                mlflow_run_id,
                metrics=[Metric(m.key, m.value, m.timestamp, m.step) for m in batch.metrics],
                params=[Param(key, value) for key, value in batch.params],
                tags=[RunTag(key, value) for key, value in batch.tags],
                synchronous=True,
            )

    def _log_datasets(self, mlflow_run_id: str, uses: tuple[DatasetUse, ...]) -> None:
        inputs = [_dataset_input(use) for use in uses]
        for first in range(0, len(inputs), limits.MOST_DATASETS):
            part = inputs[first : first + limits.MOST_DATASETS]
            self._client.log_inputs(mlflow_run_id, datasets=part)


def choose_family(runs: Sequence[Run], top: str) -> dict[str, str]:
    """Return the MLflow runs by key: a parent (key ``top``) and what is nested in just this one.

    Of several parents the first that has ended, for it is complete, else the first; so everybody
    who asks chooses the same.
    """
    parents = [run for run in runs if run.data.tags.get(layout.KEY) == top]
    if not parents:
        return {}
    chosen = min(parents, key=lambda run: run.info.end_time is None).info.run_id
    family = {top: chosen}
    for run in runs:
        if run.data.tags.get(layout.MLFLOW_PARENT) == chosen and layout.KEY in run.data.tags:
            family.setdefault(run.data.tags[layout.KEY], run.info.run_id)
    return family


def ensure_experiment(client: MlflowClient, store: Store) -> str:
    """Return the id of the store's experiment, created where it does not exist.

    The first call to a store: RecordingError tells here that it can't be reached.
    """
    with mlflow_errors_told(store), without_retries():
        experiment = client.get_experiment_by_name(store.experiment)
        if experiment is None:
            return _create_experiment(client, store)
    if experiment.lifecycle_stage != "active":
        raise RecordingError(
            f"the MLflow experiment {store.experiment!r} has been deleted; restore it with "
            f"`mlflow experiments restore -x {experiment.experiment_id}`"
        )
    return str(experiment.experiment_id)


def _create_experiment(client: MlflowClient, store: Store) -> str:
    from mlflow.exceptions import MlflowException

    kind, value = layout.MLFLOW_EXPERIMENT_KIND
    try:
        return str(
            client.create_experiment(
                store.experiment, artifact_location=store.artifact_root, tags={kind: value}
            )
        )
    except MlflowException:
        # Another process was faster, where no lock of ours reaches: on a server.
        experiment = client.get_experiment_by_name(store.experiment)
        if experiment is None:
            raise
        return str(experiment.experiment_id)


@contextmanager
def without_retries() -> Iterator[None]:
    """Let requests fail at once, for those that tell whether the server is there at all.

    MLflow reads the number at each request.
    """
    before = os.environ.get(_RETRIES)
    os.environ[_RETRIES] = "0"
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(_RETRIES, None)
        else:
            os.environ[_RETRIES] = before


@contextmanager
def _staged(files: Mapping[str, Path], texts: Mapping[str, str], scratch: Path) -> Iterator[Path]:
    """Yield a folder that looks like the artifacts: one call uploads them all."""
    with tempfile.TemporaryDirectory(prefix=".artifacts-", dir=scratch) as name:
        for path, source in files.items():
            _place(name, path).symlink_to(source.resolve())
        for path, text in texts.items():
            _place(name, path).write_text(limits.clean_text(text), encoding="utf-8")
        yield Path(name)


def _place(folder: str, path: str) -> Path:
    target = Path(folder, path)
    target.parent.mkdir(parents=True, exist_ok=True)
    return target


def _clean_tags(tags: Mapping[str, str]) -> dict[str, str]:
    return {key: limits.tag_value(value) for key, value in limits.clean_keys(tags).items()}


def _clean_metrics(metrics: tuple[limits.Metric, ...]) -> list[limits.Metric]:
    names = limits.clean_keys({metric.key: metric.key for metric in metrics})
    renamed = {name: key for key, name in names.items()}
    return [
        limits.Metric(
            renamed[metric.key], limits.metric_value(metric.value), metric.timestamp, metric.step
        )
        for metric in metrics
    ]


def _log_spans(client: TracingClient, experiment_id: str, spans: list[MlflowSpan]) -> bool:
    """Tell whether the store took the spans.

    MLflow says as well that a server has no place for them when it does not answer at that
    moment: whoever gets False has to put them elsewhere, and learns then whether it is there.
    """
    from mlflow.exceptions import MlflowException

    try:
        client.log_spans(experiment_id, spans)
    except NotImplementedError:
        return False
    except MlflowException as error:
        # Of a server that keeps its runs in a folder: its answer has no code of MLflow's.
        if _NO_SPANS not in error.message:
            raise
        return False
    return True


def _span(mlflow_run_id: str, span: Span) -> dict[str, object]:
    """Return a span as MLflow keeps it: values of attributes are JSON."""
    trace = trace_id(mlflow_run_id)
    attributes = {
        "mlflow.traceRequestId": trace,
        "mlflow.spanType": "UNKNOWN",
        **{name: limits.clean_text(value) for name, value in span.attributes},
    }
    return {
        "trace_id": trace,
        "span_id": span_id(mlflow_run_id, span.path),
        "parent_span_id": None if span.parent is None else span_id(mlflow_run_id, span.parent),
        "name": limits.run_name(span.name),
        "start_time_unix_nano": round(span.begun * 1e9),
        "end_time_unix_nano": round(span.ended * 1e9),
        "status": {
            "code": "ERROR" if span.failed else "OK",
            "message": limits.clean_text(span.reason),
        },
        "attributes": {name: json.dumps(value) for name, value in attributes.items()},
        "events": [],
    }


def _dataset_input(use: DatasetUse) -> DatasetInput:
    from mlflow.entities import Dataset, DatasetInput, InputTag

    dataset = Dataset(
        name=use.name,
        digest=use.digest,
        source_type="local",
        source=use.source,
        schema=use.schema,
        profile=use.profile,
    )
    return DatasetInput(
        dataset=dataset, tags=[InputTag(layout.MLFLOW_DATASET_CONTEXT, use.context)]
    )
