"""The baseline: samples of the outputs of the last passed run, fetched before a run begins.

A store that is away, or holds no such run, is no fault of the run: the reason becomes a finding.
"""

from __future__ import annotations

import math
from pathlib import Path, PurePosixPath

from mlvalidate.core.errors import InfrastructureError
from mlvalidate.core.history import NoHistoryError, Scope
from mlvalidate.core.plan import Plan
from mlvalidate.engine.drift_watch import NO_BASELINES, Baselines, Key
from mlvalidate.tracking import layout
from mlvalidate.tracking.history import LAST_PASSED, History, open_history
from mlvalidate.tracking.store import Store


def fetch_baselines(plan: Plan, store: Store, nodes: tuple[str, ...], target: Path) -> Baselines:
    """Download the baseline samples of ``nodes`` into ``target``, an existing folder.

    The baseline is the last passed run of the same pipeline or step, on the same data source and
    scenario. Never raises for what a store does.
    """
    try:
        with open_history(store, plan.project) as history:
            return _fetch(plan, history, nodes, target)
    except NoHistoryError:
        return NO_BASELINES
    except InfrastructureError as error:
        return Baselines(problem=f"no baseline: {error.message}")


def _fetch(plan: Plan, history: History, nodes: tuple[str, ...], target: Path) -> Baselines:
    (run,) = history.baselines(Scope.of(plan), LAST_PASSED, before=math.inf)
    steps = {step.node: step for step in history.steps(run)}
    stems: dict[Key, Path] = {}
    for node in nodes:
        folder = target / node
        folder.mkdir()
        paths = history.download(steps[node], layout.BASELINE, folder) if node in steps else ()
        for path in paths:
            stem = PurePosixPath(path).relative_to(layout.BASELINE)
            if stem.suffix == ".parquet":
                port, *rest = stem.with_suffix("").parts
                stems[node, port, "/".join(rest)] = (folder / path).with_suffix("")
    return Baselines(stems=stems, description=f"baseline {run.run_id}")
