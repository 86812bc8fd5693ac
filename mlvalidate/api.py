"""What the command line and notebooks call: open a project, plan, run, record.

Every function returns the same frozen results; nothing here prints.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shlex
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from mlvalidate.core.contracts import Project, Reports
from mlvalidate.core.errors import InfrastructureError, NothingProvidesError, UsageError
from mlvalidate.core.events import Event, RunFinished, RunStarted
from mlvalidate.core.plan import DataSource, Entry, Plan, SandboxChoice
from mlvalidate.core.results import PipelineResult
from mlvalidate.core.reuse import CachedStep, Part, Pruned
from mlvalidate.core.run_folder import RunFolder, runs_folder
from mlvalidate.core.suite import SuitePlan, SuiteResult
from mlvalidate.data.inference.options import InferenceOptions

if TYPE_CHECKING:
    from mlvalidate.core.datasets import FileFormat
    from mlvalidate.core.findings import Finding
    from mlvalidate.data.generation import Generated
    from mlvalidate.data.inference.inferring import Inferred
    from mlvalidate.engine.drift_watch import Baselines
    from mlvalidate.engine.execution import AskHistory
    from mlvalidate.engine.planning import Choices
    from mlvalidate.tracking.launch import RecorderProcess
    from mlvalidate.tracking.sync import SyncReport
    from mlvalidate.tracking.team_server import TeamServer

W = TypeVar("W", bound=StrEnum)

# A disk that is full or can't be written to. Other errors of the system have their own words.
_DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM)

# How long a command waits for MLflow after the run is over; the recorder goes on without it.
_RECORDING_SECONDS = 60.0


@dataclass(frozen=True)
class Options:
    """What a caller can choose about a run.

    ``data_dirs`` maps ``port`` (of a script) or ``node.port`` to a file or folder that becomes
    the input. ``rows`` and ``seed`` replace those of the project for synthetic data.
    """

    data: DataSource = DataSource.SYNTHETIC
    data_dirs: Mapping[str, Path] = field(default_factory=dict)
    rows: int | None = None
    seed: int | None = None
    # Of a script test: how the script is started, where its contract says otherwise.
    entry: Entry | None = None
    # Scenarios or cases of them; `all` for a script. None: standard data.
    scenarios: tuple[str, ...] = ()
    # Of a script test: how many small inputs are tried first, see `plan_exploration`.
    explore: int | None = None
    # Of which steps reports are rendered. Default: MLVALIDATE_REPORTS, else as the project says.
    reports: Reports | None = None
    # Default: MLVALIDATE_SANDBOX, else a sandbox where this machine has one.
    sandbox: SandboxChoice | None = None
    # False: every step runs, and none is kept for later runs.
    cache: bool = True
    # Of a pipeline: nodes that run although they might be reused, and whether the passed steps of
    # the last run are reused, cache or not.
    force: tuple[str, ...] = ()
    resume: bool = False
    # Of a pipeline: run these nodes, what comes after these, and what leads to these. What they
    # need of others is taken from earlier runs.
    only: tuple[str, ...] = ()
    start: tuple[str, ...] = ()
    until: tuple[str, ...] = ()
    # Start every script in a new interpreter, and not as a fork of one that is ready.
    cold: bool = False


def open_project(directory: Path | None = None) -> Project:
    """Read the project file of a folder or of the nearest folder above it.

    UsageError when there is none, ProjectError when it is wrong.
    """
    from mlvalidate.project import load_project

    return load_project(directory or Path.cwd(), os.environ)


def plan_pipeline(
    project: Project, pipeline: str | None = None, options: Options | None = None
) -> Plan:
    """Resolve a pipeline (by default the only one) into a plan, without running anything."""
    from mlvalidate.engine import planning
    from mlvalidate.engine.sandbox import choose_sandboxing

    choices = _choices(options or Options(), prefix="")
    sandboxing = choose_sandboxing(choices.sandbox)
    return _checked(project, planning.plan_pipeline(project, pipeline, choices, sandboxing))


def plan_script(project: Project, step: str, options: Options | None = None) -> Plan:
    """Resolve a test of one step, or of one node of a pipeline, without running anything."""
    from mlvalidate.engine import planning
    from mlvalidate.engine.sandbox import choose_sandboxing

    choices = _choices(options or Options(), prefix=f"{step}.")
    sandboxing = choose_sandboxing(choices.sandbox)
    return _checked(project, planning.plan_script(project, step, choices, sandboxing))


def plan_benchmark(
    project: Project,
    step: str,
    volumes: Sequence[int],
    repeat: int,
    options: Options | None = None,
    *,
    profile: bool = False,
) -> Plan:
    """Resolve measurements of one step on several numbers of rows, without running anything.

    Each volume is measured ``repeat`` times. `execute` says how time and memory grow, and what the
    `volume` in the step's contract would take. With ``profile`` the step runs again on the largest
    volume, under profilers.
    """
    from mlvalidate.engine import planning
    from mlvalidate.engine.sandbox import choose_sandboxing

    choices = _choices(options or Options(), prefix=f"{step}.")
    sandboxing = choose_sandboxing(choices.sandbox)
    plan = planning.plan_benchmark(
        project, step, volumes, repeat, choices, sandboxing, profile=profile
    )
    return _checked(project, plan)


def plan_exploration(
    project: Project,
    step: str,
    options: Options,
    on_try: Callable[[int, bool], None] = lambda _number, _failed: None,
) -> Plan:
    """Run one step on up to `explore` small inputs within its contract, and plan what comes next.

    The plan has what the options ask for and, where an input made the step fail, the smallest one
    as a case of its own; the plan's notes tell of the search. Needs `execute` to be recorded.
    KeyboardInterrupt when the user wants no more.
    """
    from mlvalidate.engine.exploration import explore
    from mlvalidate.engine.interruption import interruptible
    from mlvalidate.engine.sandbox import sandboxing_of

    asked = plan_script(project, step, options)
    if options.explore is None:
        return asked
    bare = replace(options, explore=None, scenarios=(), reports=Reports.NONE)
    alone = plan_script(project, step, bare)
    with _writable(project), interruptible() as stop:
        found = explore(project, alone, options.explore, sandboxing_of(alone), stop, on_try)
    if not found.case:
        return asked.model_copy(update={"notes": (found.note,)})
    scenarios = (*(options.scenarios or ("standard",)), f"case.{found.case}")
    plan = plan_script(project, step, replace(options, scenarios=scenarios))
    return plan.model_copy(update={"notes": (found.note,), "command": asked.command})


def _checked(project: Project, plan: Plan) -> Plan:
    from mlvalidate.engine.declaration_checks import check_declarations
    from mlvalidate.engine.sample_checks import check_samples

    check_declarations(project, plan)
    check_samples(project, plan)
    if any(step.part is Part.PROVIDED for step in plan.steps):
        # UsageError when nothing is kept of one.
        foresee(project, plan)
    return plan


def foresee(project: Project, plan: Plan) -> Plan:
    """Return the plan with what would come of each step: reused, or run, and why.

    Nothing is run, made or changed.
    """
    from mlvalidate.engine.cache.survey import survey
    from mlvalidate.engine.sandbox import sandboxing_of

    return survey(project, plan, sandboxed=sandboxing_of(plan).is_available)


def check(project: Project, names: Sequence[str] = ()) -> tuple[Finding, ...]:
    """Compare the contracts of steps and pipelines (default: all) with their scripts.

    Nothing of the project is executed. UsageError for an unknown name and, when none is given, for
    a dataset of an input that no table satisfies, or a sample of up to 5 MB that does not fit.
    """
    from mlvalidate.engine import planning
    from mlvalidate.engine.declaration_checks import check_input_declarations
    from mlvalidate.engine.sample_checks import check_small_samples
    from mlvalidate.engine.static_checks import check_plans

    if not names:
        check_input_declarations(project)
        check_small_samples(project)
    found: dict[str, Finding] = {}
    for by_node in check_plans(project, planning.plan_for_checks(project, names)):
        for finding in chain.from_iterable(by_node.values()):
            mark = f"{finding.code} {finding.message} {finding.location} {finding.observed_in}"
            found.setdefault(mark, finding)
    return tuple(found.values())


def _choices(options: Options, prefix: str) -> Choices:
    from mlvalidate.engine.planning import Choices
    from mlvalidate.engine.selection import Selection

    folders = {
        name if name.startswith(prefix) else prefix + name: path
        for name, path in options.data_dirs.items()
    }
    return Choices(
        data=options.data,
        folders=folders,
        rows=options.rows,
        seed=options.seed,
        entry=options.entry,
        scenarios=options.scenarios,
        explore=options.explore,
        reports=options.reports or _word_of("MLVALIDATE_REPORTS", Reports),
        sandbox=options.sandbox
        or _word_of("MLVALIDATE_SANDBOX", SandboxChoice)
        or SandboxChoice.AUTO,
        cache=options.cache,
        force=options.force,
        resume=options.resume,
        selection=Selection(options.only, options.start, options.until),
        cold=options.cold,
    )


def _word_of(variable: str, words: type[W]) -> W | None:
    """Return what the environment says, if anything; UsageError when it is no word for it."""
    given = os.environ.get(variable)
    if not given:
        return None
    known = [word.value for word in words]
    if given not in known:
        raise UsageError(f"{variable} is {given!r}", f"it can be {', '.join(known)}")
    return words(given)


def _ignore(_event: Event) -> None:
    """Take no notice of an event."""


def execute(
    project: Project,
    plan: Plan,
    on_event: Callable[[Event], None] = _ignore,
    *,
    record: bool = True,
    jobs: int | None = None,
    leave_to_sync: bool = False,
) -> PipelineResult:
    """Run a plan, record it in MLflow and return its result.

    With ``leave_to_sync`` a run that is to be recorded waits for the next `sync`, which records
    many at once.

    Up to ``jobs`` nodes run at once, by default as many as there are cores that may be used.
    SIGINT and SIGTERM end the running steps in order; the result is then INTERRUPTED. A tracking
    server that is away does not change the verdict: ``unrecorded`` says why the run waits.
    InfrastructureError when this machine can't do it (a full disk, a refused sandbox).
    """
    from mlvalidate.engine.drift_watch import without_references

    if plan.kind == "benchmark":
        # Its figures are to be compared, not its outputs.
        project = without_references(project)
    (result,) = _run_plans(
        project, (plan,), lambda _run_id, event: on_event(event), record, jobs, leave_to_sync
    )
    # Only of several runs some may not have begun.
    assert result is not None
    return result


def plan_all(project: Project, options: Options | None = None) -> SuitePlan:
    """Plan all pipelines, and a test of each step alone, without running anything.

    A step that needs what only a pipeline provides has no test of its own; the plan says so.
    ``scenarios`` are for the tests of steps. So are ``reports``, which these have by default none
    of: those of a pipeline show the same tables.
    """
    from mlvalidate.engine.suites import left_out, suite_command

    options = options or Options()
    reports = options.reports or _word_of("MLVALIDATE_REPORTS", Reports)
    alone = replace(options, reports=reports or Reports.NONE)
    of_pipelines = replace(options, scenarios=())
    plans = [plan_pipeline(project, name, of_pipelines) for name in project.pipelines]
    lacking = []
    for step in project.steps:
        try:
            plans.append(plan_script(project, step, alone))
        except NothingProvidesError as error:
            lacking.append(left_out(project, step, error))
    return SuitePlan(
        project=project.project,
        plans=tuple(plans),
        left_out=tuple(lacking),
        command=suite_command(project, _choices(options, prefix="")),
    )


def execute_all(
    project: Project,
    suite: SuitePlan,
    on_event: Callable[[str, Event], None] = lambda _run_id, _event: None,
    *,
    record: bool = True,
    jobs: int | None = None,
) -> SuiteResult:
    """Run all plans of a suite together, each recorded as a run of its own, see `execute`.

    ``on_event`` gets the id of the run with each event; events of several runs mix. When the user
    interrupts, runs that have not begun are left out.
    """
    from mlvalidate.engine.suites import suite_result

    started_at = time.time()
    runs = _run_plans(project, suite.plans, on_event, record, jobs)
    return suite_result(suite, runs, started_at, time.time())


def _run_plans(
    project: Project,
    plans: Sequence[Plan],
    on_event: Callable[[str, Event], None],
    record: bool,
    jobs: int | None,
    leave_to_sync: bool = False,
) -> tuple[PipelineResult | None, ...]:
    """Run plans together and record each as a run of its own; None for one that has not begun."""
    from mlvalidate.engine.interruption import interruptible
    from mlvalidate.engine.machine import usable_cores
    from mlvalidate.engine.run import Order, execute_plans, new_run_folder
    from mlvalidate.engine.sandbox import Sandboxing, sandboxing_of
    from mlvalidate.tracking.launch import SharedRecorder
    from mlvalidate.tracking.progress import decline
    from mlvalidate.tracking.store import resolve_store

    store = resolve_store(project, os.environ) if record and not leave_to_sync else None
    recorder = SharedRecorder(store, _ui_command(project)) if store else None
    recordings: dict[str, RecorderProcess] = {}
    results: dict[str, PipelineResult] = {}
    with contextlib.ExitStack() as stack:
        stack.enter_context(_writable(project))
        orders = [
            Order(
                plan,
                new_run_folder(project),
                stack.enter_context(_baselines(project, plan)),
                stack.enter_context(_history(project, plan)),
            )
            for plan in plans
        ]
        if recorder is not None:
            stack.callback(recorder.close)
        stop = stack.enter_context(interruptible())
        # All were planned for the same sandbox; without any plan nothing is built.
        sandboxing = sandboxing_of(plans[0]) if plans else Sandboxing()
        events = execute_plans(project, orders, sandboxing, stop, jobs or usable_cores())
        for folder, event in stack.enter_context(contextlib.closing(events)):
            if isinstance(event, RunStarted) and recorder is not None:
                recordings[folder.run_id] = recorder.record(folder)
            elif isinstance(event, RunStarted) and not record:
                decline(folder)
            elif isinstance(event, RunFinished):
                results[folder.run_id] = event.result
            on_event(folder.run_id, event)
        if recorder is not None:
            recorder.close()
        deadline = time.monotonic() + _RECORDING_SECONDS
        for run_id, recording in recordings.items():
            left = max(deadline - time.monotonic(), 0.0)
            results[run_id] = _with_links(results[run_id], recording, left)
        _count_waiting(project, results)
        return tuple(results.get(order.folder.run_id) for order in orders)


def test_all(
    project: Project, options: Options | None = None, *, record: bool = True
) -> SuiteResult:
    """Run every pipeline and every step of a project, see `plan_all` and `execute_all`."""
    return execute_all(project, plan_all(project, options), record=record)


@contextlib.contextmanager
def _baselines(project: Project, plan: Plan) -> Iterator[Baselines]:
    """Fetch what outputs with `reference: baseline` are compared with, for as long as it runs."""
    from mlvalidate.core.datasets import BASELINE
    from mlvalidate.engine.drift_watch import NO_BASELINES, declares_reference
    from mlvalidate.tracking.store import resolve_store

    nodes = tuple(s.node for s in plan.steps if declares_reference(project, s, BASELINE))
    if not nodes:
        yield NO_BASELINES
        return
    # Imports mlflow, which everybody else is spared.
    from mlvalidate.tracking.baseline import fetch_baselines

    store = resolve_store(project, os.environ)
    with tempfile.TemporaryDirectory(prefix=".baseline-", dir=project.state_folder) as folder:
        yield fetch_baselines(plan, store, nodes, Path(folder))


@contextlib.contextmanager
def _history(project: Project, plan: Plan) -> Iterator[AskHistory]:
    """Look up, beside the run, what gates on history compare it with."""
    from mlvalidate.engine.execution import no_history
    from mlvalidate.tracking.past_process import PastProcess, gates_on_history
    from mlvalidate.tracking.store import resolve_store

    gates = gates_on_history(project, plan)
    if not gates:
        yield no_history
        return
    with PastProcess(resolve_store(project, os.environ), plan, gates) as process:
        yield process.figures_of


def _with_links(
    result: PipelineResult, recorder: RecorderProcess, seconds: float
) -> PipelineResult:
    """Wait for the recorder and add to the result where the run can be seen.

    Where no step ran, nobody waits: importing MLflow would take longer than all the rest. A CI
    service is waited for: its machine may be gone a moment later.
    """
    nothing_ran = all(step.reused_from for step in result.steps)
    leave = nothing_ran and not os.environ.get("CI")
    recording = recorder.leave() if leave else recorder.wait(seconds)
    return result.model_copy(
        update={
            "run_url": recording.run_url,
            "open_command": recording.open_command,
            "unrecorded": recording.unrecorded,
            "related_issues": recording.related_issues,
        }
    )


def _count_waiting(project: Project, results: dict[str, PipelineResult]) -> None:
    """Say in the results of runs that wait to be recorded how many do, where there are more."""
    waiting = [run_id for run_id, result in results.items() if result.unrecorded]
    if not waiting:
        return
    from mlvalidate.tracking.sync import unrecorded_runs

    number = len({*waiting, *unrecorded_runs(project.state_folder)})
    if number > 1:
        for run_id in waiting:
            reason = f"{results[run_id].unrecorded}; {number} runs wait"
            results[run_id] = results[run_id].model_copy(update={"unrecorded": reason})


def _ui_command(project: Project) -> str:
    """Return what to type to look at the project's local store."""
    at = "" if project.root == Path.cwd() else f" -C {shlex.quote(os.path.relpath(project.root))}"
    return f"mlvalidate ui{at}"


