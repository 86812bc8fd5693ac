"""Recording the reports of a run, which are rendered after everything else is recorded.

Each report becomes an artifact of its node's run as soon as it is rendered, and stands in the
progress log then. A tag of the whole run says what came of them, also when their process died.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import ValidationError

from mlvalidate.core.events import RunStarted
from mlvalidate.core.run_folder import RunFolder
from mlvalidate.data.reports.log import ReportDone, read_done
from mlvalidate.data.reports.orders import ReportOrder, ReportPlan
from mlvalidate.engine.beside import is_held
from mlvalidate.engine.journal import follow_events
from mlvalidate.tracking import layout, limits
from mlvalidate.tracking.gateway import Gateway
from mlvalidate.tracking.progress import Entry, append, read_progress
from mlvalidate.tracking.reasons import RecordingError

_POLL_SECONDS = 0.2
_MOST_PROBLEMS = 5


def reports_pending(folder: RunFolder) -> bool:
    """Tell whether reports wait to be recorded that nobody renders any more."""
    if not folder.reports_plan.exists() or is_held(folder.reports_lock):
        return False
    return not read_progress(folder).reports


def record_reports(folder: RunFolder, gateway: Gateway, seconds: float = 0.0) -> str:
    """Record the reports of a recorded run, and return what came of them, in words.

    Waits up to ``seconds`` for those that are being rendered; returns "" when some still are, or
    when the run has none. RecordingError when MLflow does not take them. Whoever calls it holds
    the run's tracking lock.
    """
    plan = _read_plan(folder)
    if plan is None or read_progress(folder).reports:
        return ""
    runs = _runs_by_node(folder, gateway, plan)
    whole = runs[""]
    gateway.set_tag(whole, layout.REPORTS, "being rendered")
    uploaded = {e.key for e in read_progress(folder, gateway.store.key).uploaded}
    for done in _follow(folder, seconds):
        key = f"{done.node}/{done.port}/{done.table}"
        if key not in uploaded and not done.problem:
            gateway.add_files(runs[done.node], _artifacts(folder, done), scratch=folder.root)
            append(folder, Entry(op="report", key=key, store=gateway.store.key))
    if is_held(folder.reports_lock):
        return ""
    summary = _sum_up(plan.orders, read_done(folder.reports_log))
    gateway.set_tag(whole, layout.REPORTS, summary)
    append(folder, Entry(op="reports", reason=summary, store=gateway.store.key))
    return summary


def _read_plan(folder: RunFolder) -> ReportPlan | None:
    try:
        return ReportPlan.model_validate_json(folder.reports_plan.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValidationError):
        return None


def _runs_by_node(folder: RunFolder, gateway: Gateway, plan: ReportPlan) -> dict[str, str]:
    """Return the MLflow runs by node; the whole run is that of the node ""."""
    found = gateway.find_runs(folder.run_id)
    whole = found.get(layout.run_key(folder.run_id))
    if whole is None:
        raise RecordingError("its run is not in MLflow any more")
    started = next(follow_events(folder))
    is_script = isinstance(started, RunStarted) and started.plan.kind == "script"
    nodes = {order.node for order in plan.orders}
    keys = {node: layout.run_key(folder.run_id, "" if is_script else node) for node in nodes}
    return {"": whole, **{node: found.get(key, whole) for node, key in keys.items()}}


def _follow(folder: RunFolder, seconds: float) -> Iterator[ReportDone]:
    """Yield the reports that are done, until all are, or nobody renders any more."""
    deadline = time.monotonic() + seconds
    seen = 0
    while True:
        # Asked before reading: what a dead renderer wrote last is then in the log.
        alive = is_held(folder.reports_lock)
        found = read_done(folder.reports_log)
        yield from found[seen:]
        seen = len(found)
        if not alive or time.monotonic() >= deadline:
            return
        time.sleep(_POLL_SECONDS)


def _artifacts(folder: RunFolder, done: ReportDone) -> dict[str, Path]:
    target = folder.report(done.node, done.port, done.table)
    files = {
        layout.report_artifact(done.port, f"{done.table}{ending}"): Path(f"{target}{ending}")
        for ending in (".html", ".json")
    }
    return limits.artifact_paths({name: path for name, path in files.items() if path.is_file()})


def _sum_up(orders: Sequence[ReportOrder], done: Sequence[ReportDone]) -> str:
    rendered = sum(not one.problem for one in done)
    text = f"{rendered} of {len(orders)} rendered"
    problems = [f"{d.node}.{d.port}/{d.table}: {d.problem}" for d in done if d.problem]
    if len(done) < len(orders):
        problems.insert(0, "the process that renders them ended early")
    return "; ".join([text, *problems[:_MOST_PROBLEMS]])
