"""Advice on a crashed script: what to do next, and which step is to blame.

Each rule looks at the exception and returns an `Advice`, or None when it has nothing to say. The
first rule that speaks wins. To add one, write the function and put it into `_RULES`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from mlvalidate.checks.evidence import Evidence
from mlvalidate.checks.traceback import PythonError
from mlvalidate.core.suggest import did_you_mean, nearest


@dataclass(frozen=True)
class Advice:
    """A hint, and what it found out: the port and column it is about, the producer to blame."""

    hint: str = ""
    port: str | None = None
    column: str | None = None
    blame: str | None = None


def advise(evidence: Evidence) -> Advice:
    """Return advice on a script that failed; empty when no rule knows better."""
    error = evidence.error
    if error is None:
        return _on_usage(evidence) or Advice()
    for rule in _RULES:
        advice = rule(error, evidence)
        if advice is not None:
            return advice
    return Advice()


def _on_usage(evidence: Evidence) -> Advice | None:
    """Argparse ends with exit code 2 and a usage text instead of a traceback."""
    match = re.search(r"^.*error: (.*)$", evidence.stderr, re.MULTILINE)
    if evidence.outcome.exit_code != 2 or match is None:
        return None
    return Advice(f"correct `args` of step {evidence.planned.step_name}: {match[1]}")


def _missing_environment(error: PythonError, evidence: Evidence) -> Advice | None:
    if error.type != "KeyError" or not error.frames:
        return None
    last = error.frames[-1].file
    if not (last.endswith("/os.py") or last == "<frozen os>"):
        return None
    name = error.message.strip("'\"")
    known = sorted(evidence.planned.env)
    suggestion = did_you_mean(name, known) if nearest(name, known) else ""
    return Advice(
        f"the variable {name} is not set: add it to `env` of step {evidence.planned.step_name}"
        + (f"; {suggestion}" if suggestion else "")
    )


_COLUMN_MESSAGES = (
    r"^['\"](?P<one>[^'\"]+)['\"]$",
    r"^\(?['\"](?P<list>.*)['\"],?\)? not in index",
    r"None of \[Index\(\[(?P<names>.*?)\]",
    r"\[(?P<names>.*?)\] not (?:in index|found in axis)",
    r"columns expected but not found: \[(?P<names>.*?)\]",
    r"Missing column provided to 'parse_dates': (?P<names>.*)$",
    r"'DataFrame' object has no attribute '(?P<one>[^']+)'",
    r"Feature names seen at fit time, yet now missing:\s*(?P<lines>(?:- .*\n?)+)",
    r"columns are missing: \{(?P<names>.*?)\}",
)


def _missing_names(error: PythonError) -> list[str]:
    """Return the columns that pandas or scikit-learn says it did not find."""
    if error.type not in ("KeyError", "ValueError", "AttributeError", "InvalidIndexError"):
        return []
    message = error.message
    if error.type == "KeyError" and len(message) > 2 and message[0] == message[-1] == '"':
        message = message[1:-1]
    for pattern in _COLUMN_MESSAGES:
        found = re.search(pattern, message)
        if found is None:
            continue
        groups = {name: text for name, text in found.groupdict().items() if text}
        if "one" in groups and error.type != "ValueError":
            return [groups["one"]]
        if "names" in groups:
            quoted = re.findall(r"['\"]([^'\"]+)['\"]", groups["names"])
            return quoted or [name.strip() for name in groups["names"].split(",")]
        if "lines" in groups:
            return [line[2:].strip() for line in groups["lines"].splitlines()]
    return []


def _missing_column(error: PythonError, evidence: Evidence) -> Advice | None:
    """Say which input lacks the column, and blame the step that should have written it."""
    tables = list(_input_columns(evidence))
    absent = [
        name
        for name in _missing_names(error)
        if tables and not any(name in columns for _, _, columns in tables)
    ]
    if not absent:
        return None
    name = absent[0]
    # The table that comes nearest is the one that the script meant.
    port, file, columns = max(tables, key=lambda table: bool(nearest(name, table[2])))
    close = nearest(name, columns)
    expected = _declares(evidence, port, name)
    if len(tables) > 1 and not close and not expected:
        where = "no input has"
        return Advice(f"{where} a column {name!r}", column=name)
    producer = evidence.producer_of(port)
    suggestion = did_you_mean(name, columns)
    source = f"{file}, which {producer} wrote," if producer else file
    return Advice(
        f"{source} has no column {name!r}" + (f": {suggestion}" if suggestion else ""),
        port=port,
        column=name,
        blame=producer if producer and (close or expected) else None,
    )


def _input_columns(evidence: Evidence) -> Iterator[tuple[str, str, list[str]]]:
    """Yield (port, file, columns) of every table that the step was given."""
    for port in evidence.inputs:
        for file in port.files:
            if file.columns is not None:
                yield port.port, file.name, list(file.columns)


def _declares(evidence: Evidence, port: str, column: str) -> bool:
    """Tell whether the dataset that the input declares has the column."""
    for item in evidence.inputs:
        if item.port == port:
            return any(column in file.declared_columns for file in item.files)
    return False


def _missing_module(error: PythonError, evidence: Evidence) -> Advice | None:
    if error.type not in ("ModuleNotFoundError", "ImportError"):
        return None
    match = re.search(r"No module named '([^']+)'", error.message)
    if match is None:
        return None
    module = match[1].partition(".")[0]
    installed_by_script = any(
        note.kind == "pip" and module in note.detail.replace("-", "_") for note in evidence.notes
    )
    code = f"`module:` with `code_root:` makes {module} importable if it is your own package"
    if "attempted relative import" in error.message:
        return Advice(code)
    install = f"install {module} into {evidence.planned.python}"
    if installed_by_script:
        return Advice(f"{install}: the script's own installation of it is not executed")
    return Advice(f"{install}, or name another interpreter in `python:`; {code}")


def _relative_import(error: PythonError, _evidence: Evidence) -> Advice | None:
    if error.type != "ImportError" or "relative import" not in error.message:
        return None
    return Advice("run it as a module: `module: package.name` with `code_root:` instead of script")


def _missing_file(error: PythonError, evidence: Evidence) -> Advice | None:
    if error.type not in ("FileNotFoundError", "NotADirectoryError", "IsADirectoryError"):
        return None
    match = re.search(r"'([^']+)'\s*$", error.message.splitlines()[0] if error.message else "")
    if match is None:
        return None
    return _on_path(match[1], evidence)


def _on_path(path: str, evidence: Evidence) -> Advice | None:
    step = evidence.planned.step
    inputs = {item.container_path: item for item in evidence.planned.inputs}
    for container_path in sorted(inputs, key=len, reverse=True):
        if path == container_path or path.startswith(container_path + "/"):
            item = inputs[container_path]
            held = [f.name for p in evidence.inputs if p.port == item.port for f in p.files]
            name = path[len(container_path) + 1 :]
            suggestion = did_you_mean(name, held) or "it is empty"
            return Advice(
                f"input {item.port} ({item.description}) has no {name!r}: {suggestion}",
                port=item.port,
            )
    outputs = [step.container_path("output", name) for name in step.outputs]
    if path.startswith("/opt/ml/"):
        ports = [*inputs, *outputs]
        return Advice(
            f"no port of the step is at {path}; ports are at {', '.join(ports) or 'no path'}"
        )
    return Advice(
        f"{path} is not part of the container: declare an input for it, or put it beside the script"
    )


def _read_only(error: PythonError, evidence: Evidence) -> Advice | None:
    if error.type not in ("OSError", "PermissionError") or (
        "Read-only file system" not in error.message and "Permission denied" not in error.message
    ):
        return None
    outputs = [
        evidence.planned.step.container_path("output", n) for n in evidence.planned.step.outputs
    ]
    return Advice(f"write below {', '.join(outputs) or '/tmp'}, or to /tmp")


def _no_credentials(error: PythonError, evidence: Evidence) -> Advice | None:
    if error.type not in ("NoCredentialsError", "NoRegionError", "EndpointConnectionError"):
        return None
    return Advice(
        "steps have no AWS credentials and no network unless `credentials: allow` and "
        f"`network: allow` stand in step {evidence.planned.step_name}"
    )


def _no_network(error: PythonError, evidence: Evidence) -> Advice | None:
    refused = any(note.kind == "network" for note in evidence.notes)
    if not refused or evidence.planned.network.value == "allow":
        return None
    if error.type not in (
        "gaierror", "ConnectionError", "URLError", "ConnectTimeout", "ConnectError", "OSError",
        "NewConnectionError", "MaxRetryError", "ProxyError", "SSLError",
    ):  # fmt: skip
        return None
    return Advice(f"the network is refused: set `network: allow` in {evidence.planned.step_name}")


def _encoding(error: PythonError, _evidence: Evidence) -> Advice | None:
    if error.type != "UnicodeDecodeError":
        return None
    return Advice("the file is not UTF-8, or is no text file: name its encoding when reading it")


def _json_numbers(error: PythonError, _evidence: Evidence) -> Advice | None:
    match = re.search(r"Object of type (\w+) is not JSON serializable", error.message)
    if error.type != "TypeError" or match is None:
        return None
    return Advice(f"convert the {match[1]} first: float(x), int(x), str(x) or x.tolist()")


def _memory(error: PythonError, evidence: Evidence) -> Advice | None:
    if error.type not in ("MemoryError", "_ArrayMemoryError"):
        return None
    return Advice(
        f"an allocation failed: `memory` of step {evidence.planned.step_name}, or smaller"
    )


Rule = Callable[[PythonError, Evidence], Advice | None]

_RULES: tuple[Rule, ...] = (
    _missing_environment,
    _missing_column,
    _relative_import,
    _missing_module,
    _missing_file,
    _no_network,
    _no_credentials,
    _read_only,
    _encoding,
    _json_numbers,
    _memory,
)
