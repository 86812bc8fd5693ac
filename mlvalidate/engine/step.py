"""Runs one node: prepares its container, starts the script, looks at what it left, judges it."""

from __future__ import annotations

import json
import shlex
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mlvalidate.checks.evidence import Evidence, PortContent
from mlvalidate.checks.execution import signal_name
from mlvalidate.checks.missing_input import missing_input
from mlvalidate.checks.registry import judge_step
from mlvalidate.core.contracts import Access, Kind, Project
from mlvalidate.core.events import ChecksFinished, Event, SampleTaken, StepFinished, StepStarted
from mlvalidate.core.execution import Note, Outcome, Stop
from mlvalidate.core.plan import Plan, PlannedStep
from mlvalidate.core.results import PortSummary, Status, StepResult, Usage, is_failed
from mlvalidate.core.run_folder import RunFolder, StepFolder
from mlvalidate.core.secrets import Redactor
from mlvalidate.engine.container import (
    CODE_FOLDERS,
    HARNESS_IN_CONTAINER,
    Paths,
    Start,
    code_folder,
    make_folders,
    make_start,
    read_message,
)
from mlvalidate.engine.contents import read_port, summarise_file, write_samples
from mlvalidate.engine.hashing import hash_code, hash_contract, hash_data
from mlvalidate.engine.inputs import Inputs, MissingInputError
from mlvalidate.engine.interpreter import inspect_interpreter
from mlvalidate.engine.logs import LogFile
from mlvalidate.engine.metrics import read_metrics
from mlvalidate.engine.monitor import TreeSample
from mlvalidate.engine.outputs import find_files, is_own_folder, output_folder, pack, packed_archive
from mlvalidate.engine.process import Launch, run_process
from mlvalidate.engine.sandbox import Sandboxing, View, ViewBuilder
from mlvalidate.engine.scratch import scratch_folder

_MEGABYTE = 10**6
_LOG_TAIL_BYTES = 64 * 1024
# Below /opt/ml, but not the script's doing.
_CONTAINER_OWNED = ("input/config", "config", "output/failure", "output/message")


@dataclass
class Run:
    """What all nodes of one run share."""

    project: Project
    plan: Plan
    folder: RunFolder
    sandboxing: Sandboxing
    redactor: Redactor
    interrupted: Callable[[], bool]
    inputs: Inputs = field(init=False)

    def __post_init__(self) -> None:
        self.inputs = Inputs(self.project, self.plan, self.folder)


def run_step(run: Run, planned: PlannedStep) -> Iterator[Event]:
    """Run and judge one node; the last event is its `ChecksFinished`."""
    started = time.time()
    yield StepStarted(at=started, node=planned.node)
    # What is declared may be a shim that only finds the interpreter.
    interpreter = inspect_interpreter(planned.python)
    planned = planned.model_copy(update={"python": interpreter.executable})
    folder = run.folder.step(planned.node)
    paths = Paths(planned, folder, in_sandbox=run.sandboxing.is_available)
    try:
        sources = run.inputs.provide(planned)
    except MissingInputError as error:
        yield ChecksFinished(at=time.time(), result=_without_input(run, planned, error, started))
        return
    summaries = tuple(
        run.inputs.summarise(planned, item, sources[item.port])
        for item in planned.inputs
        if item.port in sources
    )
    make_folders(paths)
    start = make_start(paths, run.project.root)
    logs = _open_logs(folder, run)
    outcome: Outcome | None = None
    try:
        for item in _execute(run, paths, start, sources, logs):
            if isinstance(item, Outcome):
                outcome = item
            else:
                yield SampleTaken(
                    at=time.time(),
                    node=planned.node,
                    rss_mb=item.rss / _MEGABYTE,
                    cpu_s=item.cpu_s,
                    processes=item.processes,
                )
    finally:
        for log in logs.values():
            log.close()
    assert outcome is not None
    yield StepFinished(
        at=time.time(),
        node=planned.node,
        exit_code=outcome.exit_code,
        signal=signal_name(outcome.signal) if outcome.signal else None,
    )
    result = _judge(run, paths, start, outcome, summaries, logs, started)
    yield ChecksFinished(at=time.time(), result=result)


def _open_logs(folder: StepFolder, run: Run) -> dict[str, LogFile]:
    folder.logs.mkdir(parents=True)
    limit = run.plan.log_limit
    return {
        "stdout": LogFile(folder.stdout, limit, run.redactor),
        "stderr": LogFile(folder.stderr, limit, run.redactor),
    }


def _execute(
    run: Run, paths: Paths, start: Start, sources: dict[str, Path], logs: dict[str, LogFile]
) -> Iterator[TreeSample | Outcome]:
    """Run the script in its sandbox, or, where there is none, on copies of its inputs."""
    planned = paths.planned
    with scratch_folder() as scratch:
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
            network=planned.network is Access.ALLOW,
            timeout=planned.timeout,
            memory=planned.memory,
        )
        yield from run_process(launch, logs["stdout"], logs["stderr"], run.interrupted)


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
    if planned.credentials is Access.ALLOW and (home / ".aws").is_dir():
        builder.expose(home / ".aws")
    if planned.network is Access.ALLOW:
        builder.expose(Path("/etc/resolv.conf"))
    return builder.build()


