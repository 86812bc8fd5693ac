"""What checks look at: one executed step with its files, output and outcome. Plain data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlvalidate.checks.traceback import PythonError, parse_python_error
from mlvalidate.core.contracts import FileKind, Port
from mlvalidate.core.datasets import Dataset, FileFormat
from mlvalidate.core.execution import Note, Outcome
from mlvalidate.core.plan import PlannedStep
from mlvalidate.core.results import PortSummary
from mlvalidate.data.conformity import Fault, FaultKind, find_faults
from mlvalidate.data.limits import Outline

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class FileContent:
    """A file of an output port. ``frame`` is set when it is a table that could be read."""

    name: str
    path: Path
    size: int
    # Why it can't be opened at all: a link that leads out of the port, no regular file.
    problem: str = ""
    dataset_name: str = ""
    dataset: Dataset | None = None
    kind: FileKind | None = None
    format: FileFormat | None = None
    frame: pd.DataFrame | None = None
    # Why its content can't be read as what it is declared to be.
    unreadable: str = ""
    # Why it was not read whole, and what is known of it nevertheless.
    skipped: str = ""
    outline: Outline | None = None

    @property
    def rows(self) -> int | None:
        """Rows of a table, as far as they were counted."""
        if self.frame is not None:
            return len(self.frame)
        return self.outline.rows if self.outline else None

    @property
    def is_declared(self) -> bool:
        return self.kind is not None or self.dataset is not None


@dataclass(frozen=True)
class PortContent:
    """An output port with everything in it after the step."""

    port: str
    path: str
    declaration: Port
    files: tuple[FileContent, ...] = ()

    @property
    def tables(self) -> tuple[tuple[FileContent, pd.DataFrame], ...]:
        """The files of the port that are tables, with their rows."""
        return tuple((file, file.frame) for file in self.files if file.frame is not None)

    @property
    def rows(self) -> int | None:
        """Rows over all tables; None when there is no table, or one was too large to be counted."""
        tables = [file for file in self.files if file.frame is not None or file.skipped]
        counts = [file.rows for file in tables if file.rows is not None]
        return sum(counts) if tables and len(counts) == len(tables) else None


class Variation(StrEnum):
    """In what a second run of a step differs from the first."""

    AGAIN = "again"
    SHUFFLED = "shuffled"
    OTHER_ENTRY = "other-entry"


@dataclass(frozen=True)
class Repeat:
    """A second run of the same step. ``logs`` is the folder of its output."""

    outcome: Outcome
    outputs: tuple[PortContent, ...]
    stderr: str
    logs: str
    # What was different, in words.
    description: str = ""
    # By how many seconds its clock was ahead of the first run's.
    clock_shift: float = 0.0


@dataclass(frozen=True)
class CustomVerdict:
    """What a check function of the user's said, or why it could not. Untrusted."""

    findings: tuple[dict[str, Any], ...] = ()
    problem: str = ""


@dataclass(frozen=True)
class Evidence:
    """Everything about one executed step that a judgement may rest on.

    ``inputs`` tell files and columns that the step was given, and where each input came from.
    ``stray_files`` lie below /opt/ml but in no port; ``stderr`` and ``stdout`` are the last 64 KB,
    redacted. ``failed_metrics`` maps declared metrics without a value to the reason.
    """

    planned: PlannedStep
    root: Path
    outcome: Outcome
    outputs: tuple[PortContent, ...] = ()
    inputs: tuple[PortSummary, ...] = ()
    stray_files: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()
    stdout: str = ""
    stderr: str = ""
    log_dropped: dict[str, int] = field(default_factory=dict)
    # Streams in which secrets had to be masked.
    secret_logs: tuple[str, ...] = ()
    message: str = ""
    failed_metrics: dict[str, str] = field(default_factory=dict)
    reproduce: str = ""
    # The archives that output ports become, by port.
    packed: dict[str, Path] = field(default_factory=dict)
    repeats: dict[Variation, Repeat] = field(default_factory=dict)
    # What the functions under `check:` said, by `module:function`.
    custom: dict[str, CustomVerdict] = field(default_factory=dict)
    # What producers declare of the outputs that come in, by input port.
    producer_ports: dict[str, Port] = field(default_factory=dict)
    # False: writes outside the outputs and connections were not noticed.
    in_sandbox: bool = True
    # Reads the tables of an input port. Only checks that compare outputs with inputs pay for it.
    read_input: Callable[[str], PortContent] | None = None

    @property
    def node(self) -> str:
        """The node that ran."""
        return self.planned.node

    def notes_of(self, kind: str) -> list[Note]:
        """Return what the stand-ins noted of one kind."""
        return [note for note in self.notes if note.kind == kind]

    def writer_of(self, paths: Iterable[str]) -> str | None:
        """Return the line that opened the first of the files of which that is known."""
        lines = {note.detail: note.location for note in self.notes_of("write")}
        return next(filter(None, (lines.get(path) for path in paths)), None)

    @cached_property
    def error(self) -> PythonError | None:
        """The last Python traceback that the script left: on stderr, for SageMaker, or on stdout.

        Scripts that build their own containers print it and write it to /opt/ml/output/failure.
        """
        places = (self.stderr, self.message, self.stdout)
        return next(filter(None, map(parse_python_error, places)), None)

    @cached_property
    def faults(self) -> tuple[tuple[PortContent, FileContent, Fault], ...]:
        """What the output tables have other than their datasets declare."""
        return tuple(
            (output, file, fault)
            for output in self.outputs
            for file in output.files
            if file.dataset is not None
            for frame in _frames_to_judge(file)
            for fault in find_faults(frame, file.dataset, file.format)
        )

    def output(self, port: str) -> PortContent | None:
        """Return an output port by name, or None."""
        return next((output for output in self.outputs if output.port == port), None)

    @cached_property
    def input_tables(self) -> dict[str, PortContent]:
        """The input ports with their tables, read once."""
        if self.read_input is None:
            return {}
        return {summary.port: self.read_input(summary.port) for summary in self.inputs}

    def port(self, name: str) -> PortContent | None:
        """Return an output port by name, or else an input port, or None."""
        return self.output(name) or self.input_tables.get(name)

    def faults_of(self, kind: FaultKind) -> Iterator[tuple[PortContent, FileContent, Fault]]:
        """Yield the faults of one kind with the port and the file that have them."""
        for output, file, fault in self.faults:
            if fault.kind is kind:
                yield output, file, fault

    def producer_of(self, port: str) -> str | None:
        """Return the node that wrote an input, or None when no node did."""
        for item in self.planned.inputs:
            if item.port == port:
                return item.producer or None
        return None


def _frames_to_judge(file: FileContent) -> Iterator[pd.DataFrame]:
    """Yield the table of a file; of one that was not read whole, its columns alone."""
    if file.frame is not None:
        yield file.frame
    elif file.outline is not None:
        yield file.outline.as_frame()
