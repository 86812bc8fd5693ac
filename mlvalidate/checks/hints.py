"""Advice on a crashed script: what to do next, and which step is to blame.

Each rule looks at the exception and returns an `Advice`, or None when it has nothing to say. The
first rule that speaks wins. To add one, write the function and put it into `_RULES`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from mlvalidate.checks.base import join_names
from mlvalidate.checks.evidence import Evidence
from mlvalidate.checks.traceback import PythonError
from mlvalidate.core.contracts import Access
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
    while error is not None:
        for rule in _RULES:
            advice = rule(error, evidence)
            if advice is not None:
                return advice
        error = error.cause
    return Advice()


def _on_usage(evidence: Evidence) -> Advice | None:
    """Argparse and click end with exit code 2 and a usage text instead of a traceback."""
    found = re.findall(r"^(?:.*: )?error: (.*)$", evidence.stderr, re.MULTILINE | re.IGNORECASE)
    if evidence.outcome.exit_code != 2 or "usage:" not in evidence.stderr.lower() or not found:
        return None
    return Advice(f"correct `args` of step {evidence.planned.step_name}: {found[-1]}")


def _missing_environment(error: PythonError, evidence: Evidence) -> Advice | None:
    if error.type != "KeyError" or not error.frames:
        return None
    last = error.frames[-1].file
    if not (last.endswith("/os.py") or last == "<frozen os>"):
        return None
    name = error.message.strip("'\"")
    step = evidence.planned.step_name
    if name.startswith("SM_CHANNEL_"):
        channel = name.removeprefix("SM_CHANNEL_").lower()
        return Advice(f"step {step} has no input {channel!r}: declare it in `inputs`")
    if name.startswith("SM_HP_"):
        parameter = name.removeprefix("SM_HP_").lower()
        return Advice(f"step {step} has no hyperparameter {parameter!r}: declare it")
    known = sorted(evidence.planned.env)
    suggestion = did_you_mean(name, known) if nearest(name, known) else ""
    return Advice(
        f"the variable {name} is not set: add it to `env` of step {step}"
        + (f"; {suggestion}" if suggestion else "")
    )


# What pandas, pyarrow and scikit-learn say about columns that they did not find.
_COLUMN_MESSAGES = (
    r"None of (?:\[Index\()?\[(?P<names>['\"].*?)\]",
    r"^(?:Index\()?\[(?P<names>['\"].*?)\]",
    r"^Label\(s\) \[(?P<names>.*?)\] do not exist",
    r"not present in the DataFrame: \[(?P<names>.*?)\]",
    r"expected but not found: \[(?P<names>.*?)\]",
    r"^Columns? not found: (?P<names>.*)",
    r"in a dtype mappings argument\. (?P<names>.*?) not found in columns",
    r"Missing column provided to 'parse_dates': '(?P<names>.*)'",
    r"^Index (?P<names>\w+) invalid$",
    r"^No match for FieldRef\.Name\((?P<names>.*?)\)",
    r"'(?:DataFrame|Series|Pandas)' object has no attribute (?P<names>'[^']+')",
    r"Feature names seen at fit time, yet now missing:\s*(?P<lines>(?:- .*\n?)+)",
    r"columns (?:are missing|of the dataframe): \{(?P<names>.*?)\}",
)
# Libraries that speak of columns when they raise a bare KeyError.
_TABLE_LIBRARIES = re.compile(r"/site-packages/(?:pandas|polars|pyarrow|sklearn|dask)/")


def _missing_names(error: PythonError) -> list[str]:
    """Return the columns that pandas, pyarrow or scikit-learn says it did not find."""
    if error.type == "UndefinedVariableError":
        return re.findall(r"^name '(.+)' is not defined", error.message)
    if error.type not in ("KeyError", "ValueError", "AttributeError", "ArrowInvalid"):
        return []
    message = error.message
    if error.type == "KeyError":
        message = str(_literal(message))
    for pattern in _COLUMN_MESSAGES:
        found = re.search(pattern, message)
        if found is None:
            continue
        groups = found.groupdict()
        if groups.get("lines"):
            return [line[2:].strip() for line in groups["lines"].splitlines()]
        quoted = re.findall(r"['\"]([^'\"]+)['\"]", groups["names"])
        return quoted or [name.strip() for name in groups["names"].split(",")]
    return [message] if error.type == "KeyError" else []


def _literal(text: str) -> object:
    """Return the value that Python wrote as ``text``, or the text where it is no literal."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return text


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
    # The table that should have it, or comes nearest, is the one that the script meant.
    port, file, columns = max(
        tables,
        key=lambda table: (_declares(evidence, table[0], name), bool(nearest(name, table[2]))),
    )
    expected = _declares(evidence, port, name)
    if not expected and not nearest(name, columns):
        if not _speaks_of_columns(error):
            return None
        if len(tables) > 1:
            return Advice(f"no input has a column {name!r}", column=name)
    producer = evidence.producer_of(port)
    suggestion = did_you_mean(name, columns)
    source = f"{file}, which {producer} wrote," if producer else file
    # Where a contract says what the table holds, a column that it does not name is not owed.
    owed = expected or (nearest(name, columns) and not _is_declared(evidence, port))
    return Advice(
        f"{source} has no column {name!r}" + (f": {suggestion}" if suggestion else ""),
        port=port,
        column=name,
        blame=producer if owed else None,
    )


