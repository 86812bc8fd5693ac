"""Runs a script once in its container, and reads what it left."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from pathlib import Path

from mlvalidate.checks.evidence import PortContent
from mlvalidate.core.contracts import Access, Project
from mlvalidate.core.execution import Outcome
from mlvalidate.core.history import HistoryFigure
from mlvalidate.core.plan import Plan, PlannedStep
from mlvalidate.core.results import PipelineResult
from mlvalidate.core.run_folder import RunFolder, StepFolder
from mlvalidate.core.secrets import Redactor
from mlvalidate.engine.cache.reuse import Reuse
from mlvalidate.engine.container import (
    CODE_FOLDERS,
    HARNESS_IN_CONTAINER,
    Paths,
    Start,
    code_folder,
)
from mlvalidate.engine.contents import read_port
from mlvalidate.engine.drift_watch import DriftWatch
from mlvalidate.engine.inputs import Inputs
from mlvalidate.engine.interpreter import inspect_interpreter
from mlvalidate.engine.logs import LogFile
from mlvalidate.engine.monitor import TreeSample
from mlvalidate.engine.process import Launch, run_process
from mlvalidate.engine.report_desk import ReportDesk
from mlvalidate.engine.sandbox import Sandboxing, View, ViewBuilder
from mlvalidate.engine.scheduler import Cores
from mlvalidate.engine.scratch import remove_folder, scratch_folder
from mlvalidate.engine.warm_starts import WarmStarts

_LOG_TAIL_BYTES = 64 * 1024


# What gates on history ask about a run of which all else is known: their figures, by name.
AskHistory = Callable[[PipelineResult], Mapping[str, HistoryFigure]]


def no_history(_result: PipelineResult) -> Mapping[str, HistoryFigure]:
    """Answer for a run without gates on history."""
    return {}


@dataclass
class Run:
    """What all nodes of one run share.

    ``beside`` has threads for what a step need not wait for, and ``cores`` are those that may be
    idle.
    """

    project: Project
    plan: Plan
    folder: RunFolder
    sandboxing: Sandboxing
    redactor: Redactor
    interrupted: Callable[[], bool]
    watch: DriftWatch
    starts: WarmStarts
    beside: Executor
    cores: Cores = field(default_factory=Cores)
    ask_history: AskHistory = no_history
    # What has been started beside steps and has to end with the run.
    pending: list[Future[None]] = field(default_factory=list)
    inputs: Inputs = field(init=False)
    desk: ReportDesk = field(init=False)
    reuse: Reuse = field(init=False)

    def __post_init__(self) -> None:
        self.inputs = Inputs(self.project, self.plan, self.folder)
        self.desk = ReportDesk(self.plan, self.folder, self.project.datasets)
        self.reuse = Reuse(
            self.project,
            self.plan,
            sandboxed=self.sandboxing.is_available,
            folder=self.folder,
            redactor=self.redactor,
        )

    def task_name(self, node: str) -> str:
        """Return what the scheduler calls a node of this run."""
        return f"{self.folder.run_id} {node}"


def open_logs(folder: StepFolder, run: Run) -> dict[str, LogFile]:
    folder.logs.mkdir(parents=True)
    limit = run.plan.log_limit
    return {
        "stdout": LogFile(folder.stdout, limit, run.redactor),
        "stderr": LogFile(folder.stderr, limit, run.redactor),
    }


def execute(
    run: Run,
    paths: Paths,
    start: Start,
    sources: dict[str, Path],
    logs: dict[str, LogFile],
    interrupted: Callable[[], bool],
) -> Iterator[TreeSample | Outcome]:
    """Run the script in its sandbox, or, where there is none, on copies of its inputs."""
    planned = paths.planned
    with scratch_folder(lambda folder: run.beside.submit(remove_folder, folder)) as scratch:
        view: View | None = None
        env = start.env
        if run.sandboxing.is_available:
            view = _make_view(run, paths, sources, scratch)
        else:
            _copy_inputs(paths, sources)
            (scratch / "tmp").mkdir()
            env = {**env, "TMPDIR": str(scratch / "tmp")}
            if planned.credentials is Access.DENY:
                env["HOME"] = str(scratch)
        launch = Launch(
            argv=start.argv,
            env=env,
            cwd=start.cwd,
            view=view,
            network=planned.network.is_open,
            timeout=planned.timeout,
            memory=planned.memory,
            disk=planned.disk,
            processes=planned.processes,
            folders=(paths.folder.ml, paths.folder.harness, scratch),
            granted=planned.writes,
            start=run.starts.choose(planned, start, interrupted),
        )
        yield from run_process(launch, logs["stdout"], logs["stderr"], interrupted)


def _copy_inputs(paths: Paths, sources: dict[str, Path]) -> None:
    for item in paths.planned.inputs:
        if item.port in sources:
            target = paths.on_host(item.container_path)
            shutil.copytree(sources[item.port], target, symlinks=True, dirs_exist_ok=True)


def _make_view(run: Run, paths: Paths, sources: dict[str, Path], scratch: Path) -> View:
    planned, folder, root = paths.planned, paths.folder, run.project.root
    home = Path.home()
    builder = ViewBuilder(scratch, run.sandboxing, home, planned.memory)
    interpreter = inspect_interpreter(planned.python)
    builder.expose_interpreter(interpreter)
    builder.layer("project", root)
    code = code_folder(planned, root)
    if not code.is_relative_to(root):
        builder.layer("code", code)
    for number, packages in enumerate(interpreter.packages):
        if packages.is_dir() and not packages.is_relative_to(root):
            builder.layer(f"packages{number}", packages)
    # The other runs and their data are none of the script's business.
    hidden = scratch / "hidden"
    hidden.mkdir()
    state = run.project.state_folder.resolve()
    builder.bind(hidden, str(state), writable=False)
    builder.bind(folder.ml, "/opt/ml", writable=True)
    builder.bind(folder.harness, HARNESS_IN_CONTAINER, writable=True)
    if planned.step.kind in CODE_FOLDERS:
        target = CODE_FOLDERS[planned.step.kind]
        builder.bind(code, target, writable=False)
        if state.is_relative_to(code.resolve()):
            again = f"{target}/{state.relative_to(code.resolve())}"
            builder.bind(hidden, again, writable=False)
    builder.bind(folder.harness / "hosts", "/etc/hosts", writable=False)
    for item in planned.inputs:
        if item.port in sources:
            builder.overlay(f"input:{item.port}", sources[item.port], item.container_path)
    for name in planned.step.outputs:
        path = planned.step.container_path("output", name)
        # An input's layer may hide the output's folder below it.
        if any(path.startswith(item.container_path + "/") for item in planned.inputs):
            builder.bind(paths.on_host(path), path, writable=True)
    _grant(builder, planned)
    return builder.build()


def _grant(builder: ViewBuilder, planned: PlannedStep) -> None:
    """Add what the contract allows beyond the sandbox."""
    credentials = Path.home() / ".aws"
    if planned.credentials is Access.ALLOW and credentials.is_dir():
        builder.expose(credentials)
    if planned.network.is_open:
        builder.expose(Path("/etc/resolv.conf"))
    for folder in planned.writes:
        builder.expose(folder)
        builder.bind(folder, str(folder), writable=True)


def port_folders(paths: Paths) -> list[Path]:
    step = paths.planned.step
    return [
        paths.on_host(step.container_path(direction, name))
        for direction, ports in (("input", step.inputs), ("output", step.outputs))
        for name in ports
    ]


def read_output(run: Run, paths: Paths, name: str) -> PortContent:
    step = paths.planned.step
    container_path = step.container_path("output", name)
    folder = paths.on_host(container_path)
    nested = tuple(
        other for other in port_folders(paths) if other != folder and other.is_relative_to(folder)
    )
    return read_port(
        name,
        container_path,
        folder,
        step.outputs[name],
        run.project,
        ml=paths.folder.ml,
        left_out=nested,
    )


def read_tail(path: Path) -> str:
    """Return the end of a log."""
    with path.open("rb") as file:
        file.seek(0, 2)
        file.seek(max(0, file.tell() - _LOG_TAIL_BYTES))
        return file.read().decode("utf-8", errors="replace")