def _judge(
    run: Run,
    paths: Paths,
    start: Start,
    outcome: Outcome,
    inputs: tuple[PortSummary, ...],
    logs: dict[str, LogFile],
    started: float,
) -> StepResult:
    planned, folder = paths.planned, paths.folder
    outputs = tuple(_read_output(run, paths, name) for name in planned.step.outputs)
    metrics, failed_metrics = read_metrics(planned.step.metrics, outputs)
    _pack_outputs(paths, outcome)
    evidence = Evidence(
        planned=planned,
        root=run.project.root,
        outcome=outcome,
        outputs=outputs,
        inputs=inputs,
        stray_files=_stray_files(paths),
        notes=_read_notes(folder),
        stdout=_tail(folder.stdout),
        stderr=_tail(folder.stderr),
        log_dropped={name: log.dropped for name, log in logs.items() if log.dropped},
        message=run.redactor.redact(read_message(paths)),
        failed_metrics=failed_metrics,
        reproduce=run.plan.command,
    )
    findings = judge_step(evidence)
    failed = is_failed(findings) or not outcome.succeeded
    status = Status.FAILED if failed else Status.PASSED
    if outcome.stop is Stop.INTERRUPT:
        status = Status.INTERRUPTED
    facts = {
        "usage": _usage(outcome),
        "exit_code": outcome.exit_code,
        "signal": signal_name(outcome.signal) if outcome.signal else None,
        "command": shlex.join(start.argv),
        "args": _as_texts(planned.step.args),
        "env": planned.env,
        "hyperparameters": _as_texts(planned.step.hyperparameters),
        "inputs": inputs,
        "outputs": tuple(_summarise_output(run, paths, content) for content in outputs),
        "metrics": metrics,
        "findings": findings,
        "code_hash": hash_code(planned, run.project.root),
        "contract_hash": hash_contract(planned, run.project),
        "data_hash": hash_data(inputs),
        "message": evidence.message,
    }
    return StepResult.of(planned, status, started, time.time()).model_copy(update=facts)


def _usage(outcome: Outcome) -> Usage:
    return Usage(
        duration_s=outcome.duration_s,
        cpu_s=outcome.cpu_s,
        peak_rss_mb=outcome.peak_rss / _MEGABYTE,
        read_mb=outcome.read_bytes / _MEGABYTE,
        written_mb=outcome.written_bytes / _MEGABYTE,
    )


def _as_texts(values: Mapping[str, object] | tuple[str, ...]) -> dict[str, str]:
    """Return arguments as MLflow's params are: names with texts."""
    if isinstance(values, Mapping):
        return {
            name: value if isinstance(value, str) else json.dumps(value)
            for name, value in values.items()
        }
    return {str(number): word for number, word in enumerate(values)}


def _port_folders(paths: Paths) -> list[Path]:
    step = paths.planned.step
    return [
        paths.on_host(step.container_path(direction, name))
        for direction, ports in (("input", step.inputs), ("output", step.outputs))
        for name in ports
    ]


def _read_output(run: Run, paths: Paths, name: str) -> PortContent:
    step = paths.planned.step
    container_path = step.container_path("output", name)
    folder = paths.on_host(container_path)
    nested = tuple(
        other for other in _port_folders(paths) if other != folder and other.is_relative_to(folder)
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


def _pack_outputs(paths: Paths, outcome: Outcome) -> None:
    """Make the archives that consumers of a training job receive."""
    step = paths.planned.step
    for name in step.outputs:
        archive = packed_archive(paths.folder, step, name)
        source = paths.on_host(step.container_path("output", name))
        is_own = is_own_folder(source, paths.folder.ml)
        if archive and outcome.succeeded and is_own and any(source.iterdir()):
            pack(source, archive)


def _summarise_output(run: Run, paths: Paths, content: PortContent) -> PortSummary:
    stems = write_samples(content, paths.folder.samples, run.folder.root, run.redactor.redact)
    files = tuple(summarise_file(file, stems.get(file.name)) for file in content.files)
    archive = packed_archive(paths.folder, paths.planned.step, content.port)
    if archive is None:
        folder = output_folder(paths.folder, paths.planned.step, content.port)
        run.inputs.remember(folder, files)
    return PortSummary(port=content.port, path=content.path, files=files)


def _stray_files(paths: Paths) -> tuple[str, ...]:
    """Return what lies below /opt/ml in no port, as container paths."""
    owned = [paths.folder.ml / name for name in _CONTAINER_OWNED]
    if paths.planned.step.kind is Kind.TRAINING:
        # SageMaker uploads both, declared or not.
        owned += [paths.folder.ml / "model", paths.folder.ml / "output" / "data"]
    left_out = (*_port_folders(paths), *owned)
    return tuple(
        f"/opt/ml/{file.name}" for file in find_files(paths.folder.ml, paths.folder.ml, left_out)
    )


def _read_notes(folder: StepFolder) -> tuple[Note, ...]:
    """Return what the stand-ins noted. The script could write there too: odd lines don't count."""
    notes: list[Note] = []
    path = folder.harness / "notes.jsonl"
    if path.is_symlink() or not path.is_file():
        return ()
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            try:
                note = Note(**json.loads(line[:10_000]))
            except (ValueError, TypeError, RecursionError):
                continue
            if all(isinstance(text, str) for text in (note.kind, note.detail, note.location)):
                notes.append(note)
            if len(notes) >= 1000:
                break
    return tuple(notes)


def _tail(path: Path) -> str:
    with path.open("rb") as file:
        file.seek(0, 2)
        file.seek(max(0, file.tell() - _LOG_TAIL_BYTES))
        return file.read().decode("utf-8", errors="replace")


def _without_input(
    run: Run, planned: PlannedStep, error: MissingInputError, started: float
) -> StepResult:
    result = StepResult.of(planned, Status.FAILED, started, time.time())
    finding = missing_input(planned, error.item, error.found, run.plan.command)
    return result.model_copy(
        update={"findings": (finding,), "contract_hash": hash_contract(planned, run.project)}
    )
