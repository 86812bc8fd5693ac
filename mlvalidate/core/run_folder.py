"""Where everything of a run lies on disk. Names only: nothing here reads or writes.

.mlvalidate/runs/<run id>/
    journal.jsonl            the events, one per line: the truth about the run
    owner.lock               held by the process that runs it; free means that it is gone
    tracking.jsonl           what has been recorded in MLflow so far (written by the recorder)
    tracking.lock            held by the process that records the run
    related.json             what earlier runs know about its faults (written by the recorder)
    result.json              the PipelineResult
    sources/<node>/<port>/   generated inputs
    references/<dataset>     samples of declared references: .parquet and .json
    reports/                 plan.json, log.jsonl, and <node>/<port>/<table>.html and .json
    reports.lock             held by the process that renders the reports
    steps/<node>/
        ml/                  what the script saw as /opt/ml
        outputs/<port>/      packed outputs, such as model.tar.gz
        logs/stdout.log, stderr.log
        samples/<port>/      first rows of tables: <file>.parquet and <file>.json
        analysis/<port>/     samples for drift and reports: <table>.parquet and <table>.json
        baseline/<port>/     those of them that a later run is compared with
        profile/             what a profiler saw
        entry.json           of a step that passed: what it ran with, its result and its files
        harness/             stand-ins that the script met (pip, sitecustomize) and their notes
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class StepFolder:
    """The paths of one node's files."""

    root: Path

    @property
    def ml(self) -> Path:
        return self.root / "ml"

    @property
    def outputs(self) -> Path:
        return self.root / "outputs"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def stdout(self) -> Path:
        return self.logs / "stdout.log"

    @property
    def stderr(self) -> Path:
        return self.logs / "stderr.log"

    @property
    def samples(self) -> Path:
        return self.root / "samples"

    @property
    def analysis(self) -> Path:
        return self.root / "analysis"

    @property
    def baseline(self) -> Path:
        return self.root / "baseline"

    @property
    def profile(self) -> Path:
        return self.root / "profile"

    @property
    def entry(self) -> Path:
        return self.root / "entry.json"

    @property
    def harness(self) -> Path:
        return self.root / "harness"


@dataclass(frozen=True)
class RunFolder:
    """The paths of one run's files."""

    root: Path

    @property
    def run_id(self) -> str:
        return self.root.name

    @property
    def journal(self) -> Path:
        return self.root / "journal.jsonl"

    @property
    def owner_lock(self) -> Path:
        return self.root / "owner.lock"

    @property
    def tracking_log(self) -> Path:
        return self.root / "tracking.jsonl"

    @property
    def tracking_lock(self) -> Path:
        return self.root / "tracking.lock"

    @property
    def result(self) -> Path:
        return self.root / "result.json"

    @property
    def related(self) -> Path:
        return self.root / "related.json"

    @property
    def references(self) -> Path:
        return self.root / "references"

    @property
    def reports(self) -> Path:
        return self.root / "reports"

    @property
    def reports_plan(self) -> Path:
        return self.reports / "plan.json"

    @property
    def reports_log(self) -> Path:
        return self.reports / "log.jsonl"

    @property
    def reports_lock(self) -> Path:
        return self.root / "reports.lock"

    def report(self, node: str, port: str, table: str) -> Path:
        """Return the path of a report without its ending."""
        return self.reports / node / port / table

    def source(self, node: str, port: str) -> Path:
        return self.root / "sources" / node / port

    def step(self, node: str) -> StepFolder:
        return StepFolder(self.root / "steps" / node)


def runs_folder(state_folder: Path) -> Path:
    """Return the folder that holds the run folders of a project."""
    return state_folder / "runs"
