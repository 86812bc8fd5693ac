"""Runs one node: prepares its container, starts the script, looks at what it left, judges it."""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from mlvalidate.checks.evidence import CustomVerdict, Evidence, PortContent, Repeat, Variation
from mlvalidate.checks.execution import signal_name
from mlvalidate.checks.expectations import meet_expectation, settle_checks
from mlvalidate.checks.missing_input import missing_input
from mlvalidate.checks.registry import examine_step
from mlvalidate.core.contracts import Kind
from mlvalidate.core.datasets import BASELINE
from mlvalidate.core.events import ChecksFinished, Event, SampleTaken, StepFinished, StepStarted
from mlvalidate.core.execution import Note, Outcome, Stop
from mlvalidate.core.plan import Origin, PlannedStep, SkipReason
from mlvalidate.core.results import PortSummary, Status, StepResult, Usage, is_failed
from mlvalidate.core.run_folder import StepFolder
from mlvalidate.data.errors import UnsatisfiableSchema
from mlvalidate.engine.container import (
    Paths,
    Start,
    make_folders,
    make_start,
    read_message,
)
from mlvalidate.engine.contents import quality_of, summarise_file, write_samples
from mlvalidate.engine.custom_check import run_custom_check
from mlvalidate.engine.execution import (
    Run,
    execute,
    open_logs,
    port_folders,
    read_output,
    read_tail,
)
from mlvalidate.engine.hashing import hash_code, hash_contract, hash_data
from mlvalidate.engine.inputs import MissingInputError
from mlvalidate.engine.interpreter import inspect_interpreter
from mlvalidate.engine.logs import LogFile
from mlvalidate.engine.metrics import read_metrics
from mlvalidate.engine.output_tables import OutputTable, tables_of
from mlvalidate.engine.outputs import find_files, is_own_folder, output_folder, pack, packed_archive
from mlvalidate.engine.profiling import ask_for_profile
from mlvalidate.engine.rerun import Repeats
from mlvalidate.engine.sampling import sample_table

_MEGABYTE = 10**6
# Below /opt/ml, but not the script's doing.
_CONTAINER_OWNED = ("input/config", "config", "output/failure", "output/message")


def run_step(run: Run, planned: PlannedStep) -> Iterator[Event]:
    """Run and judge one node; the last event is its `ChecksFinished`."""
    started = time.time()
    yield StepStarted(at=started, node=planned.node)
    # Beside this step's inputs being made.
    run.starts.begin()
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
    except UnsatisfiableSchema as error:
        if planned.on.case.is_standard:
            raise
        yield ChecksFinished(at=time.time(), result=_without_data(planned, error, started))
        return
    summaries = tuple(
        run.inputs.summarise(planned, item, sources[item.port])
        for item in planned.inputs
        if item.port in sources
    )
    make_folders(paths)
    ask_for_profile(planned, folder)
    start = make_start(paths, run.project.root)
    logs = open_logs(folder, run)
    outcome: Outcome | None = None
    with Repeats(run, planned, sources) as repeats:
        try:
            for item in execute(run, paths, start, sources, logs, run.interrupted):
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
        repeated = repeats.conclude(succeeded=outcome.succeeded)
    result = _judge(run, paths, start, outcome, summaries, logs, started, repeated, sources)
    yield ChecksFinished(at=time.time(), result=result)


