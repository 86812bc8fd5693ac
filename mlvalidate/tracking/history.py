"""History: the read side of the record. MLflow's run search is its only source.

Filters are applied by the store, runs come in pages, and no artifact is fetched unless asked for.
Nothing is written, and nothing is made where there is nothing.
"""

from __future__ import annotations

import math
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, TypeVar

from pydantic import ValidationError

from mlvalidate.core.errors import InfrastructureError, UsageError
from mlvalidate.core.history import NoHistoryError, RunRecord, Scope, StepRecord
from mlvalidate.core.model import Model
from mlvalidate.core.results import PipelineResult, StepResult
from mlvalidate.core.suggest import did_you_mean
from mlvalidate.tracking import layout, search
from mlvalidate.tracking.gateway import without_retries
from mlvalidate.tracking.reasons import RecordingError, mlflow_errors_told
from mlvalidate.tracking.session import open_client
from mlvalidate.tracking.store import Store

if TYPE_CHECKING:
    from mlflow import MlflowClient

M = TypeVar("M", bound=Model)

LAST_PASSED = "last-passed"
# The run that a person chose as baseline, else the last that passed.
DEFAULT_BASELINE = "baseline"
# What a reference to more than one run stands for, where it does not say how many.
MOST_BASELINES = 20

_PAGE = 200
_NEWEST_FIRST = ["attributes.start_time DESC", "attributes.run_id DESC"]
_RUN_ID = re.compile(r"\d{8}(-[0-9a-f]*){0,2}")
_MLFLOW_ID = re.compile(r"[0-9a-f]{32}")
_LAST = re.compile(r"last:(\d+)")
_TAG = re.compile(r"(?P<name>[^=]+)=(?P<value>.*)", re.DOTALL)
_REFERENCES = (
    "a baseline is a run id, baseline, last-passed, last:N, branch:NAME, "
    "or name=value of a tag in MLflow"
)
_MOST_NAMES = 300


@contextmanager
def open_history(store: Store, project: str) -> Iterator[History]:
    """Yield the recorded runs of a project.

    NoHistoryError when nothing is recorded there, InfrastructureError when the store is away.
    """
    if store.local_path is not None and not store.local_path.exists():
        raise _nothing_recorded(f"there is no {store.local_path}")
    try:
        with open_client(store) as client:
            with mlflow_errors_told(store), without_retries():
                experiment = client.get_experiment_by_name(store.experiment)
            if experiment is None or experiment.lifecycle_stage != "active":
                where = f"there is no experiment {store.experiment!r} in {store.shown_uri}"
                raise _nothing_recorded(where)
            yield History(client, store, str(experiment.experiment_id), project)
    except RecordingError as error:
        hint = "start the server, or name another store in MLFLOW_TRACKING_URI"
        raise InfrastructureError(error.message, hint if error.is_unreachable else "") from error


def _nothing_recorded(where: str) -> NoHistoryError:
    return NoHistoryError(
        f"nothing is recorded yet: {where}",
        "run `mlvalidate test-pipeline`, or `mlvalidate sync` for runs that wait to be recorded",
    )


