"""What a run in MLflow holds, made from events and results. Pure but for looking which files exist.

A nested run is complete when it is created. A parent and a script begin as RUNNING, with the tags
that are known then, and get the rest when the run is over.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from mlvalidate.core.events import RunStarted, SampleTaken
from mlvalidate.core.findings import Finding, Severity, count_findings, gravest_first
from mlvalidate.core.plan import Plan
from mlvalidate.core.results import PipelineResult, Status, StepResult
from mlvalidate.core.run_folder import StepFolder
from mlvalidate.reporting.run_page import render_run_page
from mlvalidate.tracking import layout, limits
from mlvalidate.tracking.datasets import DatasetUse, dataset_uses
from mlvalidate.tracking.limits import Metric
from mlvalidate.tracking.note import run_report, step_report
from mlvalidate.tracking.series import usage_series

_MLFLOW_STATUS = {
    Status.PASSED: "FINISHED",
    Status.FAILED: "FAILED",
    Status.INTERNAL: "FAILED",
    Status.INTERRUPTED: "KILLED",
    Status.SKIPPED: "KILLED",
}
# A tag holds 8000 characters.
_MOST_FINGERPRINTS = 400
_TOTALS = ("duration_s", "cpu_s", "peak_rss_mb", "read_mb", "written_mb")


@dataclass(frozen=True)
class Content:
    """All that is written into one run. `texts` and `files` are artifacts by their path."""

    status: str
    finished_at: float
    tags: dict[str, str]
    params: dict[str, str]
    metrics: tuple[Metric, ...]
    texts: dict[str, str]
    datasets: tuple[DatasetUse, ...] = ()
    files: dict[str, Path] = field(default_factory=dict)


def opening_tags(started: RunStarted, context: Mapping[str, str]) -> dict[str, str]:
    """Return the tags with which a parent or a script begins."""
    plan = started.plan
    return {
        **_common_tags(started, context),
        layout.KEY: layout.run_key(started.run_id),
        layout.KIND: plan.kind,
        layout.STATUS: layout.RUNNING,
        layout.MLFLOW_SOURCE_NAME: plan.command,
    }


def run_title(started: RunStarted) -> str:
    """Return the name of a parent or a script: what ran, and the id that the terminal shows."""
    return f"{started.plan.name} {started.run_id}"


@dataclass(frozen=True)
class Origin:
    """The run in MLflow that a reused step is of, and its page; empty where it is not known."""

    mlflow_run_id: str = ""
    link: str = ""

    @property
    def tags(self) -> dict[str, str]:
        """What the run of the reused step is tagged with."""
        return {layout.REUSED_FROM_RUN: self.mlflow_run_id} if self.mlflow_run_id else {}


def step_tags(
    started: RunStarted,
    result: StepResult,
    context: Mapping[str, str],
    parent: str,
    origin: Origin = Origin(),
) -> dict[str, str]:
    """Return all tags of a nested run."""
    return {
        **_common_tags(started, context),
        **_tags_of_step(result),
        layout.KEY: layout.run_key(started.run_id, result.node),
        layout.KIND: "step",
        layout.MLFLOW_PARENT: parent,
        layout.MLFLOW_NOTE: step_report(result, started.plan.command, origin.link),
        **origin.tags,
    }


def step_content(
    started: RunStarted, result: StepResult, samples: Sequence[SampleTaken], folder: StepFolder
) -> Content:
    """Return what the run of one node holds beside the tags that it was created with."""
    files = limits.artifact_paths(_files_of_step(folder))
    tables = [{"path": path, "type": "table"} for path in files if _is_table(path)]
    return Content(
        status=_MLFLOW_STATUS[result.status],
        finished_at=result.finished_at,
        tags={layout.MLFLOW_TABLES: limits.json_list(tables)} if tables else {},
        params={**_params_of_run(started), **_params_of_step(result)},
        metrics=(
            *_at(result.finished_at, result.figures),
            *usage_series(result.started_at, samples),
        ),
        datasets=dataset_uses(result),
        texts={layout.RESULT: result.model_dump_json(indent=2)},
        files=files,
    )


def drift_content(started: RunStarted, result: StepResult, folder: StepFolder) -> Content:
    """Return what changes in the run of a node when its drift is known."""
    whole = step_content(started, result, (), folder)
    changing = ("drift.", "findings.")
    return replace(
        whole,
        tags={
            layout.MLFLOW_NOTE: step_report(result, started.plan.command),
            **_fingerprints(result.findings),
        },
        params={},
        metrics=tuple(m for m in whole.metrics if m.key.startswith(changing)),
        datasets=(),
        files={},
    )


def pipeline_content(started: RunStarted, result: PipelineResult) -> Content:
    """Return what a parent holds at its end."""
    report = run_report(result)
    texts = {layout.RESULT: result.model_dump_json(indent=2), layout.REPORT: report}
    if started.plan.kind == "pipeline":
        texts[layout.RUN_FIGURES] = render_run_page(started.plan, result)
    return Content(
        status=_MLFLOW_STATUS[result.status],
        finished_at=result.finished_at,
        tags={
            layout.STATUS: result.status.value,
            layout.MLFLOW_NOTE: report,
            **_combined_hashes(result.steps),
        },
        params=_params_of_run(started),
        metrics=_at(result.finished_at, _figures_of_pipeline(result)),
        texts=texts,
    )


def script_content(
    started: RunStarted,
    result: PipelineResult,
    samples: Sequence[SampleTaken],
    folder: StepFolder,
) -> Content:
    """Return what the single run of a script test holds: its step's content, and the verdict."""
    report = run_report(result)
    texts = {layout.RESULT: result.model_dump_json(indent=2), layout.REPORT: report}
    verdict = {layout.STATUS: result.status.value, layout.MLFLOW_NOTE: report}
    ran = [step for step in result.steps if step.status is not Status.SKIPPED]
    if not ran:
        whole = pipeline_content(started, result)
        return replace(whole, tags=verdict)
    step = step_content(started, ran[0], samples, folder)
    counts = {f"findings.{name}": n for name, n in count_findings(result.all_findings).items()}
    own = [metric for metric in step.metrics if metric.key not in counts]
    return replace(
        step,
        status=_MLFLOW_STATUS[result.status],
        finished_at=result.finished_at,
        tags={**step.tags, **_tags_of_step(ran[0]), **verdict},
        metrics=(*own, *_at(ran[0].finished_at, counts)),
        texts=texts,
    )


