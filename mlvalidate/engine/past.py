"""What the nodes of a plan took the last times, read from the results of past runs on disk.

Not from MLflow's record: importing its client takes longer than most pipelines gain by a better
order, and the newest runs on this machine are the ones that tell what it can do.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlvalidate.core.plan import Plan
from mlvalidate.engine.journal import all_runs

_MOST_RUNS = 20
_LARGEST_BYTES = 20 * 10**6
_MEGABYTE = 10**6


@dataclass(frozen=True)
class PastStep:
    """What a node took in its newest run: wall time with its checks, and peak memory in bytes."""

    seconds: float
    peak: int


def past_steps(state_folder: Path, plan: Plan) -> dict[str, PastStep]:
    """Return what is known of the nodes of a plan, by name, from runs on as much data."""
    wanted = {planned.node for planned in plan.steps}
    found: dict[str, PastStep] = {}
    for run in reversed(all_runs(state_folder)[-_MOST_RUNS:]):
        if wanted <= found.keys():
            break
        result = _read(run.result)
        if (result.get("data_source"), result.get("rows")) == (plan.data_source, plan.rows):
            found = {**_steps_of(result, wanted), **found}
    return found


def _read(path: Path) -> Mapping[str, Any]:
    """Return a result as plain data; empty when there is none, or none that can be read."""
    try:
        content = path.read_bytes() if path.stat().st_size <= _LARGEST_BYTES else b"{}"
        result = json.loads(content)
    except (OSError, ValueError):
        return {}
    return result if isinstance(result, dict) else {}


def _steps_of(result: Mapping[str, Any], wanted: set[str]) -> dict[str, PastStep]:
    found = {}
    try:
        for step in result["steps"]:
            if step["node"] in wanted and step["status"] in ("passed", "failed"):
                seconds = float(step["finished_at"]) - float(step["started_at"])
                peak = int(step["usage"]["peak_rss_mb"] * _MEGABYTE)
                found[step["node"]] = PastStep(seconds, peak)
    except (KeyError, TypeError, ValueError):
        # Of another version, which wrote it otherwise: nothing is known from it.
        return {}
    return found
