"""Searches for a small input within the contract that makes a step fail, and shrinks it.

Hypothesis draws tables of a few rows. Where the step needs more than a few rows to work at all, the
rows of standard data follow them. Each execution runs and judges the step as a test does, in a
folder that is removed afterwards.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import warnings
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from mlvalidate.core.contracts import Project
from mlvalidate.core.datasets import Dataset
from mlvalidate.core.errors import UsageError
from mlvalidate.core.events import ChecksFinished
from mlvalidate.core.plan import Origin, Plan, PlannedCase, PlannedStep
from mlvalidate.core.results import Status, StepResult
from mlvalidate.core.run_folder import RunFolder
from mlvalidate.core.scenarios import Case, Scenario, expected_of
from mlvalidate.engine.drift_watch import NO_BASELINES, DriftWatch, without_references
from mlvalidate.engine.execution import Run
from mlvalidate.engine.kept_cases import KeptCase, keep_case, now, with_folders
from mlvalidate.engine.sandbox import Sandboxing
from mlvalidate.engine.scratch import scratch_folder
from mlvalidate.engine.step import run_step
from mlvalidate.engine.warm_starts import WarmStarts

if TYPE_CHECKING:
    import pandas as pd

    from mlvalidate.data.exploration import Row
    from mlvalidate.data.family import Family

_SEARCH = Case(scenario=Scenario.KEPT, variant="search")

# By dataset: drawn rows, and the tables that are made of them.
Tables = Mapping[str, list["Row"]]
Frames = Mapping[str, "pd.DataFrame"]


@dataclass(frozen=True)
class Exploration:
    """What came of a search. ``case`` is the id of the kept input, '' where nothing failed.

    ``rows`` are those of the standard data that followed the drawn ones, 0 where none had to.
    """

    tries: int
    shrinking_tries: int = 0
    case: str = ""
    rows: int = 0

    @property
    def note(self) -> str:
        """The search in one line."""
        behind = f", each with {self.rows} standard rows behind it" if self.rows else ""
        if not self.case:
            return f"Explored {self.tries} small inputs{behind}: none made the step fail."
        return (
            f"Explored {self.tries} small inputs{behind}: the last one made the step fail. After "
            f"{self.shrinking_tries} tries to make it smaller it is kept as case.{self.case}."
        )


class _Enough(BaseException):
    """The budget is spent, or the user wants no more. Hypothesis lets it pass."""


def explore(
    project: Project,
    plan: Plan,
    tries: int,
    sandboxing: Sandboxing,
    interrupted: Callable[[], bool] = lambda: False,
    on_try: Callable[[int, bool], None] = lambda _number, _failed: None,
) -> Exploration:
    """Run the only step of a plan on up to ``tries`` small inputs, and keep one that makes it fail.

    To shrink that takes up to as many executions again. ``on_try`` is told the number of each
    execution and whether the step failed. The same seed gives the same search. UsageError when no
    input of the step is synthetic, or when it fails on standard data already; KeyboardInterrupt
    when ``interrupted`` turns true.
    """
    (planned,) = plan.steps
    # A few rows tell no drift.
    project = without_references(project)
    starts = WarmStarts(project, plan.steps)
    search = _Search(project, plan, planned, tries, sandboxing, interrupted, on_try, starts)
    if not search.datasets:
        raise UsageError(
            f"--explore draws synthetic tables, and step {planned.node} takes none",
            "give its inputs `files` that are datasets, and no --data or --data-dir for them",
        )
    with contextlib.suppress(_Enough), search.starts:
        search.settle_rows()
        search.run()
    if interrupted():
        raise KeyboardInterrupt
    return search.conclude()


@dataclass
class _Search:
    """One search: what has been tried, and the smallest input that failed."""

    project: Project
    plan: Plan
    planned: PlannedStep
    most: int
    sandboxing: Sandboxing
    interrupted: Callable[[], bool]
    on_try: Callable[[int, bool], None]
    starts: WarmStarts
    searched: int = 0
    shrunk: int = 0
    behind: Frames = field(default_factory=dict)
    smallest: Frames | None = None
    result: StepResult | None = None
    _outcomes: dict[str, bool] = field(default_factory=dict)

    @cached_property
    def datasets(self) -> dict[str, Dataset]:
        """The datasets that are generated for the step."""
        names = {
            file.dataset: None
            for item in self.planned.inputs
            for file in item.files
            if item.origin is Origin.SYNTHETIC
        }
        return {name: self.project.datasets[name] for name in names}

    @cached_property
    def drawn(self) -> dict[str, Dataset]:
        """Those of which rows are drawn: to the others they refer, and these stay as they are."""
        referred = {
            column.foreign_key.partition(".")[0]
            for dataset in self.datasets.values()
            for column in dataset.columns.values()
            if column.foreign_key
        }
        return {name: each for name, each in self.datasets.items() if name not in referred}

    @cached_property
    def family(self) -> Family:
        from mlvalidate.data.family import Family

        return Family(self.project.datasets, self.plan.rows)

    def settle_rows(self) -> None:
        """Find out whether the step works on a few rows; if not, have standard ones follow.

        UsageError when it fails on standard data.
        """
        from mlvalidate.data.exploration import MOST_ROWS

        if self._execute(self._standard(self.drawn, MOST_ROWS)).status is Status.PASSED:
            return
        self.behind = self._standard(self.drawn, self.plan.rows)
        result = self._execute(self.behind)
        if result.status is not Status.PASSED:
            first = next(iter(result.findings), None)
            raise UsageError(
                f"--explore: {self.planned.node} fails on standard data already"
                + (f": {first.code}: {first.message}" if first else ""),
                f"mend that first: {self.plan.command}",
            )

    def _standard(self, datasets: Mapping[str, Dataset], rows: int | None) -> Frames:
        from mlvalidate.data.synthesis import generate

        return {
            name: generate(dataset, rows or dataset.rows, self.plan.seed, name, self.family)
            for name, dataset in datasets.items()
        }

    @cached_property
    def _fixed(self) -> Frames:
        """The tables to which drawn rows refer."""
        others = {name: each for name, each in self.datasets.items() if name not in self.drawn}
        return self._standard(others, self.plan.rows)

    def run(self) -> None:
        """Search, and shrink what is found, until the budget is spent."""
        from hypothesis import HealthCheck, Phase, Verbosity, find, settings
        from hypothesis import strategies as st
        from hypothesis.errors import NoSuchExample

        from mlvalidate.data.exploration import rows_of

        tables = st.fixed_dictionaries(
            {
                name: rows_of(dataset, self.plan.seed, self.family)
                for name, dataset in self.drawn.items()
            }
        )
        # Many draws may be equal, or break a rule: they cost no execution.
        chosen = settings(
            max_examples=50 * self.most,
            database=None,
            deadline=None,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
            verbosity=Verbosity.quiet,
        )
        nothing_failed = contextlib.suppress(NoSuchExample)
        with _hypothesis_home(), warnings.catch_warnings(), nothing_failed:
            warnings.simplefilter("ignore")
            source = random.Random(self.plan.seed)
            find(tables, self._fails, settings=chosen, random=source)

    def _fails(self, tables: Tables) -> bool:
        """Tell whether the step fails on drawn rows; what has been tried is not run again."""
        from mlvalidate.data.exploration import table_of

        mark = json.dumps(tables, sort_keys=True, default=str)
        if mark not in self._outcomes:
            frames: dict[str, pd.DataFrame] = {}
            for name, rows in tables.items():
                dataset, behind = self.datasets[name], self.behind.get(name)
                frame = table_of(dataset, name, rows, self.plan.seed, behind)
                if frame is None:
                    return False
                frames[name] = frame
            self._outcomes[mark] = self._try(frames)
        return self._outcomes[mark]

    def _try(self, frames: Frames) -> bool:
        spent = self.shrunk if self.smallest is not None else self.searched
        if spent >= self.most:
            raise _Enough
        if self.smallest is None:
            self.searched += 1
        else:
            self.shrunk += 1
        result = self._execute(frames)
        failed = result.status is Status.FAILED
        self.on_try(self.searched + self.shrunk, failed)
        if failed:
            # Hypothesis only goes on with what is smaller than what has failed before.
            self.smallest, self.result = frames, result
        return failed

    def conclude(self) -> Exploration:
        """Keep the smallest failing input, and say what came of the search."""
        rows = max(map(len, self.behind.values()), default=0)
        if self.smallest is None or self.result is None:
            return Exploration(self.searched, rows=rows)
        about = KeptCase(
            step=self.planned.step_name,
            found_at=now(),
            seed=self.plan.seed,
            tries=self.searched,
            findings=self.result.findings,
        )
        with scratch_folder() as folder:
            folders = self._write(self.smallest, folder)
            case = keep_case(self.project, about, folders, self.planned.step_name)
        return Exploration(self.searched, self.shrunk, case, rows)

    def _write(self, frames: Frames, folder: Path) -> dict[str, Path]:
        """Write the tables as the ports want them; return the folders of the synthetic ports."""
        from mlvalidate.data.generation import write_frame

        frames = {**self._fixed, **frames}
        found: dict[str, Path] = {}
        for item in self.planned.inputs:
            if item.origin is not Origin.SYNTHETIC:
                continue
            found[item.port] = folder / item.port
            for name in dict.fromkeys(file.dataset for file in item.files):
                files = [found[item.port] / f.name for f in item.files if f.dataset == name]
                write_frame(frames[name], self.datasets[name], files)
        return found

    def _execute(self, frames: Frames) -> StepResult:
        with scratch_folder() as scratch:
            folders = self._write(frames, scratch / "inputs")
            expected = expected_of(_SEARCH, self.planned.step.expect)
            on = PlannedCase(case=_SEARCH, expectation=expected)
            planned = with_folders(self.planned, folders).model_copy(update={"on": on})
            plan = self.plan.model_copy(update={"steps": (planned,)})
            with _run_in(self, plan, RunFolder(scratch / "run")) as run:
                for event in run_step(run, planned):
                    if isinstance(event, ChecksFinished):
                        if self.interrupted():
                            raise _Enough
                        return event.result
        raise AssertionError("a step ends with ChecksFinished")


@contextlib.contextmanager
def _run_in(search: _Search, plan: Plan, folder: RunFolder) -> Iterator[Run]:
    """Yield a run that nobody records and that is compared with no reference."""
    redactor = plan.redactor(os.environ)
    watch = DriftWatch(search.project, plan, folder, NO_BASELINES, search.interrupted)
    with ThreadPoolExecutor(1, "mlvalidate-beside") as beside:
        yield Run(
            search.project,
            plan,
            folder,
            search.sandboxing,
            redactor,
            search.interrupted,
            watch,
            search.starts,
            beside,
        )


@contextlib.contextmanager
def _hypothesis_home() -> Iterator[None]:
    """Keep hypothesis's caches out of the user's folder for a while."""
    from hypothesis import configuration

    before: Path | None = getattr(configuration, "__hypothesis_home_directory", None)
    with scratch_folder() as home:
        configuration.set_hypothesis_home_dir(home)
        try:
            yield
        finally:
            # Else whoever uses hypothesis next in this process would make the folder anew.
            configuration.set_hypothesis_home_dir(before)
