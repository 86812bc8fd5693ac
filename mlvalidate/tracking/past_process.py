"""Asks for the past of a run beside the run, for the gates on it. Imports no mlflow."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict
from typing import TYPE_CHECKING

from pydantic import ValidationError

from mlvalidate.core.contracts import Project
from mlvalidate.core.gates import PASS_RATE, REGRESSIONS, Gate
from mlvalidate.core.history import HistoryFigure, Scope
from mlvalidate.core.plan import Plan
from mlvalidate.core.results import PipelineResult
from mlvalidate.tracking.store import Store

if TYPE_CHECKING:
    from mlvalidate.tracking.past import Past

# A store that does not answer must not keep a run whose verdict is known otherwise.
_PATIENCE_SECONDS = 30


def gates_on_history(project: Project, plan: Plan) -> tuple[Gate, ...]:
    """Return the gates that take recorded runs, and that count for a plan."""
    if plan.kind not in ("pipeline", "script") or not plan.steps[0].on.case.is_standard:
        return ()
    nodes = {planned.node for planned in plan.steps}
    return tuple(
        gate
        for gate in project.parsed_gates
        if gate.is_about_history
        and (gate.node in nodes or (gate.is_about_run and plan.kind == "pipeline"))
    )


class PastProcess:
    """The process that looks runs up; it begins at once. A context: it ends with it at the latest.

    Never raises: a run does not fail because nobody knows what was before it.
    """

    def __init__(self, store: Store, plan: Plan, gates: tuple[Gate, ...]) -> None:
        self._plan = plan
        self._gates = gates
        self._question = _question(store, plan, gates)
        self._thread = ThreadPoolExecutor(1, "mlvalidate-past")
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> PastProcess:
        with suppress(OSError):
            self._process = _start()
            self._answer = self._thread.submit(self._process.communicate, self._question)
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.kill()
        self._thread.shutdown()

    def figures_of(self, result: PipelineResult) -> Mapping[str, HistoryFigure]:
        """Return what the gates ask for, of a run that is over but for them; waits if it has to."""
        from mlvalidate.tracking.history_figures import history_figures

        return history_figures(self._past(), self._plan, result, self._gates)

    def _past(self) -> Past:
        from mlvalidate.tracking import past

        if self._process is None:
            return _away("no process could be started to look runs up")
        try:
            answer, _ = self._answer.result(_PATIENCE_SECONDS)
            return past.Past.model_validate_json(answer)
        except TimeoutError:
            return _away(f"the store did not answer within {_PATIENCE_SECONDS} s")
        except ValidationError:
            code = self._process.returncode
            return _away(f"the process that looks runs up ended with exit code {code}")


def _away(problem: str) -> Past:
    from mlvalidate.tracking.past import Past

    return Past(problem=problem, is_away=True)


def _question(store: Store, plan: Plan, gates: tuple[Gate, ...]) -> bytes:
    wants_timings = any(gate.metric.endswith(tuple(REGRESSIONS)) for gate in gates)
    # The run itself is one of those that a pass rate is of.
    last = max((gate.last - 1 for gate in gates if gate.metric == PASS_RATE), default=0)
    question = {
        "store": asdict(store),
        "scope": Scope.of(plan).model_dump(),
        "nodes": len(plan.steps) if wants_timings else 0,
        "last": last,
    }
    return json.dumps(question).encode()


def _start() -> subprocess.Popen[bytes]:
    # Without -P a folder `mlflow` in the user's working directory would be imported.
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "mlvalidate.tracking.past"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        # Ctrl-C on the terminal is for mlvalidate, which then ends it.
        start_new_session=True,
    )
