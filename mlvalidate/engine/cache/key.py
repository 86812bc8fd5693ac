"""The key of a step: everything that decides on what it comes to, in parts with names."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mlvalidate.core.contracts import Project
from mlvalidate.core.plan import Plan, PlannedStep
from mlvalidate.core.results import StepResult
from mlvalidate.core.reuse import RunReason
from mlvalidate.engine.cache.code import CodeReader, TooManyFilesError
from mlvalidate.engine.cache.contract import contract_parts, setting_parts
from mlvalidate.engine.cache.digests import FileDigests, digest_text
from mlvalidate.engine.cache.inputs import UncomparableError, input_parts
from mlvalidate.engine.cache.surroundings import (
    interpreter_parts,
    local_sources,
    machine_parts,
    mlvalidate_parts,
    package_parts,
)
from mlvalidate.engine.interpreter import inspect_interpreter

# Group -> name of a part -> digest. The groups are reasons; inputs are `input <port>`.
Parts = Mapping[str, Mapping[str, str]]

_INPUT = "input "
_MOST_NAMES = 3
_WORDS = {
    RunReason.CODE: "code changed",
    RunReason.ARGUMENTS: "arguments changed",
    RunReason.HYPERPARAMETERS: "hyperparameters changed",
    RunReason.ENVIRONMENT: "environment changed",
    RunReason.CONTRACT: "contract changed",
    RunReason.INTERPRETER: "interpreter changed",
    RunReason.PACKAGES: "installed packages changed",
    RunReason.MACHINE: "machine changed",
    RunReason.MLVALIDATE: "mlvalidate changed",
}


@dataclass(frozen=True)
class Key:
    """What a step would run with. ``unknown`` are producers whose outputs are not known yet."""

    parts: Parts
    unknown: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """The name under which the step is kept."""
        return digest_parts(self.parts)


def digest_parts(parts: Parts) -> str:
    """Return one digest over all parts."""
    return digest_text(json.dumps(parts, sort_keys=True))


class KeyMaker:
    """Makes the keys of the steps of one plan. Safe with several threads."""

    def __init__(
        self, project: Project, plan: Plan, digests: FileDigests, *, sandboxed: bool
    ) -> None:
        self._project = project
        self._plan = plan
        self._digests = digests
        self._machine = machine_parts(sandboxed=sandboxed)
        self._code = CodeReader(project, digests)
        # Not for longer than a run: packages may be installed between two.
        self._around: dict[Path, _Around] = {}

    def make(self, planned: PlannedStep, results: Mapping[str, StepResult]) -> Key:
        """Return the key of a step; ``results`` are those of its producers, as far as known.

        UncomparableError when there is none.
        """
        try:
            return self._make(planned, results)
        except OSError as error:
            raise UncomparableError(
                f"{error.filename or 'a file'} can't be read: {error.strerror or error}"
            ) from error
        except TooManyFilesError as error:
            raise UncomparableError(str(error)) from error

    def _make(self, planned: PlannedStep, results: Mapping[str, StepResult]) -> Key:
        project, plan, digests = self._project, self._plan, self._digests
        around = self._around.get(planned.python)
        if around is None:
            around = self._around[planned.python] = _look_around(planned.python)
        parts = {
            RunReason.CODE.value: self._code.parts(planned, around.local),
            RunReason.ARGUMENTS.value: setting_parts(planned.step.args),
            RunReason.HYPERPARAMETERS.value: setting_parts(planned.step.hyperparameters),
            RunReason.ENVIRONMENT.value: setting_parts(planned.env),
            RunReason.CONTRACT.value: contract_parts(planned, project, plan, digests),
            RunReason.INTERPRETER.value: around.interpreter,
            RunReason.PACKAGES.value: around.packages,
            RunReason.MACHINE.value: self._machine,
            RunReason.MLVALIDATE.value: mlvalidate_parts(),
        }
        unknown = []
        for item in planned.inputs:
            found = input_parts(planned, item, project, plan, digests, results)
            if found is None:
                unknown.append(item.producer)
            else:
                parts[_INPUT + item.port] = found
        return Key(parts, tuple(dict.fromkeys(unknown)))


@dataclass(frozen=True)
class _Around:
    interpreter: dict[str, str]
    packages: dict[str, str]
    local: tuple[Path, ...]


def _look_around(python: Path) -> _Around:
    found = inspect_interpreter(python)
    return _Around(interpreter_parts(found), package_parts(found), local_sources(found))


def differences(now: Key, then: Parts) -> dict[str, list[str]]:
    """Return the groups that differ, with the names of their parts that do.

    Inputs that are not known yet don't.
    """
    groups = dict.fromkeys((*now.parts, *(() if now.unknown else then)))
    found = {}
    for group in groups:
        mine, theirs = now.parts.get(group, {}), then.get(group, {})
        names = sorted({*mine, *theirs})
        changed = [name for name in names if mine.get(name) != theirs.get(name)]
        if changed:
            found[group] = changed
    return found


def explain(changed: Mapping[str, list[str]]) -> tuple[RunReason, str]:
    """Return the first reason of some differences, and all of them in words.

    What the user does comes first; what only follows from it, such as inputs, comes later.
    """
    reasons = [_reason(group) for group in changed]
    return reasons[0], "; ".join(_words(group, names) for group, names in changed.items())


def _reason(group: str) -> RunReason:
    return RunReason.INPUT if group.startswith(_INPUT) else RunReason(group)


def _words(group: str, names: list[str]) -> str:
    what = (
        f"input `{group.removeprefix(_INPUT)}` changed"
        if group.startswith(_INPUT)
        else _WORDS[RunReason(group)]
    )
    shown = [name for name in names if name][:_MOST_NAMES]
    more = len(names) - len(shown)
    if not shown:
        return what
    return f"{what}: {', '.join(shown)}" + (f" and {more} more" if more > 0 else "")
