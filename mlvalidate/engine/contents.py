"""Reads what is in a port: matches files with the contract, reads tables, sums them up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fnmatch import fnmatch
from pathlib import Path

from mlvalidate.checks.evidence import FileContent, PortContent
from mlvalidate.core.contracts import FileKind, Port, Project
from mlvalidate.core.datasets import FileFormat
from mlvalidate.core.quality import Quality
from mlvalidate.core.results import FileSummary, PortSummary
from mlvalidate.engine.outputs import FoundFile, digest_file, find_files

# What is kept for people to look at: the first rows of the first tables of a port.
SAMPLE_ROWS = 100
MOST_SAMPLES = 20


def read_port(
    port: str,
    container_path: str,
    folder: Path,
    declaration: Port,
    project: Project,
    *,
    ml: Path,
    left_out: tuple[Path, ...] = (),
) -> PortContent:
    """Return the files of a port with their tables. ``ml`` is what the script saw as /opt/ml."""
    return PortContent(
        port=port,
        path=container_path,
        declaration=declaration,
        files=tuple(
            _read_file(file, declaration, project) for file in find_files(folder, ml, left_out)
        ),
    )


def declared_as(name: str, declaration: Port) -> str:
    """Return what the contract says a file is: a dataset, a kind of file, or ''."""
    if name in declaration.files:
        return declaration.files[name]
    for pattern, declared in declaration.files.items():
        if fnmatch(name, pattern):
            return declared
    return ""


def _read_file(file: FoundFile, declaration: Port, project: Project) -> FileContent:
    from mlvalidate.data.files import TooLarge, UnreadableFile, read_table

    declared = declared_as(file.name, declaration)
    dataset = project.datasets.get(declared)
    content = FileContent(
        name=file.name,
        path=file.path,
        size=file.size,
        problem=file.problem,
        dataset_name=declared if dataset else "",
        dataset=dataset,
        kind=FileKind(declared) if declared and not dataset else None,
        format=dataset.format if dataset else _table_format(file, declared),
    )
    if content.problem or content.format is None or file.size == 0:
        return content
    try:
        return replace(content, frame=read_table(file.path, content.format, dataset))
    except TooLarge as error:
        return replace(content, skipped=str(error), outline=error.outline)
    except UnreadableFile as error:
        return replace(content, unreadable=str(error))


def _table_format(file: FoundFile, declared: str) -> FileFormat | None:
    """Undeclared files and plain files are shown as tables where their name says they are one."""
    from mlvalidate.data.files import guess_format

    if declared in (FileKind.JSON, FileKind.ARCHIVE):
        return None
    guessed = guess_format(file.path)
    return None if guessed is FileFormat.JSON else guessed


def summarise_file(file: FileContent, sample: str | None = None) -> FileSummary:
    """Return what is kept of a file: size, digest, rows, columns with the types as read."""
    from mlvalidate.data.files import table_summary

    readable = not file.problem
    columns = None if file.frame is None else table_summary(file.frame)
    if file.outline is not None:
        columns = file.outline.summary()
    return FileSummary(
        name=file.name,
        size_bytes=file.size,
        digest=digest_file(file.path) if readable else "",
        dataset=file.dataset_name or None,
        declared_columns=tuple(file.dataset.columns) if file.dataset else (),
        rows=file.rows,
        columns=columns,
        sample=sample,
    )


def quality_of(content: PortContent) -> Quality | None:
    """Return figures on the tables of a port; None when it has none."""
    from mlvalidate.data.quality import Table, measure_quality

    return measure_quality(
        Table(frame, file.format, file.dataset)
        for file, frame in content.tables
        if file.format is not None
    )


def summarise_port(folder: Path, declaration: Port, project: Project) -> PortSummary:
    """Return the summary of a folder that stands in for an input."""
    content = read_port("", "", folder, declaration, project, ml=folder)
    return PortSummary(
        port="", path="", files=tuple(summarise_file(file) for file in content.files)
    )


def apply_contract(summary: PortSummary, declaration: Port, project: Project) -> PortSummary:
    """Return the summary of a producer's output as the contract of a consumer's input sees it."""

    def as_declared(file: FileSummary) -> FileSummary:
        name = declared_as(file.name, declaration)
        if name not in project.datasets:
            return file
        columns = tuple(project.datasets[name].columns)
        return file.model_copy(update={"dataset": name, "declared_columns": columns})

    return summary.model_copy(update={"files": tuple(map(as_declared, summary.files))})


def write_samples(
    content: PortContent, folder: Path, run_root: Path, redact: Callable[[str], str]
) -> dict[str, str]:
    """Write the first rows of each table; return the stem by file, relative to the run's folder."""
    from mlvalidate.data.samples import write_preview

    stems: dict[str, str] = {}
    for file in [file for file in content.files if file.frame is not None][:MOST_SAMPLES]:
        stem = folder / content.port / file.name
        stem.parent.mkdir(parents=True, exist_ok=True)
        write_preview(file.frame, stem, redact, SAMPLE_ROWS)
        stems[file.name] = str(stem.relative_to(run_root))
    return stems