def _common_tags(started: RunStarted, context: Mapping[str, str]) -> dict[str, str]:
    plan = started.plan
    return {
        **context,
        layout.RUN_ID: started.run_id,
        layout.PROJECT: plan.project,
        layout.SCENARIO: plan.scenario,
        layout.DATA_SOURCE: plan.data_source.value,
        layout.SANDBOX: sandbox_tag(plan),
        **({layout.PIPELINE: plan.name} if plan.kind == "pipeline" else {}),
    }


def sandbox_tag(plan: Plan) -> str:
    """Return in what the scripts ran."""
    return "none" if plan.sandbox_refusal else "namespaces"


def _tags_of_step(result: StepResult) -> dict[str, str]:
    tags = {
        layout.NODE: result.node,
        layout.STEP: result.step,
        layout.STEP_KIND: result.kind,
        layout.SCENARIO: result.scenario,
        layout.EXPECTATION: result.expectation.value,
        layout.STATUS: result.status.value,
        layout.MLFLOW_SOURCE_NAME: result.entry_point,
        layout.CODE_HASH: result.code_hash,
        layout.CONTRACT_HASH: result.contract_hash,
        layout.DATA_HASH: result.data_hash,
        layout.REUSED_FROM: result.reused_from,
        layout.RUN_REASON: result.run_reason.value if result.run_reason else "",
        layout.START: start_tag(result),
        **_fingerprints(result.findings),
    }
    return {name: value for name, value in tags.items() if value}


