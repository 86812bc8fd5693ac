"""Compares the outputs of a run with their references, through the analyst, and judges them.

A step's samples are handed over when it has been judged; the answers are collected when the last
step is done, because all columns of a run are judged together.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from mlvalidate.checks.drift import drift_findings
from mlvalidate.checks.evidence import Evidence
from mlvalidate.core.contracts import Project
from mlvalidate.core.datasets import BASELINE, INPUT, SAMPLE, Dataset
from mlvalidate.core.errors import UsageError
from mlvalidate.core.plan import Plan, PlannedStep
from mlvalidate.core.quality import ColumnDrift, Drift
from mlvalidate.core.results import StepResult
from mlvalidate.core.run_folder import RunFolder
from mlvalidate.data.comparisons import Comparison, Measured
from mlvalidate.data.tables_in_folders import find_tables
from mlvalidate.engine.beside import start_beside
from mlvalidate.engine.output_tables import OutputTable, tables_of
from mlvalidate.engine.sampling import SampledTable

if TYPE_CHECKING:
    import pandas as pd

_POLL_SECONDS = 0.02
# An analyst that has not answered anything for so long hangs.
_PATIENCE_SECONDS = 60.0
_STOP_SECONDS = 2.0

# Node, port and table.
Key = tuple[str, str, str]


@dataclass(frozen=True)
class Baselines:
    """Samples of the last passed run, as stems, and in words which run that was.

    ``problem`` says why there are none.
    """

    stems: Mapping[Key, Path] = field(default_factory=dict)
    description: str = ""
    problem: str = ""


NO_BASELINES = Baselines(problem="no baseline yet: no passed run is recorded")


@dataclass
class _Table:
    """What is known of one table that declares a reference."""

    dataset_name: str
    dataset: Dataset
    reference: str
    request: Comparison | None = None
    problem: str = ""


class DriftWatch:
    """The comparisons of one run. Use as a context manager: the analyst ends with it."""

    def __init__(
        self,
        project: Project,
        plan: Plan,
        folder: RunFolder,
        baselines: Baselines,
        interrupted: Callable[[], bool],
    ) -> None:
        self._project = project
        self._plan = plan
        self._folder = folder
        self._baselines = baselines
        self._interrupted = interrupted
        self._tables: dict[Key, _Table] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._fault = ""

    def __enter__(self) -> DriftWatch:
        if any(declares_reference(self._project, planned) for planned in self._plan.steps):
            try:
                self._process = start_beside("mlvalidate.engine.analyst")
                assert self._process.stdin is not None
                os.set_blocking(self._process.stdin.fileno(), False)
            except OSError as error:
                self._fault = f"its process did not start: {error.strerror}"
        return self

    def __exit__(self, *_exception: object) -> None:
        """End the analyst, whatever it does."""
        if self._process is None:
            return
        self._process.kill()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_STOP_SECONDS)
        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.close()

    def add(self, sampled: SampledTable, table: OutputTable, evidence: Evidence) -> None:
        """Ask for a comparison of a table, where its dataset declares a reference."""
        if table.dataset is None or table.dataset.reference is None:
            return
        known = _Table(table.dataset_name, table.dataset, table.dataset.reference)
        self._tables[sampled.node, sampled.port, sampled.table] = known
        try:
            known.request = self._request(sampled, table.dataset, known, evidence)
        except UsageError as error:
            known.problem = error.message
        if known.request is not None and not self._fault:
            self._send(known.request)

    def _send(self, request: Comparison) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        path = request.sample.with_name(f"{request.sample.name}.request")
        path.write_text(request.model_dump_json(), encoding="utf-8")
        try:
            os.write(self._process.stdin.fileno(), f"{path}\n".encode())
        except BlockingIOError:
            self._fault = "its process does not take any more"
        except OSError:
            self._fault = _ended(self._process)

    def _request(
        self, sampled: SampledTable, dataset: Dataset, known: _Table, evidence: Evidence
    ) -> Comparison:
        """Return what to ask; UsageError, for its message, when there is no reference."""
        if known.reference == INPUT:
            return self._against_input(sampled, dataset, known, evidence)
        if known.reference == BASELINE:
            stem = self._baselines.stems.get((sampled.node, sampled.port, sampled.table))
            if stem is None:
                raise UsageError(self._baselines.problem or "no baseline yet: it has no such table")
            known.reference = self._baselines.description
            kept = sampled.stem.with_name(f"{sampled.stem.name}.reference")
            for ending in (".parquet", ".json"):
                # The renderer still needs it when the download is gone.
                shutil.copyfile(f"{stem}{ending}", f"{kept}{ending}")
            return Comparison(sample=sampled.stem, reference=kept, dataset=dataset)
        case = evidence.planned.on.case
        if not case.is_standard:
            raise UsageError(f"the scenario {case.name} shapes the data on purpose")
        path = str(dataset.sample) if known.reference == SAMPLE else known.reference
        known.reference = path
        return Comparison(
            sample=sampled.stem,
            reference=self._folder.references / known.dataset_name,
            dataset=dataset,
            files=tuple(find_tables(self._project.path(path))),
        )

    def _against_input(
        self, sampled: SampledTable, dataset: Dataset, known: _Table, evidence: Evidence
    ) -> Comparison:
        from mlvalidate.data.table_samples import prepare_frame, write_sample

        tables = [table for port in evidence.input_tables.values() for table in tables_of(port)]
        nearest = max(tables, key=lambda table: len(_shared(table, dataset)), default=None)
        if nearest is None or not _shared(nearest, dataset):
            raise UsageError("no input of the step has a column in common with it")
        known.reference = f"input {nearest.port}"
        frames = [_only(frame, dataset) for frame in nearest.frames]
        frame, sample = prepare_frame(frames, nearest.format, dataset)
        stem = sampled.stem.with_name(f"{sampled.stem.name}.reference")
        write_sample(frame, sample, stem)
        return Comparison(sample=sampled.stem, reference=stem, dataset=dataset, shared_only=True)

    def reference_of(self, sampled: SampledTable) -> Path | None:
        """Return the stem of the sample that a table was compared with."""
        known = self._tables.get((sampled.node, sampled.port, sampled.table))
        return known.request.reference if known and known.request else None

    def conclude(self, results: Sequence[StepResult]) -> list[StepResult]:
        """Wait for the answers and return the results that have changed, with drift in them."""
        if not self._tables:
            return []
        # As the plan has them: nodes that run at once add theirs as they happen to come.
        place = {result.node: number for number, result in enumerate(results)}
        self._tables = dict(sorted(self._tables.items(), key=lambda entry: place[entry[0][0]]))
        answers = self._collect()
        # Imports nothing heavy: the tests themselves have run.
        from mlvalidate.data.drift import judge_drift

        names = {"\x1f".join(key): key for key in answers}
        judged = judge_drift({name: answers[key].columns for name, key in names.items()})
        columns = {key: judged[name] for name, key in names.items()}
        drifts: dict[str, dict[str, Drift]] = defaultdict(dict)
        for node, port in dict.fromkeys(key[:2] for key in self._tables):
            drifts[node][port] = self._drift_of(node, port, answers, columns)
        return [self._with_drift(r, drifts[r.node]) for r in results if r.node in drifts]

    def _drift_of(
        self,
        node: str,
        port: str,
        answers: Mapping[Key, Measured],
        columns: Mapping[Key, Sequence[ColumnDrift]],
    ) -> Drift:
        own = {key: known for key, known in self._tables.items() if key[:2] == (node, port)}
        problems = {
            key: known.problem or (answers[key].problem if key in answers else "")
            for key, known in own.items()
        }
        unanswered = [k for k, known in own.items() if known.request and k not in answers]
        return Drift(
            references=tuple(dict.fromkeys(known.reference for known in own.values())),
            columns=tuple(
                column.model_copy(update={"dataset": known.dataset_name})
                for key, known in own.items()
                for column in columns.get(key, ())
            ),
            problems=tuple(f"{key[2]}: {text}" for key, text in problems.items() if text),
            fault=self._fault if unanswered else "",
            scores_shown=any(known.dataset.column_figures for known in own.values()),
        )

    def _with_drift(self, result: StepResult, drifts: Mapping[str, Drift]) -> StepResult:
        outputs = tuple(
            port.model_copy(update={"drift": drifts.get(port.port)}) for port in result.outputs
        )
        found = [
            finding
            for port, drift in drifts.items()
            for finding in drift_findings(result.node, port, drift, self._plan.command)
        ]
        return result.model_copy(
            update={"outputs": outputs, "findings": (*result.findings, *found)}
        )

    def _collect(self) -> dict[Key, Measured]:
        """Return the answers as far as there are any: the analyst may be killed, or hang."""
        waiting = {key: table.request for key, table in self._tables.items() if table.request}
        answers: dict[Key, Measured] = {}
        heard = time.monotonic()
        while waiting and not self._interrupted():
            # Asked first: what it wrote last is then there.
            ended = self._process is None or self._process.poll() is not None
            for key, request in list(waiting.items()):
                if request.answer.exists():
                    answers[key] = Measured.model_validate_json(request.answer.read_text())
                    del waiting[key]
                    heard = time.monotonic()
            if ended and waiting:
                self._fault = self._fault or _ended(self._process)
                break
            if waiting and (self._fault or time.monotonic() - heard > _PATIENCE_SECONDS):
                self._fault = self._fault or f"nothing came for {_PATIENCE_SECONDS:.0f} s"
                break
            time.sleep(_POLL_SECONDS if waiting else 0)
        return answers


def declares_reference(project: Project, planned: PlannedStep, word: str = "") -> bool:
    """Tell whether an output of the step has a dataset with a reference, or with just this one."""
    declared = (name for port in planned.step.outputs.values() for name in port.files.values())
    references = [project.datasets[n].reference for n in declared if n in project.datasets]
    return any(reference and word in ("", reference) for reference in references)


def _shared(table: OutputTable, dataset: Dataset) -> set[str]:
    return {str(name) for name in table.frames[0].columns} & set(dataset.columns)


def _only(frame: pd.DataFrame, dataset: Dataset) -> pd.DataFrame:
    return frame.loc[:, [name in dataset.columns for name in frame.columns]]


def _ended(process: subprocess.Popen[bytes] | None) -> str:
    code = process.poll() if process else None
    return "its process ended" + ("" if code is None else f" with exit code {code}")


def without_references(project: Project) -> Project:
    """Return the project with nothing to compare its outputs with."""
    datasets = {
        name: dataset.model_copy(update={"reference": None})
        for name, dataset in project.datasets.items()
    }
    return project.model_copy(update={"datasets": datasets}).at(project.root)