class History:
    """The recorded runs of one project; see `open_history`."""

    def __init__(
        self, client: MlflowClient, store: Store, experiment_id: str, project: str
    ) -> None:
        self._client = client
        self.store = store
        self.experiment_id = experiment_id
        self.project = project

    def search(self, *conditions: str, page: int = 10) -> Iterator[RunRecord]:
        """Yield the runs of the project that meet all conditions, the newest first, in pages.

        Take what you need of it: each page is a request of its own. The first has up to ``page``
        runs.
        """
        conditions = (search.has_tag(layout.PROJECT, self.project), *conditions)
        token, size = None, page
        while True:
            with mlflow_errors_told(self.store):
                found = self._client.search_runs(
                    [self.experiment_id],
                    filter_string=" AND ".join(dict.fromkeys(conditions)),
                    order_by=_NEWEST_FIRST,
                    max_results=size,
                    page_token=token,
                )
            yield from map(search.run_record, found)
            token, size = found.token, max(_PAGE, page)
            if not token:
                return

    def runs(self, scope: Scope, *conditions: str) -> Iterator[RunRecord]:
        """Yield the finished runs of a scope, the newest first."""
        found = self.search(*search.is_in(scope), search.is_finished(), *conditions)
        return (run for run in found if run.scope == scope)

    def steps(self, run: RunRecord) -> tuple[StepRecord, ...]:
        """Return the nodes of a run that ran, in the order of their start."""
        if isinstance(run, StepRecord):
            return (run,)
        found = self.search(
            search.has_tag(layout.RUN_ID, run.run_id), search.has_tag(layout.KIND, search.STEP)
        )
        steps = [step for step in found if isinstance(step, StepRecord)]
        return tuple(sorted(steps, key=lambda step: step.started_at))

    def step_runs(self, scope: Scope, node: str, *conditions: str) -> Iterator[StepRecord]:
        """Yield the runs of one node within a scope, newest first; of all nodes without a name.

        A step tested alone is a node of its own run.
        """
        if scope.kind == "script":
            yield from (run for run in self.runs(scope, *conditions) if isinstance(run, StepRecord))
            return
        of_pipeline = (search.has_tag(layout.PIPELINE, scope.name),)
        for run in self.search(
            search.has_tag(layout.KIND, search.STEP),
            *((search.has_tag(layout.NODE, node),) if node else ()),
            search.has_tag(layout.SCENARIO, scope.scenario),
            search.has_tag(layout.DATA_SOURCE, scope.data_source),
            *(of_pipeline if scope.kind == "pipeline" else ()),
            *conditions,
        ):
            if isinstance(run, StepRecord):
                yield run

    def newest(self, kind: str = "", name: str = "") -> RunRecord:
        """Return the newest finished run, of one kind and name where these are given.

        NoHistoryError when there is none.
        """
        conditions = [search.has_tag(layout.KIND, kind)] if kind else []
        found = self._roots(*conditions, search.is_finished())
        run = next((run for run in found if name in ("", run.name)), None)
        if run is None:
            what = " ".join(word for word in (kind, name) if word)
            raise _nothing_recorded(
                f"project {self.project!r} has no finished run" + (f" of {what}" if what else "")
            )
        return run

    def find(self, reference: str) -> RunRecord:
        """Return the run that a text stands for.

        That is its id or the start of it, its id or its title in MLflow, or the name of a pipeline
        or a step, which stands for the newest run of it. UsageError when there is none, or several.
        """
        if _RUN_ID.fullmatch(reference):
            return self._by_run_id(reference)
        if _MLFLOW_ID.fullmatch(reference):
            found = next(self.search(f"attributes.run_id = '{reference}'"), None)
            if found is not None:
                # Of a node the run that it is a part of.
                return found if found.kind != search.STEP else self._by_run_id(found.run_id)
        run = next(self._named(reference), None)
        if run is not None:
            return run
        raise NoHistoryError(
            f"there is no run {reference!r}: no id, and no pipeline or step that has run",
            self._what_exists(reference),
        )

    def baselines(self, scope: Scope, reference: str, before: float) -> tuple[RunRecord, ...]:
        """Return the runs of a scope that a reference stands for, the newest first.

        Only runs that began before that moment (`inf`: all) count, unless one is named by its id.
        References are a run id, `baseline` (the chosen one, else the last passed), `last-passed`,
        `last:N` (the last N passed ones), `branch:NAME`
        (those that passed there) and `name=value` (those with this tag). UsageError when there is
        no such run.
        """
        earlier = () if math.isinf(before) else (search.began_before(before),)
        passed = search.is_passed()
        if reference == DEFAULT_BASELINE:
            chosen = search.has_tag(layout.CHOSEN_BASELINE, layout.CHOSEN)
            found = self._first(scope, 1, *earlier, chosen)
            found = found or self._first(scope, 1, *earlier, passed)
        elif reference == LAST_PASSED:
            found = self._first(scope, 1, *earlier, passed)
        elif match := _LAST.fullmatch(reference):
            found = self._first(scope, int(match[1]), *earlier, passed)
        elif reference.startswith("branch:"):
            on_branch = search.has_tag(layout.GIT_BRANCH, reference.removeprefix("branch:"))
            found = self._first(scope, MOST_BASELINES, *earlier, passed, on_branch)
        elif match := _TAG.fullmatch(reference):
            tagged = search.has_tag(match["name"], match["value"])
            found = self._first(scope, MOST_BASELINES, *earlier, tagged)
        elif _RUN_ID.fullmatch(reference) or _MLFLOW_ID.fullmatch(reference):
            found = (self.find(reference),)
        else:
            raise UsageError(f"there is no baseline {reference!r}", _REFERENCES)
        if not found:
            raise NoHistoryError(
                f"no run of {scope.description} is the baseline {reference!r}", _REFERENCES
            )
        return found

    def result(self, run: RunRecord) -> PipelineResult:
        """Return the whole result of a run that is no node of another."""
        return self._stored(run, PipelineResult)

    def step_result(self, step: StepRecord) -> StepResult:
        """Return the result of a node, or of the step that was tested alone."""
        if step.kind == search.STEP:
            return self._stored(step, StepResult)
        steps = self.result(step).steps
        return next(result for result in steps if result.node == step.node)

    def download(self, run: RunRecord, path: str, target: Path) -> tuple[str, ...]:
        """Download the files at or below an artifact path; return their paths in ``target``.

        Nothing where there is no such artifact.
        """
        parent = str(PurePosixPath(path).parent)
        with mlflow_errors_told(self.store):
            beside = self._client.list_artifacts(run.mlflow_run_id, "" if parent == "." else parent)
            if path not in [artifact.path for artifact in beside]:
                return ()
            found = Path(self._client.download_artifacts(run.mlflow_run_id, path, str(target)))
        files = (
            [found] if found.is_file() else [file for file in found.rglob("*") if file.is_file()]
        )
        return tuple(sorted(str(file.relative_to(target)) for file in files))

    def _stored(self, run: RunRecord, model: type[M]) -> M:
        with tempfile.TemporaryDirectory(prefix="mlvalidate-") as folder:
            if not self.download(run, layout.RESULT, Path(folder)):
                raise NoHistoryError(
                    f"run {run.run_id} has no {layout.RESULT}", "it may not have been finished"
                )
            text = Path(folder, layout.RESULT).read_text(encoding="utf-8")
        try:
            return model.model_validate_json(text)
        except ValidationError as error:
            version = run.tags.get(layout.VERSION, "")
            raise UsageError(
                f"the result of run {run.run_id} can't be read: it was written by mlvalidate "
                f"{version}",
                "compare runs that this version has made",
            ) from error

    def _first(self, scope: Scope, number: int, *conditions: str) -> tuple[RunRecord, ...]:
        return tuple(islice(self.runs(scope, *conditions), number))

    def _roots(self, *conditions: str) -> Iterator[RunRecord]:
        """Yield runs that are no node of another run, the newest first."""
        return self.search(search.lacks_value(layout.KIND, search.STEP), *conditions)

    def _by_run_id(self, prefix: str) -> RunRecord:
        found = list(islice(self._roots(search.starts_with(layout.RUN_ID, prefix)), 4))
        exact = [run for run in found if run.run_id == prefix] or found
        if not exact:
            raise NoHistoryError(
                f"no recorded run has the id {prefix!r}",
                "`mlvalidate sync` records runs that wait; `mlvalidate ui` shows those there are",
            )
        if len(exact) > 1:
            shown = ", ".join(run.run_id for run in exact[:3])
            raise UsageError(
                f"{prefix!r} is the start of several run ids: {shown}"
                + (", ..." if len(exact) > 3 else ""),
                "write more of the id",
            )
        return exact[0]

    def _named(self, name: str) -> Iterator[RunRecord]:
        for condition in (
            search.has_title(name),
            search.has_tag(layout.PIPELINE, name),
            search.has_tag(layout.NODE, name),
        ):
            yield from self._roots(condition, search.is_finished())

    def _what_exists(self, name: str) -> str:
        newest = islice(self._roots(), _MOST_NAMES)
        known = did_you_mean(name, {run.name for run in newest})
        return known or "`mlvalidate list` shows pipelines and steps, `mlvalidate ui` their runs"
