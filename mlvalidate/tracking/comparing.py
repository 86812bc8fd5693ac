"""Compares a recorded run with its baseline, step by step."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from mlvalidate.core.comparison import ComparedRun, Comparison, TableChange
from mlvalidate.core.errors import UsageError
from mlvalidate.core.history import RunRecord, StepRecord
from mlvalidate.core.results import PipelineResult
from mlvalidate.tracking import layout, limits
from mlvalidate.tracking.differences import compare_steps, new_findings, text_changes
from mlvalidate.tracking.git_range import commits_between, range_of
from mlvalidate.tracking.history import History
from mlvalidate.tracking.links import run_link
from mlvalidate.tracking.sample_drift import FindSample, with_drift
from mlvalidate.tracking.timings import TIMED_KINDS, find_timings, with_timings

_ENVIRONMENT = {
    "machine": layout.MACHINE,
    "mlvalidate": layout.VERSION,
    "sandbox": layout.SANDBOX,
    "branch": layout.GIT_BRANCH,
}
_PARAMS = (layout.PARAM_SEED, layout.PARAM_ROWS, layout.PARAM_SCENARIO, layout.PARAM_DATA_SOURCE)


def compare_run(history: History, run: RunRecord, reference: str, folder: Path) -> Comparison:
    """Compare a run with the baseline that a reference names, see `History.baselines`.

    ``folder`` is where git knows the project's commits. UsageError when there is no such baseline,
    or when it is a run of something else.
    """
    baselines = history.baselines(run.scope, reference, run.started_at)
    baseline = baselines[0]
    _check(run, baseline)
    before, after = history.result(baseline), history.result(run)
    steps = compare_steps(before, after)
    if run.kind in TIMED_KINDS:
        now = {step.node: step for step in history.steps(run)}
        steps = with_timings(find_timings(history, run.scope, baselines, len(now)), now, steps)
    with _samples(history, baseline, before) as first, _samples(history, run, after) as second:
        steps = with_drift(steps, first, second)
    return Comparison(
        before=_compared(history, baseline),
        after=_compared(history, run),
        reference=reference,
        baselines=tuple(each.run_id for each in baselines),
        steps=steps,
        new_findings=new_findings(before.all_findings, after.findings),
        fixed_findings=new_findings(after.all_findings, before.findings),
        environment=text_changes(_environment(baseline), _environment(run)),
        git_range=range_of(baseline.commit, run.commit),
        commits=commits_between(folder, baseline.commit, run.commit),
        notes=tuple(_notes(run, baseline)),
    )


def _check(run: RunRecord, baseline: RunRecord) -> None:
    if run.run_id == baseline.run_id:
        raise UsageError(
            f"run {run.run_id} is its own baseline", "name another run with --baseline"
        )
    if (run.kind, run.name) != (baseline.kind, baseline.name):
        raise UsageError(
            f"run {baseline.run_id} is of {baseline.kind} {baseline.name}, and run {run.run_id} "
            f"of {run.kind} {run.name}: there is nothing to compare"
        )


def _notes(run: RunRecord, baseline: RunRecord) -> Iterator[str]:
    for record, what in ((baseline, "baseline"), (run, "run")):
        if record.is_dirty:
            yield f"the {what} had changes that were not committed"
    if not baseline.is_passed:
        yield f"the baseline has {baseline.status}"


def _environment(run: RunRecord) -> dict[str, str]:
    tags = {name: run.tags.get(tag, "") for name, tag in _ENVIRONMENT.items()}
    return {**tags, **{name: run.params.get(name, "") for name in _PARAMS}}


def _compared(history: History, run: RunRecord) -> ComparedRun:
    return ComparedRun(
        run_id=run.run_id,
        name=run.name,
        kind=run.kind,
        status=run.status,
        started_at=run.started_at,
        commit=run.commit,
        branch=run.branch,
        is_dirty=run.is_dirty,
        mlflow_run_id=run.mlflow_run_id,
        url=run_link(history.store, history.experiment_id, run.mlflow_run_id),
    )


@contextmanager
def _samples(history: History, run: RunRecord, result: PipelineResult) -> Iterator[FindSample]:
    """Yield what downloads the sample of a table, when it is asked for."""
    names = _sample_names(result)
    records: dict[str, StepRecord] = {}

    def find(node: str, table: TableChange) -> Path | None:
        name = names.get((node, table.port, table.file))
        if name is None:
            return None
        if not records:
            records.update({step.node: step for step in history.steps(run)})
        target = Path(folder, node)
        target.mkdir(exist_ok=True)
        found = history.download(records[node], name, target) if node in records else ()
        return target / found[0] if found else None

    with tempfile.TemporaryDirectory(prefix="mlvalidate-") as folder:
        yield find


def _sample_names(result: PipelineResult) -> Mapping[tuple[str, str, str], str]:
    """Return the artifacts that hold the samples of all outputs, by node, port and file."""
    names = {}
    for step in result.steps:
        for port in step.outputs:
            for file in port.files:
                if file.sample:
                    # steps/<node>/samples/<port>/<file>, below the run's folder.
                    below = PurePosixPath(file.sample).parts[3:]
                    path = layout.sample_artifact(below[0], "/".join(below[1:]) + ".parquet")
                    names[step.node, port.port, file.name] = limits.artifact_path(path)
    return names
