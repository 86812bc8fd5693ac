"""Runs check functions of the user's, in the step's interpreter and sandbox."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlvalidate.checks.evidence import CustomVerdict
from mlvalidate.checks.traceback import parse_python_error
from mlvalidate.core.contracts import Kind, Port
from mlvalidate.core.execution import Outcome
from mlvalidate.core.plan import Origin, PlannedInput, PlannedStep
from mlvalidate.core.run_folder import StepFolder
from mlvalidate.engine.container import Paths, make_folders, make_start
from mlvalidate.engine.execution import Run, execute, open_logs, read_tail

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
    _write_call(paths, function, run.project.root, inputs, outputs)
    start = make_start(paths, run.project.root)
    logs = open_logs(folder, run)
    outcome: Outcome | None = None
    try:
        for item in execute(run, paths, start, sources, logs):
            if isinstance(item, Outcome):
                outcome = item
    finally:
        for log in logs.values():
            log.close()
    assert outcome is not None
    if outcome.succeeded:
        return _read_verdict(folder.harness / "found.json")
    error = parse_python_error(read_tail(folder.stderr))
    reason = f"{error.type}: {error.message}" if error else f"exit code {outcome.exit_code}"
    return CustomVerdict(
        problem=f"it can't be run: {reason} (see {os.path.relpath(folder.stderr)})"
    )


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
    root: Path,
    inputs: Mapping[str, Path],
    outputs: Mapping[str, Path],
) -> None:
    def folders(direction: str, ports: Mapping[str, Path]) -> dict[str, str]:
        return {name: paths.locate(f"{_FOLDER}/{direction}/{name}") for name in ports}

    call = {
        "function": function,
        "root": str(root),
        "inputs": folders("inputs", inputs),
        "outputs": folders("outputs", outputs),
        "result": f"{paths.harness}/found.json",
    }
    (paths.folder.harness / "check.json").write_text(json.dumps(call))


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
