"""Runs a step a second time, a little differently, to see whether it does the same."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from mlvalidate.checks.evidence import Repeat, Variation
from mlvalidate.core.contracts import ENTRY_BOTH, Kind
from mlvalidate.core.execution import Outcome
from mlvalidate.core.plan import ColdReason, ColdStart, PlannedStep
from mlvalidate.core.run_folder import StepFolder
from mlvalidate.engine.container import Paths, make_folders, make_start
from mlvalidate.engine.execution import Run, execute, open_logs, read_output, read_tail
from mlvalidate.engine.scratch import remove_folder

# Any fixed value: what matters is that sets come in another order than without one.
_OTHER_HASH_SEED = "1234567"
# Another year, month, day, weekday and hour.
_CLOCK_SHIFT = 397 * 86_400.0 + 7 * 3600.0


def wanted_variations(planned: PlannedStep) -> tuple[Variation, ...]:
    """Return the second runs that the contract of a step asks for; standard data is enough."""
    step, wanted = planned.step, []
    if not planned.on.case.is_standard:
        return ()
    if any(check.deterministic for check in step.checks):
        wanted.append(Variation.AGAIN)
    if any(check.row_order_invariant for check in step.checks):
        wanted.append(Variation.SHUFFLED)
    if step.entry == ENTRY_BOTH:
        wanted.append(Variation.OTHER_ENTRY)
    return tuple(wanted)


@dataclass
class Repeats:
    """The second runs of one step: beside its first run as far as cores are idle, else after it.

    ``sources`` are the folders of the inputs by port. Use as a context manager: none of them goes
    on after it.
    """

    run: Run
    planned: PlannedStep
    sources: Mapping[str, Path]
    _beside: dict[Variation, Future[Repeat]] = field(default_factory=dict)
    _are_unwanted: bool = False

    def __enter__(self) -> Repeats:
        for variation in wanted_variations(self.planned):
            task = self.run.task_name(self.planned.node)
            holder = f"{task} {variation}"
            if self.run.cores.borrow(holder, beside=task):
                future = self.run.beside.submit(self._run, variation)
                future.add_done_callback(partial(self._give_back, holder))
                self._beside[variation] = future
        return self

    def __exit__(self, *_exception: object) -> None:
        self._end()

    def conclude(self, *, succeeded: bool) -> dict[Variation, Repeat]:
        """Return the second runs of a step that has ended; there are none of one that failed."""
        if not succeeded or self.run.interrupted():
            self._end()
            for variation in self._beside:
                remove_folder(_folder(self.run, self.planned, variation).root)
            return {}
        return {
            variation: self._beside[variation].result()
            if variation in self._beside
            else self._run(variation)
            for variation in wanted_variations(self.planned)
            if not self.run.interrupted()
        }

    def _end(self) -> None:
        self._are_unwanted = True
        for future in self._beside.values():
            future.exception()

    def _give_back(self, holder: str, _future: Future[Repeat]) -> None:
        self.run.cores.give_back(holder)

    def _run(self, variation: Variation) -> Repeat:
        return run_again(self.run, self.planned, variation, self.sources, self._is_to_end)

    def _is_to_end(self) -> bool:
        return self._are_unwanted or self.run.interrupted()


def _folder(run: Run, planned: PlannedStep, variation: Variation) -> StepFolder:
    return StepFolder(run.folder.step(planned.node).root / "reruns" / variation.value)


def run_again(
    run: Run,
    planned: PlannedStep,
    variation: Variation,
    sources: Mapping[str, Path],
    interrupted: Callable[[], bool],
) -> Repeat:
    """Run the step in a folder of its own; its usage counts nowhere.

    ``sources`` are the folders of the inputs by port.
    """
    folder = _folder(run, planned, variation)
    description, clock_shift = "", 0.0
    if variation is Variation.AGAIN:
        clock_shift = _CLOCK_SHIFT
        env = {"PYTHONHASHSEED": _OTHER_HASH_SEED, **planned.env}
        # Nothing that another run has imported knows of the other seed and clock.
        cold = ColdStart(reason=ColdReason.ENVIRONMENT, detail="PYTHONHASHSEED")
        planned = planned.model_copy(update={"env": env, "cold": cold})
    elif variation is Variation.OTHER_ENTRY:
        planned, description = _through_other_entry(planned)
    else:
        sources = {
            port: _shuffled(run, planned, port, source, folder.root / "inputs" / port)
            for port, source in sources.items()
        }
    paths = Paths(planned, folder, in_sandbox=run.sandboxing.is_available)
    make_folders(paths)
    if clock_shift:
        (folder.harness / "clock").write_text(str(clock_shift))
    start = make_start(paths, run.project.root)
    logs = open_logs(folder, run)
    outcome: Outcome | None = None
    try:
        for item in execute(run, paths, start, dict(sources), logs, interrupted):
            if isinstance(item, Outcome):
                outcome = item
    finally:
        for log in logs.values():
            log.close()
    assert outcome is not None
    outputs = tuple(read_output(run, paths, name) for name in planned.step.outputs)
    return Repeat(
        outcome,
        outputs,
        stderr=read_tail(folder.stderr),
        logs=os.path.relpath(folder.logs),
        description=description,
        clock_shift=clock_shift,
    )


def _through_other_entry(planned: PlannedStep) -> tuple[PlannedStep, str]:
    """Return the step as a function where it ran as a program, and the other way round."""
    step = planned.step
    as_function = step.kind is not Kind.CALLABLE
    kind = Kind.CALLABLE if as_function else Kind.PROCESSING
    # The paths stay: only the way in changes.
    ports = {
        f"{direction}s": {
            name: port.model_copy(update={"path": step.container_path(direction, name)})
            for name, port in getattr(step, f"{direction}s").items()
        }
        for direction in ("input", "output")
    }
    other = step.model_copy(update={"kind": kind, "entry": "main", **ports})
    name = "its function main" if as_function else "__main__"
    return planned.model_copy(update={"step": other}), name


def _shuffled(run: Run, planned: PlannedStep, port: str, source: Path, target: Path) -> Path:
    """Return a copy of an input's folder with the rows of its tables in another order."""
    from mlvalidate.data.draws import Draws
    from mlvalidate.data.files import write_table

    shutil.copytree(source, target, symlinks=True)
    for file, frame in run.inputs.read(planned, port).tables:
        if file.format is None:
            continue
        order = Draws(run.plan.seed, planned.node, port, file.name, "shuffle").order(len(frame))
        (target / file.name).unlink()
        shuffled = frame.iloc[order].reset_index(drop=True)
        write_table(shuffled, target / file.name, file.format, file.dataset)
    return target