def _fingerprints(findings: Sequence[Finding]) -> dict[str, str]:
    """Return the tag by which a search finds the runs that met a fault; none without a fault."""
    worst_first = gravest_first(findings)
    faults = [finding for finding in worst_first if finding.severity is not Severity.INFO]
    found = list(dict.fromkeys(finding.fingerprint for finding in faults))[:_MOST_FINGERPRINTS]
    return {layout.FINGERPRINTS: f" {' '.join(found)} "} if found else {}


def start_tag(result: StepResult) -> str:
    """Return how the script started: warm or cold; empty when it did not."""
    if not result.command:
        return ""
    return "warm" if result.cold is None else "cold"


def _combined_hashes(steps: Sequence[StepResult]) -> dict[str, str]:
    """Return one hash of each sort over all nodes; none where a node has no such hash."""
    combined = {}
    for tag, attribute in (
        (layout.CODE_HASH, "code_hash"),
        (layout.CONTRACT_HASH, "contract_hash"),
        (layout.DATA_HASH, "data_hash"),
    ):
        parts = [(step.node, getattr(step, attribute)) for step in steps]
        if parts and all(value for _, value in parts):
            text = "\n".join(f"{node}={value}" for node, value in sorted(parts))
            combined[tag] = hashlib.sha256(text.encode()).hexdigest()
    return combined


def _params_of_run(started: RunStarted) -> dict[str, str]:
    plan = started.plan
    params = {
        layout.PARAM_SEED: str(plan.seed),
        layout.PARAM_SCENARIO: plan.scenario,
        layout.PARAM_DATA_SOURCE: plan.data_source.value,
    }
    if plan.rows is not None:
        params[layout.PARAM_ROWS] = str(plan.rows)
    return params


def _params_of_step(result: StepResult) -> dict[str, str]:
    return {
        layout.PARAM_ENTRY_POINT: result.entry_point,
        **{layout.arg_param(name): value for name, value in result.args.items()},
        **{layout.env_param(name): value for name, value in result.env.items()},
        **{
            layout.hyperparameter_param(name): value
            for name, value in result.hyperparameters.items()
        },
    }


def _figures_of_pipeline(result: PipelineResult) -> dict[str, float]:
    figures = {name: result.figures[name] for name in _TOTALS}
    figures |= {f"findings.{name}": n for name, n in count_findings(result.all_findings).items()}
    for status in (Status.PASSED, Status.FAILED, Status.SKIPPED):
        number = sum(step.status is status for step in result.steps)
        figures[layout.STEPS_BY_STATUS + status.value] = number
    for step in result.steps:
        if step.status is not Status.SKIPPED:
            own = {
                "duration_s": step.usage.duration_s,
                "peak_rss_mb": step.usage.peak_rss_mb,
                **step.metrics,
            }
            figures |= {layout.node_metric(step.node, name): x for name, x in own.items()}
    return figures


def _at(moment: float, figures: Mapping[str, float]) -> tuple[Metric, ...]:
    timestamp = round(moment * 1000)
    return tuple(Metric(name, float(value), timestamp) for name, value in figures.items())


def _files_of_step(folder: StepFolder) -> dict[str, Path]:
    """Return logs, samples and baselines that exist, by artifact path."""
    files = {layout.STDOUT: folder.stdout, layout.STDERR: folder.stderr}
    for root, artifact in (
        (folder.samples, layout.sample_artifact),
        (folder.baseline, layout.baseline_artifact),
    ):
        for path in sorted(root.rglob("*")):
            port, *rest = path.relative_to(root).parts
            if rest:
                files[artifact(port, "/".join(rest))] = path
    return {name: path for name, path in files.items() if path.is_file()}


def _is_table(path: str) -> bool:
    return path.startswith(f"{layout.DATA}/") and path.endswith(".json")
