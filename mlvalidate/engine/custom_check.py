"""Runs check functions of the user's, in the step's interpreter and sandbox."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlvalidate.checks.evidence import CustomVerdict
from mlvalidate.checks.traceback import parse_python_error
from mlvalidate.core.contracts import Kind, Port, Project
from mlvalidate.core.datasets import Compression, FileFormat
from mlvalidate.core.execution import Outcome, Stop
from mlvalidate.core.plan import Origin, PlannedInput, PlannedStep
from mlvalidate.core.run_folder import StepFolder
from mlvalidate.core.units import format_duration, format_size
from mlvalidate.data.kinds import is_delimited
from mlvalidate.data.layout import Layout, layout_of
from mlvalidate.engine.container import Paths, make_folders, make_start
from mlvalidate.engine.contents import declared_as
from mlvalidate.engine.execution import Run, execute, open_logs, read_tail

# A function of pandas with its keywords.
Reader = tuple[str, dict[str, Any]]

_FOLDER = "/opt/ml/processing/check"
_MOST_FINDINGS = 100


def run_custom_check(
    run: Run,
    planned: PlannedStep,
    function: str,
    inputs: Mapping[str, Path],
    outputs: Mapping[str, Path],
) -> CustomVerdict:
    """Call ``function`` with the tables in the folders of inputs and outputs, by port."""
    number = len(list((run.folder.step(planned.node).root).glob("checks/*")))
    folder = StepFolder(run.folder.step(planned.node).root / "checks" / str(number))
    sources = {
        **{f"inputs.{name}": path for name, path in inputs.items()},
        **{f"outputs.{name}": path for name, path in outputs.items()},
    }
    check = _as_command(planned, sources)
    paths = Paths(check, folder, in_sandbox=run.sandboxing.is_available)
    make_folders(paths)
    _write_call(paths, function, run, planned, inputs, outputs)
    start = make_start(paths, run.project.root)
    logs = open_logs(folder, run)
    outcome: Outcome | None = None
    try:
        for item in execute(run, paths, start, sources, logs, run.interrupted):
            if isinstance(item, Outcome):
                outcome = item
    finally:
        for log in logs.values():
            log.close()
    assert outcome is not None
    if outcome.succeeded:
        return _read_verdict(folder.harness / "found.json")
    reason = _reason(outcome, planned, read_tail(folder.stderr))
    return CustomVerdict(
        problem=f"it can't be run: {reason} (see {os.path.relpath(folder.stderr)})"
    )


def _reason(outcome: Outcome, planned: PlannedStep, stderr: str) -> str:
    """Return why a check function came to no verdict. The limits of its step hold for it, too."""
    if outcome.stop is Stop.MEMORY:
        return f"with its tables it took more than the step's {format_size(planned.memory)}"
    if outcome.stop is Stop.DISK:
        return f"it wrote more than the step's {format_size(planned.disk)} to disk"
    if outcome.stop is Stop.PROCESSES:
        return f"it had more than the step's {planned.processes} processes and threads"
    if outcome.stop is Stop.TIMEOUT:
        return f"it took longer than the step's {format_duration(planned.timeout)}"
    error = parse_python_error(stderr)
    return f"{error.type}: {error.message}" if error else f"exit code {outcome.exit_code}"


def _as_command(planned: PlannedStep, sources: Mapping[str, Path]) -> PlannedStep:
    """Return a step whose inputs are all the ports, and which calls the function."""
    ports = {name: Port(path=f"{_FOLDER}/{name.replace('.', '/')}") for name in sources}
    step = planned.step.model_copy(
        update={
            "kind": Kind.COMMAND,
            "script": None,
            "module": None,
            "command": (str(planned.python), "{harness}/check_tables.py", "{harness}/check.json"),
            "args": {},
            "hyperparameters": {},
            "inputs": ports,
            "outputs": {},
            "metrics": {},
            "checks": (),
            "workdir": None,
        }
    )
    items = tuple(
        PlannedInput(
            port=name, container_path=port.path or "", origin=Origin.FOLDER, folder=sources[name]
        )
        for name, port in ports.items()
    )
    return planned.model_copy(update={"step": step, "inputs": items})


def _write_call(
    paths: Paths,
    function: str,
    run: Run,
    planned: PlannedStep,
    inputs: Mapping[str, Path],
    outputs: Mapping[str, Path],
) -> None:
    declared = {item.port: run.inputs.declaration(planned, item) for item in planned.inputs}

    def folders(direction: str, ports: Mapping[str, Path]) -> dict[str, str]:
        return {name: paths.locate(f"{_FOLDER}/{direction}/{name}") for name in ports}

    call = {
        "function": function,
        "root": str(run.project.root),
        "inputs": folders("inputs", inputs),
        "outputs": folders("outputs", outputs),
        "readers": {
            "inputs": {
                name: _readers(folder, declared[name], run.project)
                for name, folder in inputs.items()
            },
            "outputs": {
                name: _readers(folder, planned.step.outputs[name], run.project)
                for name, folder in outputs.items()
            },
        },
        "result": f"{paths.harness}/found.json",
    }
    (paths.folder.harness / "check.json").write_text(json.dumps(call))


def _readers(folder: Path, declaration: Port, project: Project) -> dict[str, Reader]:
    """Return how pandas reads the files of datasets, by name.

    Only a dataset says that there is no header, or that `;` stands between the fields.
    """
    found: dict[str, Reader] = {}
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        dataset = project.datasets.get(declared_as(name, declaration))
        if dataset is not None and path.is_file():
            found[name] = _reader(layout_of(path, dataset.format, dataset))
    return found


def _reader(layout: Layout) -> Reader:
    """Return a function of pandas and its keywords."""
    if layout.format is FileFormat.PARQUET:
        return "read_parquet", {}
    packed = None if layout.compression is Compression.NONE else layout.compression.value
    if not is_delimited(layout.format):
        return "read_json", {"compression": packed, "lines": layout.format is FileFormat.JSONL}
    dialect = layout.dialect
    keywords: dict[str, Any] = {
        "sep": layout.delimiter,
        "quotechar": dialect.quote,
        "encoding": dialect.encoding,
        "decimal": dialect.decimal,
        "na_values": [dialect.null] if dialect.null else None,
        "compression": packed,
    }
    if not layout.header:
        keywords |= {"header": None, "names": list(layout.names)}
    return "read_csv", keywords


def _read_verdict(path: Path) -> CustomVerdict:
    """Read what the function said. It ran in the user's code: anything may be there."""
    if path.is_symlink() or not path.is_file():
        return CustomVerdict(problem="it ended without a verdict")
    try:
        found: Any = json.loads(path.read_bytes()[: 10 * 10**6])
    except (ValueError, RecursionError):
        return CustomVerdict(problem="its verdict is no JSON")
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        return CustomVerdict(problem="it returned neither texts nor mappings")
    return CustomVerdict(findings=tuple(found[:_MOST_FINDINGS]))
