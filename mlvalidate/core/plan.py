"""The plan: what will run, on what, in which order; what is skipped, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from itertools import zip_longest
from pathlib import Path
from typing import Literal

from mlvalidate.core.benchmarks import ProfileKind
from mlvalidate.core.contracts import DISK, PROCESSES, Access, Network, Reports, Step
from mlvalidate.core.model import Model
from mlvalidate.core.reuse import Part, PlannedReuse, ReusePolicy
from mlvalidate.core.scenarios import STANDARD, Case, Expectation
from mlvalidate.core.secrets import Redactor

# A matrix is a test of one step on several cases, a benchmark runs one on several volumes.
RunKind = Literal["script", "pipeline", "matrix", "benchmark"]


class DataSource(StrEnum):
    """Where the inputs come from that no step produces."""

    SYNTHETIC = "synthetic"
    SAMPLE = "sample"


class Entry(StrEnum):
    """How a script is started that can be run as a program and through a function."""

    SCRIPT = "script"
    MAIN = "main"
    BOTH = "both"


class SandboxChoice(StrEnum):
    """Whether steps run in a sandbox: where this machine has one, or never."""

    AUTO = "auto"
    NONE = "none"


class Origin(StrEnum):
    """Where one input of one node comes from."""

    EDGE = "edge"
    SYNTHETIC = "synthetic"
    SAMPLE = "sample"
    FOLDER = "folder"
    ABSENT = "absent"


class SkipReason(StrEnum):
    """Why a node did not run."""

    UPSTREAM_FAILED = "upstream-failed"
    UPSTREAM_SKIPPED = "upstream-skipped"
    UPSTREAM_REJECTED = "upstream-rejected"
    NOT_APPLICABLE = "not-applicable"
    SMALLER_FAILED = "smaller-failed"
    NOT_SELECTED = "not-selected"
    INTERRUPTED = "interrupted"


class ColdReason(StrEnum):
    """Why a script starts in a new interpreter and not as a fork of one that is ready."""

    ASKED = "asked-for"
    COMMAND = "command"
    NO_SANDBOX = "no-sandbox"
    NETWORK = "network"
    # A variable of the step, or one that the script sets, that interpreters or libraries read
    # before the script could.
    ENVIRONMENT = "environment"
    # The script is no plain .py file.
    FILE = "file"
    # A module that the script imports does not survive a fork, or has to be imported by the script.
    MODULE = "module"
    # The project has a module with the name of one that is imported already.
    SHADOWED = "shadowed"
    # A profiler has to be there before everything else.
    PROFILE = "profile"
    # No server was started for what the script imports, or it has ended.
    NO_SERVER = "no-server"


class ColdStart(Model):
    """Why one script starts cold; ``detail`` names what it is about, such as a variable."""

    reason: ColdReason
    detail: str = ""

    @property
    def description(self) -> str:
        """One short text for people."""
        return _COLD_TEXTS[self.reason].format(self.detail).strip()


_COLD_TEXTS = {
    ColdReason.ASKED: "as asked for",
    ColdReason.COMMAND: "a command is no Python script",
    ColdReason.NO_SANDBOX: "there is no sandbox",
    ColdReason.NETWORK: "it may use the network",
    ColdReason.ENVIRONMENT: "{} is read before the script begins",
    ColdReason.FILE: "{} is no plain .py file",
    ColdReason.MODULE: "{}",
    ColdReason.SHADOWED: "the project has a module of its own named {}",
    ColdReason.PROFILE: "a profiler sees its imports, too",
    ColdReason.NO_SERVER: "no interpreter was ready: {}",
}


class FileToMake(Model):
    """One file of an input: its name in the port, and its dataset or the file to take it from."""

    name: str
    dataset: str = ""
    # Which part of the dataset's rows, of how many.
    part: int = 0
    parts: int = 1
    copied_from: Path | None = None


class PlannedInput(Model):
    """Where the content of one input port comes from.

    ``producer``, ``output`` and ``subpath`` are set for an edge, ``files`` for files to generate
    or to copy, ``folder`` (absolute) for a folder that is used as it is.
    """

    port: str
    container_path: str
    origin: Origin
    producer: str = ""
    output: str = ""
    subpath: str = ""
    files: tuple[FileToMake, ...] = ()
    folder: Path | None = None

    @property
    def description(self) -> str:
        """One short text for people."""
        if self.origin is Origin.EDGE:
            return f"{self.producer}.{self.output}" + (f"/{self.subpath}" if self.subpath else "")
        if self.origin is Origin.SYNTHETIC:
            return "synthetic " + ", ".join(dict.fromkeys(file.dataset for file in self.files))
        if self.origin is Origin.ABSENT:
            return "left empty (optional)"
        places = [self.folder] if self.folder else [file.copied_from for file in self.files]
        return f"{self.origin.value} " + ", ".join(map(str, places))


class PlannedCase(Model):
    """On what data a node runs, and what it is expected to do with it.

    ``datasets`` are those that are shaped; without any the node only gets what comes of it.
    ``not_applicable`` says why there is nothing to shape.
    """

    case: Case = STANDARD
    expectation: Expectation = Expectation.PASS
    datasets: tuple[str, ...] = ()
    not_applicable: str = ""


class PlannedStep(Model):
    """A node with everything that is needed to run it, merged and resolved."""

    node: str
    step_name: str
    step: Step
    inputs: tuple[PlannedInput, ...]
    python: Path
    timeout: float
    memory: int
    network: Network
    credentials: Access
    env: dict[str, str]
    # Runs recorded by older versions lack these.
    disk: int = DISK
    processes: int = PROCESSES
    # Names only: values are taken when the script starts, and kept nowhere.
    pass_env: tuple[str, ...] = ()
    # Folders of this machine, absolute, without links.
    writes: tuple[Path, ...] = ()
    on: PlannedCase = PlannedCase()
    # Of a measurement: the rows of each synthetic dataset, where the plan's do not hold.
    rows: int | None = None
    # Runs under a profiler: it is no measurement.
    profile: ProfileKind | None = None
    # What the user would type to run this node alone, where that is not the plan's command.
    command: str = ""
    part: Part = Part.RUN
    # Only where a plan is shown: whether the node would run.
    reuse: PlannedReuse | None = None
    # Why the script starts in a new interpreter, as far as that is known before it runs.
    cold: ColdStart | None = None

    @property
    def depends_on(self) -> tuple[str, ...]:
        """The nodes whose outputs this node reads, each once, in the order of the ports."""
        return tuple(
            dict.fromkeys(item.producer for item in self.inputs if item.origin is Origin.EDGE)
        )


class Plan(Model):
    """A run, resolved: the same plan is shown by ``--dry-run`` and executed."""

    kind: RunKind
    name: str
    project: str
    root: Path
    steps: tuple[PlannedStep, ...]
    data_source: DataSource
    # The case, or what the cases of a matrix were asked for as.
    scenario: str = "standard"
    seed: int
    rows: int | None = None
    log_limit: int
    # Which steps get reports, and how many columns they show at most, all of them together.
    reports: Reports = Reports.NONE
    report_columns: int = 60
    # What the user would type to get this plan again.
    command: str
    # How many small inputs are tried before.
    explore: int | None = None
    reuse: ReusePolicy = ReusePolicy()
    # What a reader of the result has to know about how the plan came about.
    notes: tuple[str, ...] = ()
    # Why steps run by path mapping, in the open; empty when they run in a sandbox.
    sandbox_refusal: str = ""

    def settings(self) -> Iterator[dict[str, str]]:
        """Yield whatever the steps are given by name and value: any of it may be a secret."""
        for planned in self.steps:
            step = planned.step
            args = step.args if isinstance(step.args, dict) else _named_words(step.args)
            for values in (
                planned.env,
                args,
                _named_words(step.command or ()),
                step.hyperparameters,
            ):
                yield {name: value for name, value in values.items() if isinstance(value, str)}

    @property
    def rendered(self) -> Reports:
        """Of which steps reports are rendered. Those of a matrix would be dozens."""
        return Reports.NONE if self.kind == "matrix" else self.reports

    def redactor(self, environ: Mapping[str, str]) -> Redactor:
        """Return what masks the secrets of ``environ`` and of the steps.

        A variable that a step is passed is one, whatever its name.
        """
        passed = {name for planned in self.steps for name in planned.pass_env}
        secrets = [environ[name] for name in passed if name in environ]
        return Redactor.for_environment(environ, *self.settings(), secrets=secrets)

    def step(self, node: str) -> PlannedStep:
        """Return the planned step of a node; KeyError when the plan has none."""
        for planned in self.steps:
            if planned.node == node:
                return planned
        raise KeyError(node)


def _named_words(words: tuple[str, ...]) -> dict[str, str]:
    """Return ``--name value`` and ``--name=value`` of a command line as a mapping."""
    named: dict[str, str] = {}
    for word, following in zip_longest(words, words[1:], fillvalue=""):
        name, equals, value = word.partition("=")
        if name.startswith("-"):
            named[name.lstrip("-")] = value if equals else following
    return named
