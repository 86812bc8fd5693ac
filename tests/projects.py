"""Small projects in temporary folders, and what came of running them."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from mlvalidate.core.contracts import Project
from mlvalidate.core.events import Event, RunFinished
from mlvalidate.core.findings import Finding
from mlvalidate.core.plan import Plan
from mlvalidate.core.results import PipelineResult, StepResult
from mlvalidate.core.run_folder import RunFolder
from mlvalidate.engine.drift_watch import NO_BASELINES, Baselines
from mlvalidate.engine.run import Order, execute_plans
from mlvalidate.engine.sandbox import Sandboxing


def execute_plan(
    project: Project,
    plan: Plan,
    folder: RunFolder,
    sandboxing: Sandboxing,
    interrupted: Callable[[], bool] = lambda: False,
    baselines: Baselines = NO_BASELINES,
    jobs: int = 1,
) -> Generator[Event, None, None]:
    """Run one plan, see `execute_plans`."""
    orders = (Order(plan, folder, baselines),)
    with closing(execute_plans(project, orders, sandboxing, interrupted, jobs)) as events:
        for _, event in events:
            yield event


@dataclass
class Ran:
    """A finished run with everything that a test wants to look at."""

    result: PipelineResult
    events: list[Event]
    folder: RunFolder

    @property
    def step(self) -> StepResult:
        """The only step of a script test."""
        assert len(self.result.steps) == 1
        return self.result.steps[0]

    @property
    def codes(self) -> list[str]:
        """The codes of what the run found, sorted. Static findings have tests of their own."""
        codes = (finding.code for finding in self.result.all_findings)
        return sorted(code for code in codes if not code.startswith("C"))

    def finding(self, code: str) -> Finding:
        """The only finding with this code."""
        found = [finding for finding in self.result.all_findings if finding.code == code]
        assert len(found) == 1, [(f.code, f.message) for f in self.result.all_findings]
        return found[0]

    def stdout(self, node: str = "step") -> str:
        return self.folder.step(node).stdout.read_text()

    def stderr(self, node: str = "step") -> str:
        return self.folder.step(node).stderr.read_text()


@dataclass
class ProjectFolder:
    """A project in a temporary folder."""

    root: Path
    scripts: dict[str, str] = field(default_factory=dict)

    def write(self, name: str, text: str) -> Path:
        """Write a file of the project, dedented."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
        return path

    def declare(self, **keys: object) -> None:
        """Write mlvalidate.yaml from keyword arguments."""
        content = {"version": 1, "project": "demo", **keys}
        (self.root / "mlvalidate.yaml").write_text(yaml.safe_dump(content, sort_keys=False))

    def declare_step(self, script: str, **step: object) -> None:
        """Write a project with one step, ``step``, that runs ``step.py``."""
        self.write("step.py", script)
        outputs = {"out": {"path": "/opt/ml/processing/output"}}
        self.declare(steps={"step": {"script": "step.py", "outputs": outputs, **step}})

    def load(self) -> Project:
        from mlvalidate.project import load_project

        return load_project(self.root, os.environ)

    def run_step(self, name: str = "step", **options: object) -> Ran:
        """Test one step, without recording."""
        from mlvalidate import api

        project = self.load()
        plan = api.plan_script(project, name, api.Options(**options))  # type: ignore[arg-type]
        return self._execute(project, plan)

    def run_pipeline(self, name: str | None = None, **options: object) -> Ran:
        """Run a pipeline, without recording."""
        from mlvalidate import api

        project = self.load()
        plan = api.plan_pipeline(project, name, api.Options(**options))  # type: ignore[arg-type]
        return self._execute(project, plan)

    def _execute(self, project: Project, plan: object) -> Ran:
        from mlvalidate import api

        events: list[Event] = []
        result = api.execute(project, plan, events.append, record=False)  # type: ignore[arg-type]
        assert isinstance(events[-1], RunFinished)
        return Ran(result, events, api.run_folder(project, result))
