"""A run in MLflow holds what docs/mlflow.md says, no more and no less."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from docs_pages import read, section

from mlvalidate import api, api_history
from mlvalidate.core.contracts import Project, Reports
from mlvalidate.core.results import Status
from mlvalidate.tracking import layout
from mlvalidate.tracking.store import resolve_store
from tests.projects import ProjectFolder
from tests.tracking.tracking_stored import look

CLEAN = """
import argparse, csv, os, traceback
try:
    {}["b"]
except KeyError:
    traceback.print_exc()  # a warning
parser = argparse.ArgumentParser()
parser.add_argument("--least", type=float)
least = parser.parse_args().least
with open("/opt/ml/processing/input/raw/t.csv", newline="") as source:
    rows = [row for row in csv.DictReader(source) if float(row["a"]) >= least]
with open("/opt/ml/processing/output/out/t.csv", "w", newline="") as target:
    writer = csv.DictWriter(target, ["a"])
    writer.writeheader()
    writer.writerows(rows)
print(os.environ["MODE"], flush=True)
import time; time.sleep(0.3)
"""
TRAIN = """
import json, os
json.dump({"auc": 0.75}, open("/opt/ml/output/data/metrics.json", "w"))
open("/opt/ml/model/model.json", "w").write("{}")
"""
ROLES = {"pipeline": "parent", "matrix": "parent", "step": "nested", "script": "script"}
# What a first cell calls by another word than its name, and what stands for it in these runs.
# Rendered beside the run, for seconds; tests/tracking/test_tracking_reports.py looks at them.
REPORTS = ("mlvalidate.reports", "reports/PORT/TABLE.html", "reports/PORT/TABLE.json")
OTHER_WORDS = {"names under `metrics:`": "`auc`"}


@dataclass(frozen=True)
class Row:
    """One row of a table: a pattern of names, and the sorts of runs that have them."""

    name: str
    pattern: re.Pattern[str]
    roles: frozenset[str]


def rows_of(heading: str) -> list[Row]:
    """Return what the page lists under a heading. Benchmarks have a test of their own."""
    rows = []
    table = re.findall(
        r"^\| ([^|]+) \| ([^|]+) \|", section(read("mlflow.md"), heading), re.MULTILINE
    )
    for names, of in table[2:]:
        if of == "parent of a benchmark":
            continue
        roles = ["parent", "nested", "script"] if of == "all" else of.split(", ")
        assert set(roles) <= {"parent", "nested", "script"}, of
        cell = OTHER_WORDS.get(names, names)
        for name in re.findall(r"`([^`]+)`", cell):
            rows.append(Row(name, _pattern(name, "and others" in cell), frozenset(roles)))
    return rows


def _pattern(name: str, is_example: bool) -> re.Pattern[str]:
    """Return a pattern in which words in capitals stand for any name."""
    text = re.sub(r"(?<![A-Za-z])[A-Z]{2,}(?![A-Za-z])", "@", re.escape(name))
    if is_example:
        text = text.rpartition(".")[0] + ".@"
    return re.compile(text.replace("@", ".+"))


@dataclass(frozen=True)
class Held:
    """What one run in MLflow holds, by heading of the page."""

    role: str
    names: dict[str, set[str]]


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> list[Held]:
    """Record a pipeline twice, from its cache the second time, and a step alone, in a CI job."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("GITLAB_CI", "true")
        environment.setenv("CI_JOB_URL", "https://ci.example.com/jobs/1")
        for name in ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME"):
            environment.delenv(name, raising=False)
        project = _project(tmp_path_factory.mktemp("record") / "shop")
        for plan in (
            api.plan_pipeline(project, "both", api.Options(reports=Reports.NONE)),
            api.plan_pipeline(project, "both", api.Options(reports=Reports.NONE)),
            api.plan_script(project, "clean", api.Options(rows=80, reports=Reports.NONE)),
        ):
            result = api.execute(project, plan)
            assert result.status is Status.PASSED, result.all_findings
            assert not result.unrecorded
        for name in ("both", "clean"):
            api_history.set_baseline(project, name)
        api_history.log_comparison(project, api_history.compare(project), "<html>")
        store = resolve_store(project, {})
        stored = look(store)
        return [
            Held(ROLES[run.data.tags[layout.KIND]], _names(run, stored.artifacts(key)))
            for key in stored.runs
            for run in [stored.one(key)]
        ]


def _project(root: Path) -> Project:
    root.mkdir()
    folder = ProjectFolder(root)
    folder.write("clean.py", CLEAN)
    folder.write("train.py", TRAIN)
    port = {"files": {"t.csv": "t"}}
    folder.declare(
        datasets={
            "t": {
                "rows": 60,
                "columns": {"a": {"type": "float", "min": 0, "max": 1}},
                "reference": "baseline",
            }
        },
        steps={
            "clean": {
                "script": "clean.py",
                "args": {"least": 0},
                "env": {"MODE": "test"},
                "inputs": {"raw": port},
                "outputs": {"out": port},
            },
            "train": {
                "kind": "training",
                "script": "train.py",
                "hyperparameters": {"depth": 3},
                "inputs": {"train": port},
                "outputs": {"data": {"files": {"metrics.json": "file"}}},
                "metrics": {"auc": "data/metrics.json#auc"},
            },
        },
        pipelines={"both": {"nodes": ["clean", "train"], "edges": {"train.train": "clean.out"}}},
    )
    git = ["git", "-c", "user.name=me", "-c", "user.email=me@example.com", "-C", str(root)]
    for words in (["init", "-q", "-b", "work"], ["add", "-A"], ["commit", "-q", "-m", "begin"]):
        subprocess.run([*git, *words], check=True)
    return folder.load()


def _names(run: Any, artifacts: dict[str, Path]) -> dict[str, set[str]]:
    # MLflow's own that hold no content of ours.
    tags = {name for name in run.data.tags if name.startswith("mlvalidate.")}
    return {
        "Tags": tags,
        "Params": set(run.data.params),
        "Metrics": set(run.data.metrics),
        "Artifacts": set(artifacts),
    }


def _misses(held: list[Held], heading: str) -> Iterator[str]:
    """Yield what runs hold and the page does not list for such runs."""
    rows = rows_of(heading)
    for run in held:
        for name in sorted(run.names[heading]):
            if not any(row.pattern.fullmatch(name) and run.role in row.roles for row in rows):
                yield f"{run.role}: {name}"


def _surplus(held: list[Held], heading: str) -> Iterator[str]:
    """Yield what the page lists and no run holds of those for which it does."""
    for row in rows_of(heading):
        names = [name for run in held if run.role in row.roles for name in run.names[heading]]
        if row.name not in REPORTS and not any(map(row.pattern.fullmatch, names)):
            yield row.name


@pytest.mark.parametrize("heading", ["Tags", "Params", "Metrics", "Artifacts"])
def test_a_run_holds_nothing_that_is_not_listed(held: list[Held], heading: str) -> None:
    assert {run.role for run in held} == {"parent", "nested", "script"}
    assert list(_misses(held, heading)) == []


@pytest.mark.parametrize("heading", ["Tags", "Params", "Metrics", "Artifacts"])
def test_what_is_listed_is_held(held: list[Held], heading: str) -> None:
    assert list(_surplus(held, heading)) == []


def test_mlflow_s_own_tags_are_listed(held: list[Held]) -> None:
    page = section(read("mlflow.md"), "Tags")
    own = [value for name, value in vars(layout).items() if name.startswith("MLFLOW_")]
    for value in own:
        assert f"`{value if isinstance(value, str) else value[0]}`" in page
