"""Selects the nodes of a pipeline that a run is about, and what stands for the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from mlvalidate.core.errors import UsageError
from mlvalidate.core.events import RunStarted, parse_event
from mlvalidate.core.plan import PlannedStep, RunKind
from mlvalidate.core.reuse import Part
from mlvalidate.core.run_folder import RunFolder
from mlvalidate.core.suggest import did_you_mean


@dataclass(frozen=True)
class Selection:
    """Nodes as the user named them; several of one sort add up, the sorts narrow each other."""

    only: tuple[str, ...] = ()
    start: tuple[str, ...] = ()
    until: tuple[str, ...] = ()

    @property
    def options(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """The options of the command line with what they were given."""
        return (("--only", self.only), ("--from", self.start), ("--until", self.until))


def select(
    steps: Sequence[PlannedStep], selection: Selection, force: tuple[str, ...] = ()
) -> tuple[PlannedStep, ...]:
    """Return the steps with the part that each has; producers come first in ``steps``.

    UsageError for names that are not there, and when nothing is left to run.
    """
    known = [step.node for step in steps]
    for option, names in (*selection.options, ("--force", force)):
        for name in names:
            if name not in known:
                raise UsageError(
                    f"{option}: the pipeline has no step {name!r}", did_you_mean(name, known)
                )
    chosen = _chosen(steps, selection)
    for name in force:
        if name not in chosen:
            raise UsageError(f"--force {name}: it is not among the steps that are selected")
    needed = {name for step in steps if step.node in chosen for name in step.depends_on}
    return tuple(
        step.model_copy(update={"part": _part(step.node, chosen, needed)}) for step in steps
    )


def _part(node: str, chosen: set[str], needed: set[str]) -> Part:
    if node in chosen:
        return Part.RUN
    return Part.PROVIDED if node in needed else Part.LEFT_OUT


def _chosen(steps: Sequence[PlannedStep], selection: Selection) -> set[str]:
    producers = {step.node: set(step.depends_on) for step in steps}
    consumers = {
        node: {other for other, names in producers.items() if node in names} for node in producers
    }
    chosen = set(producers)
    if selection.only:
        chosen &= set(selection.only)
    if selection.start:
        chosen &= _reach(selection.start, consumers)
    if selection.until:
        chosen &= _reach(selection.until, producers)
    if not chosen:
        shown = " ".join(
            f"{option} {name}" for option, names in selection.options for name in names
        )
        raise UsageError(f"{shown} leaves no step to run")
    return chosen


def _reach(names: Iterable[str], neighbours: Mapping[str, set[str]]) -> set[str]:
    """Return the nodes with all that are reached from them."""
    found: set[str] = set()
    pending = list(names)
    while pending:
        name = pending.pop()
        if name not in found:
            found.add(name)
            pending += neighbours[name]
    return found


def last_run(
    runs: Sequence[RunFolder], kind: RunKind, name: str, is_over: Callable[[RunFolder], bool]
) -> str:
    """Return the id of the newest run of a pipeline that is over; ``runs`` are oldest first.

    UsageError when there is none.
    """
    for folder in reversed(runs):
        try:
            with folder.journal.open("rb") as journal:
                started = parse_event(journal.readline())
        except (OSError, ValueError):
            continue
        if not isinstance(started, RunStarted) or not is_over(folder):
            continue
        if (started.plan.kind, started.plan.name) == (kind, name):
            return folder.run_id
    raise UsageError(
        f"--resume: there is no earlier run of {kind} {name}", "leave --resume out the first time"
    )