@contextlib.contextmanager
def _writable(project: Project) -> Iterator[None]:
    """Turn a full or read-only disk into a message that says so."""
    try:
        project.state_folder.mkdir(exist_ok=True)
        (project.state_folder / ".gitignore").write_text("*\n")
        yield
    except OSError as error:
        if error.errno not in _DISK_ERRORS:
            raise
        raise InfrastructureError(
            f"can't write to {error.filename or project.state_folder}: {error.strerror or error}",
            "free some space, or copy the project to a folder that you can write to",
        ) from error


def run_folder(project: Project, run: PipelineResult | str) -> RunFolder:
    """Return the folder with journal, logs and data of a run."""
    run_id = run if isinstance(run, str) else run.run_id
    return RunFolder(runs_folder(project.state_folder) / run_id)


def sync(project: Project) -> SyncReport:
    """Record every run in MLflow that waits for it, and close runs that were killed."""
    from mlvalidate.tracking.store import resolve_store
    from mlvalidate.tracking.sync import sync as sync_runs

    return sync_runs(project.state_folder, resolve_store(project, os.environ))


def open_ui(project: Project, host: str, port: int, say: Callable[[str], None]) -> None:
    """Serve MLflow's UI on the project's store until interrupted; ``say`` gets the link."""
    from mlvalidate.tracking.store import resolve_store
    from mlvalidate.tracking.ui import run_ui

    run_ui(resolve_store(project, os.environ), say=say, host=host, port=port)