def _judge(
    run: Run,
    paths: Paths,
    start: Start,
    outcome: Outcome,
    inputs: tuple[PortSummary, ...],
    logs: dict[str, LogFile],
    started: float,
    repeats: dict[Variation, Repeat],
    sources: dict[str, Path],
) -> StepResult:
    planned, folder = paths.planned, paths.folder
    outputs = tuple(read_output(run, paths, name) for name in planned.step.outputs)
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
        stdout=read_tail(folder.stdout),
        stderr=read_tail(folder.stderr),
        log_dropped={name: log.dropped for name, log in logs.items() if log.dropped},
        secret_logs=tuple(name for name, log in logs.items() if log.had_secrets),
        message=run.redactor.redact(read_message(paths)),
        failed_metrics=failed_metrics,
        reproduce=planned.command or run.plan.command,
        repeats=repeats,
        in_sandbox=run.sandboxing.is_available,
        custom=_custom_verdicts(run, paths, outcome, sources),
        producer_ports={
            item.port: run.plan.step(item.producer).step.outputs[item.output]
            for item in planned.inputs
            if item.origin is Origin.EDGE
        },
        packed={
            name: archive
            for name in planned.step.outputs
            if (archive := packed_archive(folder, planned.step, name)) and archive.is_file()
        },
        read_input=lambda port: run.inputs.read(planned, port),
    )
    found, checks = examine_step(evidence)
    findings, rejection = meet_expectation(evidence, found)
    failed = is_failed(findings) or not (outcome.succeeded or rejection)
    _take_samples(run, evidence, folder)
    status = Status.FAILED if failed else Status.PASSED
    if outcome.stop is Stop.INTERRUPT:
        status = Status.INTERRUPTED
    facts = {
        "usage": _usage(outcome),
        "cold": outcome.cold,
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
        "checks": settle_checks(evidence, checks, findings, rejection),
        "rejection": run.redactor.redact(rejection),
        "code_hash": hash_code(planned, run.project.root),
        "contract_hash": hash_contract(planned, run.project),
        "data_hash": hash_data(inputs),
        "message": evidence.message,
        "hosts": tuple(dict.fromkeys(note.detail for note in evidence.notes_of("network"))),
    }
    return StepResult.of(planned, status, started, time.time()).model_copy(update=facts)


def _take_samples(run: Run, evidence: Evidence, folder: StepFolder) -> None:
    """Keep samples of the output tables for those who compare and picture them.

    Nobody needs them before the run ends, but for baselines: a step may be put into the cache with
    its own.
    """
    tables = [table for port in evidence.outputs for table in tables_of(port)]
    references = [table.dataset.reference if table.dataset else None for table in tables]
    wanted = [
        table
        for table, reference in zip(tables, references, strict=True)
        if run.desk.is_open or reference is not None
    ]
    if BASELINE in references:
        _sample_tables(run, evidence, folder, wanted)
    elif wanted:
        run.pending.append(run.beside.submit(_sample_tables, run, evidence, folder, wanted))


def _sample_tables(
    run: Run, evidence: Evidence, folder: StepFolder, tables: Sequence[OutputTable]
) -> None:
    for table in tables:
        sampled = sample_table(evidence.node, table, folder, run.redactor.redact)
        run.desk.add(sampled)
        if evidence.outcome.succeeded:
            run.watch.add(sampled, table, evidence)


def _custom_verdicts(
    run: Run, paths: Paths, outcome: Outcome, sources: dict[str, Path]
) -> dict[str, CustomVerdict]:
    """Call the check functions of the project, once the script has succeeded."""
    planned = paths.planned
    outputs = {
        name: paths.on_host(planned.step.container_path("output", name))
        for name in planned.step.outputs
    }
    return {
        declared.check: run_custom_check(run, planned, declared.check, sources, outputs)
        for declared in planned.step.checks
        if declared.check is not None and outcome.succeeded and not run.interrupted()
    }


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
    return PortSummary(
        port=content.port, path=content.path, files=files, quality=quality_of(content)
    )


def _stray_files(paths: Paths) -> tuple[str, ...]:
    """Return what lies below /opt/ml in no port, as container paths."""
    owned = [paths.folder.ml / name for name in _CONTAINER_OWNED]
    if paths.planned.step.kind is Kind.TRAINING:
        # SageMaker uploads both, declared or not.
        owned += [paths.folder.ml / "model", paths.folder.ml / "output" / "data"]
    left_out = (*port_folders(paths), *owned)
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


def _without_input(
    run: Run, planned: PlannedStep, error: MissingInputError, started: float
) -> StepResult:
    result = StepResult.of(planned, Status.FAILED, started, time.time())
    finding = missing_input(planned, error.item, error.found, run.plan.command)
    return result.model_copy(
        update={"findings": (finding,), "contract_hash": hash_contract(planned, run.project)}
    )


def _without_data(planned: PlannedStep, error: UnsatisfiableSchema, started: float) -> StepResult:
    """Return the result of a case of which no data can be made."""
    result = StepResult.of(planned, Status.SKIPPED, started, time.time())
    reason = {"skip_reason": SkipReason.NOT_APPLICABLE, "skip_detail": error.message}
    return result.model_copy(update=reason)
