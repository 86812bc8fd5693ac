"""Brings the content of a step's inputs into place: from producers, samples or the generator."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from mlvalidate.checks.evidence import PortContent
from mlvalidate.core.contracts import Port, Project
from mlvalidate.core.plan import FileToMake, Origin, Plan, PlannedInput, PlannedStep
from mlvalidate.core.results import FileSummary, PortSummary
from mlvalidate.core.run_folder import RunFolder
from mlvalidate.core.scenarios import STANDARD, Case
from mlvalidate.engine.contents import apply_contract, read_port, summarise_port
from mlvalidate.engine.outputs import is_own_folder, output_folder

if TYPE_CHECKING:
    from mlvalidate.data.family import Family


class MissingInputError(Exception):
    """A producer ran, but what the edge names is not there."""

    def __init__(self, item: PlannedInput, path: str, found: list[str]) -> None:
        super().__init__(path)
        self.item = item
        self.path = path
        self.found = found


@dataclass
class Inputs:
    """Provides inputs during one run and remembers what has been generated already.

    Nodes that run at once share it. What they get does not depend on which of them comes first.
    """

    project: Project
    plan: Plan
    run: RunFolder
    _generated: dict[tuple[str, Case, int | None, tuple[str, ...]], list[Path]] = field(
        default_factory=dict
    )
    _generating: threading.Lock = field(default_factory=threading.Lock)
    # What is known of outputs that lie where consumers find them.
    _summaries: dict[Path, PortSummary] = field(default_factory=dict)

    @cached_property
    def _family(self) -> Family:
        from mlvalidate.data.family import Family

        return Family(self.project.datasets, self.plan.rows)

    def _family_of(self, rows: int | None) -> Family:
        return self._family if rows == self.plan.rows else replace(self._family, rows=rows)

    def provide(self, planned: PlannedStep) -> dict[str, Path]:
        """Return the folder that holds each input's content, by port; absent ones are left out.

        MissingInputError when a producer has not written what an edge names, UnsatisfiableSchema
        when there is no such data.
        """
        return {
            item.port: self._provide(planned, item)
            for item in planned.inputs
            if item.origin is not Origin.ABSENT
        }

    def _provide(self, planned: PlannedStep, item: PlannedInput) -> Path:
        if item.origin is Origin.EDGE:
            return self._produced(item)
        if item.folder is not None:
            return item.folder
        target = self.run.source(planned.node, item.port)
        for file in item.files:
            if file.copied_from is not None:
                (target / file.name).parent.mkdir(parents=True, exist_ok=True)
                _link_or_copy(file.copied_from, target / file.name)
        # One at a time: who wants the same dataset is to find it made.
        with self._generating:
            for files in _wholes(item.files):
                targets = [target / file.name for file in files]
                self._generate(planned, files[0].dataset, targets)
        return target

    def _produced(self, item: PlannedInput) -> Path:
        producer = self.plan.step(item.producer)
        root = output_folder(self.run.step(item.producer), producer.step, item.output)
        folder = root / item.subpath
        if not is_own_folder(folder, self.run.step(item.producer).root):
            inside = (
                root.iterdir() if is_own_folder(root, self.run.step(item.producer).root) else ()
            )
            found = sorted(path.name for path in inside if path.is_dir())
            raise MissingInputError(item, item.subpath, found)
        return folder

    def _generate(self, planned: PlannedStep, name: str, targets: list[Path]) -> None:
        """Write the files of a dataset, shaped where the case is about it.

        The same dataset in two ports is the same file: a score job sees the customers that the
        training saw, as it would from one S3 prefix.
        """
        from mlvalidate.data.scenarios.shaping import write_case

        case = planned.on.case if name in planned.on.datasets else STANDARD
        rows = planned.rows or self.plan.rows
        key = (name, case, rows, tuple("".join(target.suffixes) for target in targets))
        if key not in self._generated:
            write_case(
                self.project.datasets[name],
                name,
                targets,
                case=case,
                rows=rows,
                seed=self.plan.seed,
                family=self._family_of(rows),
            )
            self._generated[key] = targets
            return
        for made, target in zip(self._generated[key], targets, strict=True):
            target.parent.mkdir(parents=True, exist_ok=True)
            _link_or_copy(made, target)

    def summarise(self, planned: PlannedStep, item: PlannedInput, folder: Path) -> PortSummary:
        """Return names, rows and columns of the files that the step is given."""
        declaration = self.declaration(planned, item)
        summary = self._summaries.get(folder)
        if summary is None:
            summary = summarise_port(folder, declaration, self.project)
        else:
            summary = apply_contract(summary, declaration, self.project)
        return summary.model_copy(
            update={
                "port": item.port,
                "path": item.container_path,
                "source": item.description,
            }
        )

    def read(self, planned: PlannedStep, port: str) -> PortContent:
        """Read the files of an input port with their tables; an absent port is empty."""
        item = next(item for item in planned.inputs if item.port == port)
        declaration = self.declaration(planned, item)
        if item.origin is Origin.ABSENT:
            return PortContent(port, item.container_path, declaration)
        folder = self._produced(item) if item.origin is Origin.EDGE else item.folder
        folder = folder or self.run.source(planned.node, port)
        return read_port(port, item.container_path, folder, declaration, self.project, ml=folder)

    def remember(self, folder: Path, files: tuple[FileSummary, ...]) -> None:
        """Keep what is known of a step's output, so that its consumers need not look again."""
        self._summaries[folder] = PortSummary(port="", path="", files=files)

    def declaration(self, planned: PlannedStep, item: PlannedInput) -> Port:
        """Return what an input's files are: without a word of its own, the producer's."""
        declaration = planned.step.inputs[item.port]
        if declaration.files or item.origin is not Origin.EDGE:
            return declaration
        return self.plan.step(item.producer).step.outputs[item.output]


def _wholes(files: Iterable[FileToMake]) -> list[list[FileToMake]]:
    """Return the files to generate, those together that share the rows of a dataset."""
    found: list[list[FileToMake]] = []
    for file in files:
        if file.copied_from is None:
            if file.part == 0:
                found.append([])
            found[-1].append(file)
    return found


def _link_or_copy(source: Path, target: Path) -> None:
    """Link where that is possible: scripts see inputs through a copy-on-write layer or a copy.

    FileExistsError when the target is there: writing to it could change the file it is linked to.
    """
    try:
        os.link(source.resolve(), target)
    except FileExistsError:
        raise
    except OSError:
        with source.open("rb") as read, target.open("xb") as written:
            shutil.copyfileobj(read, written)
