"""Profiles of a step: asked of the harness before it runs, and read when it has.

What the harness writes, the script could have written: it is read within limits, and no link is
followed.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from mlvalidate.core.benchmarks import Profile, ProfileEntry, ProfileKind
from mlvalidate.core.model import Model
from mlvalidate.core.plan import Plan, PlannedStep
from mlvalidate.core.results import Status, StepResult
from mlvalidate.core.run_folder import StepFolder
from mlvalidate.engine.execution import Run
from mlvalidate.engine.interpreter import inspect_interpreter

# For people: as the profilers write them.
_FILES = ("cpu.html", "cpu.txt", "cpu.pstats", "memory.html", "memory.txt")
_TEXTS = (".html", ".txt")
_ENTRIES = "entries.json"
_MOST_BYTES = 50_000_000
_MOST_ENTRIES = 50


class _Content(Model):
    """What the harness writes."""

    tool: str
    peak_mb: float | None = None
    entries: tuple[ProfileEntry, ...]
    # Why the profiler itself failed.
    problem: str = ""


def possible_profiles(python: Path) -> tuple[ProfileKind, ...]:
    """Return what can be profiled with what an interpreter has."""
    has_memray = any(
        (folder / "memray" / "__init__.py").is_file()
        for folder in inspect_interpreter(python).packages
    )
    return (ProfileKind.CPU, ProfileKind.MEMORY) if has_memray else (ProfileKind.CPU,)


def ask_for_profile(planned: PlannedStep, folder: StepFolder) -> None:
    """Have the next interpreter that starts with this harness profiled."""
    if planned.profile is not None:
        (folder.harness / "profile").write_text(planned.profile)


def read_profiles(run: Run, results: tuple[StepResult, ...]) -> tuple[Profile, ...]:
    """Return what came of the profiles that a plan has; the files are kept in the run folder."""
    by_node = {result.node: result for result in results}
    profiled = [planned for planned in run.plan.steps if planned.profile is not None]
    found = [_read_profile(run, planned, by_node[planned.node]) for planned in profiled]
    if profiled and not any(profile.kind is ProfileKind.MEMORY for profile in found):
        problem = f"memory by line needs memray: install it into {profiled[0].python}"
        found.append(Profile(kind=ProfileKind.MEMORY, problem=problem))
    return tuple(found)


def _read_profile(run: Run, planned: PlannedStep, result: StepResult) -> Profile:
    assert planned.profile is not None
    bare = Profile(
        kind=planned.profile,
        node=planned.node,
        step_failed=result.status is Status.FAILED,
    )
    folder = run.folder.step(planned.node)
    source = folder.harness / "profiled"
    entries = source / _ENTRIES
    if source.is_symlink() or not _is_ours(entries):
        return bare.model_copy(update={"problem": _why_nothing(result)})
    try:
        content = _Content.model_validate_json(entries.read_bytes())
    except ValidationError:
        return bare.model_copy(update={"problem": "the script has written into its profile"})
    return bare.model_copy(
        update={
            "tool": content.tool,
            "problem": run.redactor.redact(content.problem),
            "peak_mb": content.peak_mb,
            "entries": tuple(_tell(content.entries, run.plan)),
            "files": tuple(_keep(run, source, folder.profile)),
        }
    )


def _is_ours(path: Path) -> bool:
    return not path.is_symlink() and path.is_file() and path.stat().st_size <= _MOST_BYTES


def _why_nothing(result: StepResult) -> str:
    if result.status is Status.SKIPPED:
        return "the step failed before it was to be profiled"
    if result.signal:
        return f"the step was ended by {result.signal} before the profiler could write"
    return "no Python came to its orderly end: it left by os._exit, or another program ran"


def _tell(entries: tuple[ProfileEntry, ...], plan: Plan) -> Iterator[ProfileEntry]:
    """Yield the entries that count most, of the project and of others, by what they are called."""
    told = [_name(entry, plan.root) for entry in entries]
    of_project = sorted((e for e in told if e.is_of_project), key=lambda e: -e.total)
    others = sorted((e for e in told if not e.is_of_project), key=lambda e: -e.own)
    yield from (*of_project[:_MOST_ENTRIES], *others[:_MOST_ENTRIES])


def _name(entry: ProfileEntry, root: Path) -> ProfileEntry:
    path = Path(entry.file)
    is_installed = any(part in ("site-packages", "dist-packages") for part in path.parts)
    if path.is_absolute() and path.is_relative_to(root) and not is_installed:
        file = str(path.relative_to(root))
        return entry.model_copy(update={"file": file, "is_of_project": True})
    if is_installed:
        # Where the library lies is of no interest.
        file = entry.file.replace("dist-packages", "site-packages").rpartition("site-packages/")[2]
        return entry.model_copy(update={"file": file})
    return entry


def _keep(run: Run, source: Path, target: Path) -> Iterator[str]:
    """Move the profiler's own files out of the harness; texts without secrets."""
    for name in _FILES:
        path = source / name
        if not _is_ours(path):
            continue
        target.mkdir(exist_ok=True)
        if path.suffix in _TEXTS:
            text = path.read_text(encoding="utf-8", errors="replace")
            (target / name).write_text(run.redactor.redact(text), encoding="utf-8")
        else:
            shutil.move(path, target / name)
        yield str((target / name).relative_to(run.folder.root))