def run_server(team: TeamServer, say: Callable[[str], None]) -> None:
    """Run an MLflow server for a team until interrupted; ``say`` gets how to use it."""
    from mlvalidate.tracking import team_server

    team_server.run_server(team, say)


def cached_steps(project: Project) -> tuple[CachedStep, ...]:
    """Return what the cache holds, the last used first."""
    from mlvalidate.engine.cache.store import Store

    return tuple(kept.summary for kept in Store(project.cache_folder).all())


def prune_cache(project: Project, limit: int | None = None) -> Pruned:
    """Remove from the cache what was not used longest, until it fits into ``limit`` bytes.

    The default is the project's own limit.
    """
    from mlvalidate.engine.cache.store import Store

    with _writable(project):
        return Store(project.cache_folder).prune(project.cache.limit if limit is None else limit)


def clear_cache(project: Project) -> Pruned:
    """Remove all that the cache holds."""
    from mlvalidate.engine.cache.store import Store

    with _writable(project):
        return Store(project.cache_folder).clear()


def infer(
    path: Path,
    options: InferenceOptions | None = None,
    *,
    name: str = "",
    directory: Path | None = None,
) -> Inferred:
    """Return the dataset that a file, or a folder with the files of one table, seems to hold.

    Where the file lies in the project of ``directory``, the dataset names it as its `sample`.
    UsageError when it can't be read as a table, or when ``name`` can't be a dataset's.
    """
    from pydantic import TypeAdapter, ValidationError

    from mlvalidate.core.datasets import Name
    from mlvalidate.data.inference.inferring import infer_dataset
    from mlvalidate.project import path_in_project

    try:
        TypeAdapter(Name).validate_python(name or "_")
    except ValidationError:
        raise UsageError(
            f"{name!r} can't be the name of a dataset",
            "names begin with a letter or _ and go on with letters, digits, _ and -",
        ) from None
    sample = path_in_project(path, directory or Path.cwd())
    return infer_dataset(path, options, name=name, sample=sample)


