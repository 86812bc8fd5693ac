"""The contract of a project: steps with their ports, pipelines, gates, tracking.

These models say what a project file may hold. Reading files, and errors with file and line, are
the business of `mlvalidate.project`.
"""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PrivateAttr,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from mlvalidate.core.datasets import Dataset, Name
from mlvalidate.core.declared_checks import DeclaredCheck, PipelineCheck, allow_word, read_word
from mlvalidate.core.gates import Gate
from mlvalidate.core.model import Model
from mlvalidate.core.scenarios import Case, Expectation
from mlvalidate.core.units import parse_count, parse_duration, parse_size

# The value of `entry` that runs a script as a program and through its function `main`.
ENTRY_BOTH = "both"
CONTAINER_ROOT = PurePosixPath("/opt/ml")

Duration = Annotated[
    float,
    BeforeValidator(parse_duration),
    WithJsonSchema({"type": ["number", "string"], "examples": ["30s", "10m", "1h30m"]}),
]
Size = Annotated[
    int,
    BeforeValidator(parse_size),
    WithJsonSchema({"type": ["integer", "string"], "examples": ["512MB", "2GB"]}),
]
# The limits of a step that declares none: bytes on disk, processes and threads. A pool of workers
# with threads of their own on a large machine has some thousands.
DISK, PROCESSES = 10 * 10**9, 4000
Count = Annotated[
    int,
    BeforeValidator(parse_count),
    WithJsonSchema({"type": ["integer", "string"], "examples": [50000, "200k", "5M"]}),
]
# What a training job leaves here reaches its consumers as an archive.
_PACKED = {"/opt/ml/model": "model.tar.gz", "/opt/ml/output/data": "output.tar.gz"}
ArgumentValue = bool | int | float | str | None | tuple[bool | int | float | str, ...]


