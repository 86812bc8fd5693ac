"""`pytest --mlvalidate`: steps, scenarios and pipelines of a project as test items.

pytest loads this module in every session, so it imports nothing else of mlvalidate until the
option is given.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from mlvalidate.api import Options
    from mlvalidate.core.contracts import Project
    from mlvalidate.core.plan import Plan
    from mlvalidate.core.results import PipelineResult

# The names that mlvalidate.project looks for; a test compares them.
PROJECT_FILES = ("mlvalidate.yaml", "mlvalidate.yml")
# The collector below which pipelines are: their names may be those of steps.
_PIPELINES = "pipelines"
# The folders of projects with runs that wait to be recorded.
_TO_RECORD = pytest.StashKey[set[str]]()
_SAID = pytest.StashKey[str]()
_WORKER_OUTPUT = "mlvalidate_to_record"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the plugin."""
    group = parser.getgroup("mlvalidate", "steps of machine-learning pipelines")
    group.addoption(
        "--mlvalidate",
        action="store_true",
        help="collect the steps and pipelines of every mlvalidate.yaml",
    )
    group.addoption(
        "--mlvalidate-scenario",
        action="append",
        default=[],
        metavar="S",
        help="test the steps on a scenario, a case of it (edge.unicode) or `all`; repeatable",
    )
    group.addoption(
        "--mlvalidate-no-record", action="store_true", help="don't record the runs in MLflow"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known that every item has."""
    config.addinivalue_line("markers", "mlvalidate: a step or pipeline of an mlvalidate.yaml")
    nothing: set[str] = set()
    config.stash[_TO_RECORD] = nothing
    config.stash[_SAID] = ""


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Record all runs of the session in MLflow, together; a worker of xdist leaves that to others.

    Runs of a worker that crashed wait for a later sync.
    """
    to_record = session.config.stash[_TO_RECORD]
    roots = sorted(to_record)
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output[_WORKER_OUTPUT] = roots
        return
    for root in roots:
        # In a process of its own: MLflow is large, and its warnings are not this session's.
        command = [sys.executable, "-P", "-m", "mlvalidate", "sync", "-C", root]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        session.config.stash[_SAID] += done.stdout + done.stderr


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over from a worker of xdist which projects have runs to be recorded."""
    told = getattr(node, "workeroutput", {}).get(_WORKER_OUTPUT, ())
    node.config.stash[_TO_RECORD].update(told)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say what came of recording."""
    if said := config.stash[_SAID]:
        terminalreporter.section("mlvalidate")
        terminalreporter.write(said)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> ProjectFile | None:
    """Collect a project file where the option asks for it."""
    if not parent.config.getoption("mlvalidate") or file_path.name not in PROJECT_FILES:
        return None
    file: ProjectFile = ProjectFile.from_parent(parent, path=file_path)
    return file


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    """Tell of a skipped item where it is declared, not where it was skipped."""
    report = yield
    if isinstance(item, _RunItem) and report.skipped and isinstance(report.longrepr, tuple):
        report.longrepr = (str(item.path), None, report.longrepr[2])
    return report


class ProjectFile(pytest.File):
    """The steps of a project, then its pipelines."""

    def collect(self) -> Iterator[pytest.Item | pytest.Collector]:
        """Yield an item for each step, or for each of its cases, and the pipelines."""
        from mlvalidate import api

        self.project: Project = _or_collect_error(lambda: api.open_project(self.path))
        scenarios = tuple(self.config.getoption("mlvalidate_scenario"))
        for step in self.project.steps:
            for case in self._cases(step, scenarios):
                name = f"{step}[{case}]" if case else step
                yield StepItem.from_parent(self, name=name, step=step, case=case)
        if self.project.pipelines:
            yield Pipelines.from_parent(self, name=_PIPELINES)

    def _cases(self, step: str, scenarios: tuple[str, ...]) -> tuple[str, ...]:
        """Return the cases of the data that a step is tested on; '' is the standard one."""
        from mlvalidate import api
        from mlvalidate.core.errors import NothingProvidesError

        if not scenarios:
            return ("",)

        def plan_cases() -> tuple[str, ...]:
            try:
                plan = api.plan_script(self.project, step, api.Options(scenarios=scenarios))
            except NothingProvidesError:
                # The item says it.
                return ("",)
            return tuple(planned.on.case.name for planned in plan.steps)

        cases: tuple[str, ...] = _or_collect_error(plan_cases)
        return cases


class Pipelines(pytest.Collector):
    """The pipelines of a project."""

    def collect(self) -> Iterator[pytest.Item]:
        """Yield an item for each pipeline."""
        assert isinstance(self.parent, ProjectFile)
        for name in self.parent.project.pipelines:
            yield PipelineItem.from_parent(self, name=name)


class _RunItem(pytest.Item):
    """Plans and runs something when its turn comes, perhaps in a worker of xdist."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.add_marker("mlvalidate")

    @property
    def project(self) -> Project:
        """The project that the item is of."""
        file = self.getparent(ProjectFile)
        assert file is not None
        return file.project

    def make_plan(self, options: Options) -> Plan:
        """Return what the item runs."""
        raise NotImplementedError

    def runtest(self) -> None:
        """Run it; FailedRunError with what was found."""
        from mlvalidate import api

        plan = self.make_plan(api.Options(reports=self._reports()))
        # Each worker of xdist takes a core.
        jobs = 1 if "PYTEST_XDIST_WORKER" in os.environ else None
        record = not self.config.getoption("mlvalidate_no_record")
        if record:
            self.config.stash[_TO_RECORD].add(str(self.project.root))
        result = api.execute(self.project, plan, record=record, jobs=jobs, leave_to_sync=True)
        self.user_properties.append(("mlvalidate_run", result.run_id))
        _judge(self.project, result)

    def _reports(self) -> Any:
        """Evidently's reports are rendered where the environment asks for them, and not else."""
        from mlvalidate.core.contracts import Reports

        return None if os.environ.get("MLVALIDATE_REPORTS") else Reports.NONE

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Return what was found, or what is wrong with the call; a traceback only of a bug."""
        from mlvalidate.core.errors import MlvalidateError

        if isinstance(excinfo.value, FailedRunError):
            return excinfo.value.text
        if isinstance(excinfo.value, MlvalidateError):
            return _in_words(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Return where the item is declared."""
        return self.path, None, self.name


class StepItem(_RunItem):
    """A step alone, on one case of data."""

    def __init__(self, step: str, case: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.step = step
        self.case = case

    def make_plan(self, options: Options) -> Plan:
        """Plan the step; one that only a pipeline provides for is skipped where one runs it."""
        from dataclasses import replace

        from mlvalidate import api
        from mlvalidate.core.errors import NothingProvidesError

        scenarios = (self.case,) if self.case else ()
        try:
            return api.plan_script(self.project, self.step, replace(options, scenarios=scenarios))
        except NothingProvidesError as error:
            covering = [
                name
                for name, pipeline in self.project.pipelines.items()
                if any(pipeline.step_of(node) == self.step for node in pipeline.nodes)
            ]
            if not covering:
                raise
            pytest.skip(f"{error.message}; covered by {', '.join(covering)}")


class PipelineItem(_RunItem):
    """All steps of a pipeline, in order."""

    def make_plan(self, options: Options) -> Plan:
        """Plan the pipeline."""
        from mlvalidate import api

        return api.plan_pipeline(self.project, self.name, options)


class FailedRunError(Exception):
    """A run has not passed; ``text`` is what a person wants to know of it."""

    def __init__(self, summary: str, text: str) -> None:
        super().__init__(summary)
        self.text = text


def _judge(project: Project, result: PipelineResult) -> None:
    """Let the item end as the run did."""
    from mlvalidate import api
    from mlvalidate.core.errors import ExitCode
    from mlvalidate.reporting.failure import describe_failure, skip_reasons
    from mlvalidate.reporting.gathering import gather

    if result.exit_code is ExitCode.INTERRUPTED:
        raise KeyboardInterrupt
    if result.exit_code is ExitCode.NOTHING_RAN:
        pytest.skip(skip_reasons(result))
    if result.exit_code is not ExitCode.PASSED:
        report = gather(result, project.root, lambda run: api.run_folder(project, run), os.environ)
        raise FailedRunError(*describe_failure(report, result))


def _or_collect_error(function: Any) -> Any:
    """Call it; what is wrong with the project is told without a traceback."""
    from mlvalidate.core.errors import MlvalidateError

    try:
        return function()
    except MlvalidateError as error:
        raise pytest.Collector.CollectError(_in_words(error)) from None


def _in_words(error: Any) -> str:
    return f"{error.message}\nhint: {error.hint}" if error.hint else str(error.message)
