"""The baseline: samples of the outputs of the last passed run, fetched before a run begins.

Reads only MLflow's run search. A store that is away, or holds no such run, is no fault of the run:
the reason becomes a finding.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from mlvalidate.core.plan import Plan
from mlvalidate.engine.drift_watch import NO_BASELINES, Baselines, Key
from mlvalidate.tracking import layout
from mlvalidate.tracking.reasons import RecordingError
from mlvalidate.tracking.session import open_session
from mlvalidate.tracking.store import Store

if TYPE_CHECKING:
    from mlvalidate.tracking.gateway import Gateway


def fetch_baselines(plan: Plan, store: Store, nodes: tuple[str, ...], target: Path) -> Baselines:
    """Download the baseline samples of ``nodes`` into ``target``, an existing folder.

    The baseline is the last passed run of the same pipeline or step, on the same data source and
    scenario. Never raises for what a store does.
    """
    if store.local_path is not None and not store.local_path.exists():
        return NO_BASELINES
    try:
        with open_session(store) as gateway:
            return _fetch(plan, gateway, nodes, target)
    except RecordingError as error:
        return Baselines(problem=f"no baseline: {error.message}")


def _fetch(plan: Plan, gateway: Gateway, nodes: tuple[str, ...], target: Path) -> Baselines:
    run_id = gateway.last_passed(_tags(plan))
    if run_id is None:
        return NO_BASELINES
    runs = gateway.find_runs(run_id)
    stems: dict[Key, Path] = {}
    for node in nodes:
        run = runs.get(layout.run_key(run_id, "" if plan.kind == "script" else node))
        folder = target / node
        folder.mkdir()
        paths = gateway.download(run, layout.BASELINE, folder) if run else ()
        for path in paths:
            stem = PurePosixPath(path).relative_to(layout.BASELINE)
            if stem.suffix == ".parquet":
                port, *rest = stem.with_suffix("").parts
                stems[node, port, "/".join(rest)] = (folder / path).with_suffix("")
    return Baselines(stems=stems, description=f"baseline {run_id}")


def _tags(plan: Plan) -> dict[str, str]:
    named = {layout.PIPELINE: plan.name} if plan.kind == "pipeline" else {}
    nodes = {} if named else {layout.NODE: plan.steps[0].node}
    return {
        layout.KIND: plan.kind,
        layout.PROJECT: plan.project,
        layout.STATUS: "passed",
        layout.DATA_SOURCE: plan.data_source.value,
        layout.SCENARIO: plan.scenario,
        **named,
        **nodes,
    }
