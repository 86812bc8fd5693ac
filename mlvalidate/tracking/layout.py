"""The layout of a record: every tag, param, metric and artifact path that is written to MLflow.

A pipeline run is a parent run with a nested run for each node that ran; a script run is one run.
Readers (history, the UI page, the docs) take the names from here.
"""

from __future__ import annotations

RECORD_VERSION = 1

# Tags of every run.
RECORD = "mlvalidate.record_version"
VERSION = "mlvalidate.version"
KEY = "mlvalidate.key"
RUN_ID = "mlvalidate.run_id"
# "pipeline", "matrix" or "benchmark" for a parent, "step" for a nested run, "script" for a step
# tested alone.
KIND = "mlvalidate.kind"
PROJECT = "mlvalidate.project"
STATUS = "mlvalidate.status"
SCENARIO = "mlvalidate.scenario"
# Of nested runs and of scripts: what the step had to do with the data of the scenario.
EXPECTATION = "mlvalidate.expectation"
DATA_SOURCE = "mlvalidate.data_source"
CODE_HASH = "mlvalidate.code_hash"
CONTRACT_HASH = "mlvalidate.contract_hash"
DATA_HASH = "mlvalidate.data_hash"
MACHINE = "mlvalidate.machine"
# "namespaces", or "none" for scripts that ran in the open.
SANDBOX = "mlvalidate.sandbox"
GIT_COMMIT = "mlvalidate.git.commit"
GIT_BRANCH = "mlvalidate.git.branch"
GIT_DIRTY = "mlvalidate.git.dirty"
# Of a parent and of a script: what came of the reports.
REPORTS = "mlvalidate.reports"
# Of a parent and of a script: that a person chose it as baseline.
CHOSEN_BASELINE = "mlvalidate.baseline"
CHOSEN = "set"
CI_NAME = "mlvalidate.ci.name"
CI_URL = "mlvalidate.ci.url"
# Tags of a parent and of its nested runs.
PIPELINE = "mlvalidate.pipeline"
# Tags of nested runs and of scripts.
NODE = "mlvalidate.node"
STEP = "mlvalidate.step"
STEP_KIND = "mlvalidate.step_kind"
# The run of mlvalidate's in which a reused step ran, and the run in MLflow that has it, where that
# is known.
REUSED_FROM = "mlvalidate.reused_from"
REUSED_FROM_RUN = "mlvalidate.reused_from.mlflow_run_id"
# Why a step ran and was not reused.
RUN_REASON = "mlvalidate.run_reason"
# Of errors and warnings, each between two spaces: a search for one of them finds the run.
FINGERPRINTS = "mlvalidate.fingerprints"
# "warm" or "cold": times and memory of the one are not those of the other.
START = "mlvalidate.start"
# The value of `STATUS` before there is a verdict.
RUNNING = "running"

# MLflow's own tags: https://mlflow.org/docs/latest/ml/tracking/tracking-api#system-tags
MLFLOW_PARENT = "mlflow.parentRunId"
MLFLOW_NOTE = "mlflow.note.content"
MLFLOW_USER = "mlflow.user"
MLFLOW_SOURCE_NAME = "mlflow.source.name"
MLFLOW_SOURCE_TYPE = "mlflow.source.type"
MLFLOW_COMMIT = "mlflow.source.git.commit"
MLFLOW_BRANCH = "mlflow.source.git.branch"
# The JSON files that the UI shows as tables.
MLFLOW_TABLES = "mlflow.loggedArtifacts"
# Of an experiment: the UI opens it on its runs, and not in GenAI mode.
MLFLOW_EXPERIMENT_KIND = ("mlflow.experimentKind", "custom_model_development")
# Of a dataset input: "input", "output" or both.
MLFLOW_DATASET_CONTEXT = "mlflow.data.context"
# Of the trace of a parent and of a script: its run, its name, and where its spans are.
MLFLOW_TRACE_RUN = "mlflow.sourceRun"
MLFLOW_TRACE_SCHEMA = "mlflow.trace_schema.version"
MLFLOW_TRACE_NAME = "mlflow.traceName"
MLFLOW_TRACE_SPANS = "mlflow.trace.spansLocation"

# Params of every run.
PARAM_SEED = "seed"
PARAM_ROWS = "rows"
PARAM_SCENARIO = "scenario"
PARAM_DATA_SOURCE = "data_source"
# Params of nested runs and of scripts.
PARAM_ENTRY_POINT = "entry_point"

# Metrics of every run: duration_s cpu_s peak_rss_mb read_mb written_mb findings.<severity>.
# Of a nested run and of a script also rows.<port>, quality.<port>.<figure>,
# drift.<port>.<figure>, and the step's own metrics under their names.
# The UI shows names that start with system/ in the System metrics tab, over time.
SERIES_RSS = "system/process_rss_mb"
SERIES_CPU = "system/process_cpu_percent"
# Of a parent.
STEPS_BY_STATUS = "steps."
# Of the parent of a benchmark: medians by volume, the metric's step being the rows.
BENCHMARK_FIGURES = ("duration_s", "cpu_s", "peak_rss_mb")

# Artifacts.
RESULT = "result.json"
REPORT = "report.md"
STDOUT = "logs/stdout.log"
STDERR = "logs/stderr.log"
# The first rows of a table, as parquet and as a JSON table: data/<port>/<file>.parquet, .json
DATA = "data"
# Samples that later runs are compared with: baseline/<port>/<table>.parquet, .json
BASELINE = "baseline"
# Of the newer of two compared runs: comparisons/<run id of the other>.html, .json
COMPARISONS = "comparisons"
# Of the parent of a benchmark: time and memory over rows.
GROWTH_FIGURE = "figures/growth.html"
# Of the parent of a pipeline: flow, timeline, memory and CPU, quality.
RUN_FIGURES = "figures/run.html"


def run_key(run_id: str, node: str = "") -> str:
    """Return the value of `KEY`: there is one run in MLflow for each, however often it is tried."""
    return f"{run_id}/{node}" if node else run_id


def arg_param(name: str) -> str:
    """Return the param of an argument of the script."""
    return f"arg.{name}"


def env_param(name: str) -> str:
    """Return the param of an environment variable that the step declares."""
    return f"env.{name}"


def hyperparameter_param(name: str) -> str:
    """Return the param of a hyperparameter."""
    return f"hp.{name}"


def node_metric(node: str, metric: str) -> str:
    """Return the parent's copy of a node's metric; the UI makes one section of charts per node."""
    return f"{node}/{metric}"


def profile_file(name: str) -> str:
    """Return the artifact path of a profiler's file."""
    return f"profile/{name}"


def benchmark_metric(figure: str) -> str:
    """Return the metric of a figure over the volumes of a benchmark."""
    return f"benchmark.{figure}"


def growth_metric(name: str) -> str:
    """Return the metric of what a benchmark found, such as ``growth.duration_s.exponent.low``."""
    return f"growth.{name}"


def sample_artifact(port: str, name: str) -> str:
    """Return the path of a sample of the rows of a port's file."""
    return f"{DATA}/{port}/{name}"


def report_artifact(port: str, name: str) -> str:
    """Return the path of a report on a port's table."""
    return f"reports/{port}/{name}"


def baseline_artifact(port: str, name: str) -> str:
    """Return the path of a sample of a port's table that later runs are compared with."""
    return f"{BASELINE}/{port}/{name}"


def comparison_artifact(run_id: str) -> str:
    """Return the path of a comparison with an earlier run of ours, without ending."""
    return f"{COMPARISONS}/{run_id}"