def _text(value: object) -> object:
    """Accept the numbers and booleans that YAML makes of env values such as ``1`` or ``true``."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else value


EnvironmentValue = Annotated[
    str,
    BeforeValidator(_text),
    WithJsonSchema({"type": ["string", "number", "boolean"]}),
]


_VARIABLE_NAME = r"^[A-Za-z_][A-Za-z0-9_]*$"


def _is_variable_name(value: str) -> str:
    if not re.match(_VARIABLE_NAME, value):
        raise ValueError(f"expected the name of a variable, such as HUB_TOKEN, found {value!r}")
    return value


VariableName = Annotated[
    str,
    AfterValidator(_is_variable_name),
    WithJsonSchema({"type": "string", "pattern": _VARIABLE_NAME}),
]


class Kind(StrEnum):
    """How the container would start the script and which paths it would offer."""

    PROCESSING = "processing"
    TRAINING = "training"
    CALLABLE = "callable"
    COMMAND = "command"


class Access(StrEnum):
    """Whether a step may use something of this machine."""

    DENY = "deny"
    ALLOW = "allow"


class Network(StrEnum):
    """Whether a step may use the network; recorded: it may, and the hosts are noted."""

    DENY = "deny"
    ALLOW = "allow"
    RECORD = "record"

    @property
    def is_open(self) -> bool:
        """True when connections leave the sandbox."""
        return self is not Network.DENY


class FileKind(StrEnum):
    """What a file of a port is, where it is no dataset."""

    FILE = "file"
    JSON = "json"
    ARCHIVE = "archive"


class Port(Model):
    """A named input or output of a step."""

    structural: ClassVar[frozenset[str]] = frozenset({"path"})

    path: str | None = Field(default=None, description="Container path, below /opt/ml")
    files: dict[str, str] = Field(
        default_factory=dict,
        description="File name or glob -> dataset, or `file`, `json`, `archive`",
    )
    required: bool = Field(default=True, description="False: the port may stay empty")
    sample: str | None = Field(
        default=None, description="File or folder that stands in for an input nobody produces"
    )
    description: str = ""

    @field_validator("path")
    @classmethod
    def _is_container_path(cls, value: str | None) -> str | None:
        if value is None:
            return None
        path = PurePosixPath(value)
        if not path.is_relative_to(CONTAINER_ROOT) or path == CONTAINER_ROOT or ".." in path.parts:
            raise ValueError("expected a path below /opt/ml, such as /opt/ml/processing/input")
        return str(path)

    @field_validator("files")
    @classmethod
    def _are_relative(cls, value: dict[str, str]) -> dict[str, str]:
        for pattern in value:
            path = PurePosixPath(pattern)
            if path.is_absolute() or ".." in path.parts or not path.parts:
                raise ValueError(f"{pattern!r} must be a file name or glob inside the port")
        return value


class Step(Model):
    """One script with its contract."""

    structural: ClassVar[frozenset[str]] = frozenset({"metrics"})

    kind: Kind = Kind.PROCESSING
    description: str = ""
    script: str | None = Field(default=None, description="Script file, relative to the project")
    module: str | None = Field(default=None, description="Module, run as `python -m` would")
    code_root: str | None = Field(
        default=None, description="Folder from which `module` is importable (default: the project)"
    )
    entry: str = Field(
        default="main",
        description="Function that a callable step calls; `both`: also as a program, and compared",
    )
    command: tuple[str, ...] | None = Field(
        default=None, description="The argv of a command step; {inputs.x} and {outputs.x} are paths"
    )
    args: dict[str, ArgumentValue] | tuple[str, ...] = Field(
        default_factory=dict,
        description="Arguments: name -> value (true: a bare flag, null: left out), or a list",
    )
    hyperparameters: dict[str, Any] = Field(default_factory=dict)
    env: dict[str, EnvironmentValue] = Field(default_factory=dict)
    inputs: dict[Name, Port] = Field(default_factory=dict)
    outputs: dict[Name, Port] = Field(default_factory=dict)
    metrics: dict[Name, str] = Field(
        default_factory=dict, description="Metric -> port/file.json#dotted.path"
    )
    python: str | None = Field(default=None, description="Interpreter that runs this step")
    workdir: str | None = Field(
        default=None,
        description="Folder in which the script starts: `code` (its own folder) or an absolute "
        "path (default: / for a processing script, else code)",
    )
    timeout: Duration | None = None
    memory: Size | None = Field(default=None, description="Limit of the whole process tree")
    disk: Size | None = Field(
        default=None, description="Limit of what the step writes: outputs, /tmp and all else"
    )
    processes: int | None = Field(
        default=None, ge=1, description="Limit of processes and threads at once"
    )
    network: Network | None = None
    volume: Count | None = Field(
        default=None,
        description="Rows of each dataset in production, for which `benchmark` predicts",
    )
    credentials: Access | None = Field(
        default=None, description="allow: pass the AWS environment and ~/.aws on to the script"
    )
    pass_env: tuple[VariableName, ...] = Field(
        default=(), description="Variables of your environment that the script is given, as secrets"
    )
    writes: tuple[str, ...] = Field(
        default=(), description="Folders of this machine that the script may write to, for good"
    )

    checks: tuple[Annotated[DeclaredCheck, BeforeValidator(read_word)], ...] = Field(
        default=(), description="What has to hold of the outputs", json_schema_extra=allow_word
    )
    expect: dict[str, Expectation] = Field(
        default_factory=dict,
        description="Scenario, or scenario.case -> what the step has to do with such data",
    )

    @field_validator("expect")
    @classmethod
    def _names_cases(cls, value: dict[str, Expectation]) -> dict[str, Expectation]:
        for name in value:
            Case.parse(name)
        return value

    @model_validator(mode="after")
    def _has_one_entry_point(self) -> Self:
        if self.kind is Kind.COMMAND:
            if not self.command or self.script or self.module:
                raise ValueError("a command step needs `command`, and neither script nor module")
        elif bool(self.script) == bool(self.module):
            raise ValueError(f"a {self.kind.value} step needs either `script` or `module`")
        elif self.command:
            raise ValueError("`command` is for steps of kind command")
        if self.code_root and not self.module:
            raise ValueError("`code_root` goes with `module`")
        if self.hyperparameters and self.kind is not Kind.TRAINING:
            raise ValueError("`hyperparameters` are for steps of kind training")
        if self.entry == ENTRY_BOTH and self.kind not in (Kind.PROCESSING, Kind.CALLABLE):
            raise ValueError("`entry: both` is for steps of kind processing and callable")
        takes_job_args = self.kind is Kind.CALLABLE or self.entry == ENTRY_BOTH
        if takes_job_args and not isinstance(self.args, dict):
            raise ValueError("a callable step takes `args` as a mapping: they become job_args")
        return self

    @field_validator("workdir")
    @classmethod
    def _is_code_or_absolute(cls, value: str | None) -> str | None:
        if value is not None and value != "code" and not value.startswith("/"):
            raise ValueError("expected `code` or an absolute path such as / or /opt/ml/code")
        return value

    @model_validator(mode="after")
    def _metrics_name_outputs(self) -> Self:
        for metric, source in self.metrics.items():
            file, _, pointer = source.partition("#")
            port, _, name = file.partition("/")
            if not (pointer and name):
                raise ValueError(f"metric {metric!r}: expected port/file.json#dotted.path")
            if port not in self.outputs:
                raise ValueError(f"metric {metric!r}: the step has no output {port!r}")
        return self

    @model_validator(mode="after")
    def _paths_differ(self) -> Self:
        seen: dict[str, str] = {}
        for direction in ("input", "output"):
            for name in getattr(self, f"{direction}s"):
                path = self.container_path(direction, name)
                if path in seen:
                    raise ValueError(f"{direction} {name!r} and {seen[path]} share the path {path}")
                seen[path] = f"{direction} {name!r}"
        return self

    @property
    def function(self) -> str:
        """The function that is called when the script is run through one."""
        return "main" if self.entry == ENTRY_BOTH else self.entry

    @property
    def entry_point(self) -> str:
        """What people call the thing that runs: the script, the module or the command."""
        return self.script or self.module or " ".join(self.command or ())

    def archive_name(self, output: str) -> str | None:
        """Return the archive that SageMaker makes of an output, or None where it makes none."""
        if self.kind is not Kind.TRAINING:
            return None
        return _PACKED.get(self.container_path("output", output))

    def container_path(self, direction: str, port: str) -> str:
        """Return where the port of ``direction`` (``input`` or ``output``) is in the container.

        Undeclared paths are SageMaker's own: /opt/ml/processing/{input,output}/<port>, channels
        below /opt/ml/input/data, and /opt/ml/model and /opt/ml/output/data for a training job.
        """
        declared = (self.inputs if direction == "input" else self.outputs)[port].path
        if declared:
            return declared
        if self.kind is not Kind.TRAINING:
            return f"/opt/ml/processing/{direction}/{port}"
        if direction == "input":
            return f"/opt/ml/input/data/{port}"
        return "/opt/ml/model" if port == "model" else "/opt/ml/output/data"


class Node(Model):
    """A step in a pipeline, perhaps with other arguments, environment or hyperparameters."""

    step: str | None = Field(default=None, description="Step (default: the node's name)")
    args: dict[str, ArgumentValue] = Field(default_factory=dict)
    env: dict[str, EnvironmentValue] = Field(default_factory=dict)
    hyperparameters: dict[str, Any] = Field(default_factory=dict)


def _nodes(value: object) -> object:
    """Accept a list of step names, which may hold mappings, for the mapping that it stands for."""
    if not isinstance(value, list | tuple):
        return value
    nodes: dict[str, object] = {}
    for item in value:
        if not isinstance(item, str | dict):
            raise ValueError("expected the names of steps, or mappings of a name to a node")
        entries = item if isinstance(item, dict) else {item: None}
        for name, node in entries.items():
            if name in nodes:
                raise ValueError(f"node {name!r} is listed twice")
            nodes[name] = node
    return {name: {} if node is None else node for name, node in nodes.items()}


def _allow_list_of_nodes(schema: dict[str, Any]) -> None:
    """Tell JSON Schema what `_nodes` accepts beside the mapping."""
    mapping = dict(schema)
    schema.clear()
    schema["anyOf"] = [{"type": "array", "items": {"type": ["string", "object"]}}, mapping]


class Edge(Model):
    """`consumer.input: producer.output[/subpath]`, taken apart."""

    consumer: str
    input: str
    producer: str
    output: str
    subpath: str = ""

    @classmethod
    def parse(cls, target: str, source: str) -> Edge:
        """Build an edge from the two texts of the project file; ValueError when they are odd."""
        consumer, dot, port = target.partition(".")
        if not (consumer and dot and port):
            raise ValueError(f"expected consumer.input, got {target!r}")
        producer, dot, rest = source.partition(".")
        output, _, subpath = rest.partition("/")
        if not (producer and dot and output):
            raise ValueError(f"expected producer.output or producer.output/folder, got {source!r}")
        if ".." in PurePosixPath(subpath).parts:
            raise ValueError(f"{source!r} leaves the producer's output")
        return cls(
            consumer=consumer,
            input=port,
            producer=producer,
            output=output,
            subpath=subpath.strip("/"),
        )

    @property
    def source(self) -> str:
        """The producing end as text."""
        return f"{self.producer}.{self.output}" + (f"/{self.subpath}" if self.subpath else "")


class Pipeline(Model):
    """Nodes and the edges between them."""

    description: str = ""
    nodes: Annotated[dict[Name, Node], BeforeValidator(_nodes)] = Field(
        min_length=1, json_schema_extra=_allow_list_of_nodes
    )
    edges: dict[str, str] = Field(default_factory=dict)

    checks: tuple[PipelineCheck, ...] = Field(
        default=(), description="What has to hold between the steps"
    )

    def step_of(self, node: str) -> str:
        """Return the name of the step that the node runs."""
        return self.nodes[node].step or node

    def parsed_edges(self) -> tuple[Edge, ...]:
        """Return the edges, taken apart; ValueError when one is malformed."""
        return tuple(Edge.parse(target, source) for target, source in self.edges.items())


class Tracking(Model):
    """Where runs are recorded. MLFLOW_TRACKING_URI wins over `uri`."""

    uri: str | None = Field(
        default=None, description="MLflow tracking URI (default: .mlvalidate/mlflow.db)"
    )
    experiment: str | None = Field(default=None, description="Default: the project's name")


class CacheSettings(Model):
    """What is kept of steps that passed, so that they need not run again."""

    limit: Size = Field(
        default=5 * 10**9, description="Size of the cache; what was not used longest goes first"
    )


class Reports(StrEnum):
    """Of which steps Evidently's reports are rendered: failed ones have an error or a warning."""

    ALL = "all"
    FAILED = "failed"
    NONE = "none"