def generate(
    project: Project,
    dataset: str,
    out: Path,
    *,
    rows: int | None = None,
    seed: int | None = None,
    scenario: str | None = None,
    format: FileFormat | None = None,
    fidelity: bool = False,
    against: Path | None = None,
) -> Generated:
    """Write synthetic files of a dataset into ``out``, and perhaps say how near they come to real.

    ``fidelity`` compares with the dataset's `sample`, ``against`` with another file or folder.
    ``scenario`` names one case, such as `edge.unicode`. UsageError for an unknown dataset, one that
    no table satisfies, a case that has nothing to act on, and files that can't be read.
    """
    from mlvalidate.core.suggest import did_you_mean
    from mlvalidate.data.family import Family
    from mlvalidate.data.generation import Generated, file_names, with_format
    from mlvalidate.data.real_files import compare_files
    from mlvalidate.data.scenarios.applicability import settle_case
    from mlvalidate.data.scenarios.shaping import write_case

    declared = project.datasets.get(dataset)
    if declared is None:
        raise UsageError(
            f"there is no dataset {dataset!r}", did_you_mean(dataset, list(project.datasets))
        )
    shown = str(against)
    if fidelity and against is None:
        if declared.sample is None:
            raise UsageError(
                f"the dataset {dataset!r} has no `sample` to compare with",
                "name real data with --against FILE",
            )
        against, shown = project.path(declared.sample), declared.sample
    chosen = with_format(declared, format)
    seed = project.defaults.seed if seed is None else seed
    with _writable(project):
        family = Family(project.datasets)
        targets = [out / each for each in file_names(chosen, dataset)]
        case = settle_case(chosen, dataset, scenario or "standard", seed)
        files = write_case(chosen, dataset, targets, case=case, rows=rows, seed=seed, family=family)
    generated = Generated(
        dataset=dataset,
        rows=sum(files.values()),
        seed=seed,
        scenario=case.name,
        files={str(path): n for path, n in files.items()},
    )
    if against is None:
        return generated
    found = compare_files(declared, against, chosen, tuple(files))
    return generated.model_copy(update={"fidelity": found, "against": shown})


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of mlvalidate.yaml."""
    from mlvalidate.project import project_json_schema

    return project_json_schema()