def _speaks_of_columns(error: PythonError) -> bool:
    """Tell a library's complaint about a table from a dict or attribute of the script's own."""
    return (
        error.type != "AttributeError"
        and bool(error.frames)
        and _TABLE_LIBRARIES.search(error.frames[-1].file) is not None
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


def _is_declared(evidence: Evidence, port: str) -> bool:
    """Tell whether a dataset says which columns the input has."""
    return any(
        file.declared_columns
        for item in evidence.inputs
        if item.port == port
        for file in item.files
    )


def _missing_module(error: PythonError, evidence: Evidence) -> Advice | None:
    if error.type not in ("ModuleNotFoundError", "ImportError"):
        return None
    python = evidence.planned.python
    lacking = re.search(
        r"cannot import name '([^']+)' from '([^']+)' \(.*-packages/", error.message
    )
    if lacking:
        return Advice(
            f"{lacking[2]} in {python} has no {lacking[1]}: it is another version than the "
            "container's"
        )
    match = re.search(r"No module named '([^']+)'", error.message)
    if match is None:
        return None
    package, _, submodule = match[1].rpartition(".")
    if package:
        return Advice(f"{package} is there, but has no {submodule}: another version, or a namesake")
    installed_by_script = any(
        note.kind == "pip" and submodule in note.detail.replace("-", "_") for note in evidence.notes
    )
    install = f"install {submodule} into {python}"
    if installed_by_script:
        return Advice(f"{install}: the script's own installation of it is not executed")
    return Advice(
        f"{install}, or name another interpreter in `python:`; `module:` with `code_root:` makes "
        f"{submodule} importable if it is your own package"
    )


def _relative_import(error: PythonError, _evidence: Evidence) -> Advice | None:
    if error.type != "ImportError" or "relative import" not in error.message:
        return None
    return Advice("run it as a module: `module: package.name` with `code_root:` instead of script")


def _missing_file(error: PythonError, evidence: Evidence) -> Advice | None:
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


def _read_only(error: PythonError, evidence: Evidence) -> Advice | None:
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


def _cross_device(error: PythonError, _evidence: Evidence) -> Advice | None:
    if "Invalid cross-device link" not in error.message:
        return None
    return Advice(
        "inputs are separate layers here, so os.rename can't move a file from an input to an "
        "output: shutil.move can, here and in SageMaker"
    )


def _no_credentials(error: PythonError, evidence: Evidence) -> Advice | None:
    planned = evidence.planned
    if error.type == "NoRegionError":
        return Advice(f"set AWS_DEFAULT_REGION in `env` of step {planned.step_name}")
    if error.type not in (
        "NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError",
        "ProfileNotFound", "EndpointConnectionError",
    ):  # fmt: skip
        return None
    missing = [
        f"`{name}: allow`"
        for name, access in (("credentials", planned.credentials), ("network", planned.network))
        if access == Access.DENY
    ]
    if not missing:
        return Advice("the step may use AWS, but this machine has no access to it: try `aws sts`")
    return Advice(
        f"steps have no AWS credentials and no network unless {' and '.join(missing)} stands in "
        f"step {planned.step_name}"
    )


_NETWORK_ERRORS = re.compile(
    r"\b(?:Network is unreachable|Name or service not known|[Nn]ame resolution|Failed to resolve"
    r"|Max retries exceeded|Connection refused|Cannot connect to host|timed out)\b"
)


def _no_network(error: PythonError, evidence: Evidence) -> Advice | None:
    refused = any(note.kind == "network" for note in evidence.notes)
    if not refused or evidence.planned.network.is_open:
        return None
    if not _NETWORK_ERRORS.search(error.message):
        return None
    return Advice(
        f"the network is refused: set `network: allow` in step {evidence.planned.step_name}"
    )


def _encoding(error: PythonError, _evidence: Evidence) -> Advice | None:
    if error.type != "UnicodeDecodeError":
        return None
    return Advice("the file is not UTF-8, or is no text file: name its encoding when reading it")


def _json_numbers(error: PythonError, _evidence: Evidence) -> Advice | None:
    match = re.search(
        r"Object of type (\w+) is not JSON serializable|keys must be str, .*, not ([\w.]+)",
        error.message,
    )
    if error.type != "TypeError" or match is None:
        return None
    name = match[1] or match[2]
    how = {"ndarray": "x.tolist()", "Series": "x.to_dict()", "DataFrame": "x.to_dict('records')"}
    return Advice(f"convert the {name} first: {how.get(name, 'float(x), int(x) or str(x)')}")


def _memory(error: PythonError, evidence: Evidence) -> Advice | None:
    if error.type not in ("MemoryError", "_ArrayMemoryError"):
        return None
    return Advice(
        f"an allocation failed: raise `memory` of step {evidence.planned.step_name}, or read the "
        "data in chunks"
    )


def _no_space(error: PythonError, evidence: Evidence) -> Advice | None:
    if "No space left on device" not in error.message:
        return None
    return Advice(
        "folders that a script makes in `/`, and /dev/shm, are in memory and hold no more than "
        f"`memory` of step {evidence.planned.step_name}: raise it, or write to an output or to /tmp"
    )


def _no_process(error: PythonError, evidence: Evidence) -> Advice | None:
    if error.type != "BlockingIOError" and "can't start new thread" not in error.message:
        return None
    return Advice(
        f"the step may have {evidence.planned.processes} processes and threads: raise `processes` "
        f"of step {evidence.planned.step_name} if it needs more"
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
    _cross_device,
    _encoding,
    _json_numbers,
    _memory,
    _no_space,
    _no_process,
)