class Defaults(Model):
    """What holds for every step that does not say otherwise."""

    python: str | None = Field(
        default=None, description="Interpreter (default: the one that runs mlvalidate)"
    )
    timeout: Duration = 600.0
    memory: Size = 2 * 10**9
    disk: Size = Field(
        default=DISK, description="Limit of what a step writes: outputs, /tmp and all else"
    )
    processes: int = Field(
        default=PROCESSES, ge=1, description="Limit of a step's processes and threads at once"
    )
    network: Network = Network.DENY
    credentials: Access = Access.DENY
    env: dict[str, EnvironmentValue] = Field(default_factory=dict)
    pass_env: tuple[VariableName, ...] = Field(
        default=(), description="Variables of your environment that every script is given"
    )
    seed: int = Field(default=0, ge=0, description="Seed of the synthetic data")
    log_limit: Size = Field(
        default=10 * 10**6, description="Bytes kept of stdout and of stderr, head and tail"
    )
    reports: Reports = Field(
        default=Reports.ALL,
        description="Of which steps reports are rendered; MLVALIDATE_REPORTS and --reports win",
    )
    report_columns: int = Field(
        default=60, ge=1, description="Columns that the reports of a run show, all together"
    )


class Project(Model):
    """A whole `mlvalidate.yaml`."""

    version: Literal[1] = Field(description="Version of this format")
    project: Name
    description: str = ""
    tracking: Tracking = Tracking()
    defaults: Defaults = Defaults()
    cache: CacheSettings = CacheSettings()
    datasets: dict[Name, Dataset] = Field(default_factory=dict)
    steps: dict[Name, Step] = Field(min_length=1)
    pipelines: dict[Name, Pipeline] = Field(default_factory=dict)
    gates: tuple[str, ...] = ()

    # The folder of the project file. Not part of the format: the loader sets it.
    _root: Path = PrivateAttr(default_factory=Path.cwd)

    @property
    def root(self) -> Path:
        """The project's folder, absolute."""
        return self._root

    def at(self, root: Path) -> Project:
        """Return this project, placed in ``root``."""
        self._root = root
        return self

    def path(self, declared: str) -> Path:
        """Return the absolute path of something that the project file names."""
        return self.root / declared

    @property
    def state_folder(self) -> Path:
        """The folder that holds runs, the default MLflow store and caches."""
        return self.root / ".mlvalidate"

    @property
    def cache_folder(self) -> Path:
        """The folder that holds what is kept of steps that passed."""
        return self.state_folder / "cache"

    @property
    def parsed_gates(self) -> tuple[Gate, ...]:
        """The gates, taken apart."""
        return tuple(Gate.parse(text) for text in self.gates)
