"""Files that are not there, and places that can't be written to."""

from __future__ import annotations

import re

from mlvalidate.checks.base import join_names
from mlvalidate.checks.evidence import Evidence
from mlvalidate.checks.hints.advice import Advice
from mlvalidate.checks.traceback import PythonError
from mlvalidate.core.suggest import did_you_mean


def missing_file(error: PythonError, evidence: Evidence) -> Advice | None:
    """Say to which port a missing path belongs and what is there, with the nearest name."""
    says_so = "non-existent directory" in error.message  # how pandas puts it, in an OSError
    if not says_so and error.type not in (
        "FileNotFoundError", "NotADirectoryError", "IsADirectoryError",
    ):  # fmt: skip
        return None
    # Of two paths (rename, copy) the first is the one that is read.
    match = re.search(r"'([^']+)'", error.message.partition("\n")[0])
    if match is None:
        return None
    if error.frames and error.frames[-1].function == "_execute_child":
        return Advice(f"the program {match[1]} is not on this machine, or not on the script's PATH")
    return _on_path(match[1], evidence)


def _on_path(path: str, evidence: Evidence) -> Advice | None:
    inputs = {item.container_path: item for item in evidence.planned.inputs}
    for container_path in sorted(inputs, key=len, reverse=True):
        if _is_below(path, container_path):
            item = inputs[container_path]
            held = [f.name for p in evidence.inputs if p.port == item.port for f in p.files]
            what = f"input {item.port} ({item.description})"
            name = path[len(container_path) + 1 :]
            if not name:
                there = join_names(held) or "nothing"
                return Advice(f"{what} is a folder; in it there is {there}", port=item.port)
            if name in held:
                return Advice(f"{what} had {name!r} when the script started", port=item.port)
            there = did_you_mean(name, held) or f"there is {join_names(held)}"
            there = there if held else "it is empty"
            return Advice(f"{what} has no {name!r}: {there}", port=item.port)
    outputs = _output_paths(evidence)
    for container_path in outputs:
        if _is_below(path, container_path):
            return Advice(f"make the folder first: os.makedirs(..., exist_ok=True) for {path}")
    if _is_below(path, "/opt/ml"):
        ports = ", ".join([*inputs, *outputs]) or "no path"
        return Advice(f"no port of the step is at {path}; ports are at {ports}")
    return Advice(
        f"{path} is not part of the container: declare an input for it, or put it beside the script"
    )


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder + "/")


def _output_paths(evidence: Evidence) -> list[str]:
    step = evidence.planned.step
    return [step.container_path("output", name) for name in step.outputs]


def read_only(error: PythonError, evidence: Evidence) -> Advice | None:
    """Say where the script may write."""
    if error.type not in ("OSError", "PermissionError") or (
        "Read-only file system" not in error.message and "Permission denied" not in error.message
    ):
        return None
    outputs = _output_paths(evidence)
    if evidence.outcome.read_only:
        return Advice(
            f"{join_names(evidence.outcome.read_only)} is read-only here, because something is "
            "mounted in it: take the mount out of it, or write to an output"
        )
    return Advice(f"write below {join_names(outputs)}, or to /tmp" if outputs else "write to /tmp")


def cross_device(error: PythonError, _evidence: Evidence) -> Advice | None:
    """Say how to move a file from an input to an output."""
    if "Invalid cross-device link" not in error.message:
        return None
    return Advice(
        "inputs are separate layers here, so os.rename can't move a file from an input to an "
        "output: shutil.move can, here and in SageMaker"
    )
