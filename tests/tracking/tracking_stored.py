"""What a store holds, as a reader who does not trust the recorder finds it."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlvalidate.tracking.store import Store


@dataclass
class Stored:
    """All runs of the store's experiment by the value of their tag `mlvalidate.key`."""

    client: Any
    runs: dict[str, list[Any]]

    def one(self, key: str) -> Any:
        (run,) = self.runs[key]
        return run

    def statuses(self) -> dict[str, str]:
        """Return the status by key; fails when a key has two runs."""
        return {key: self.one(key).info.status for key in self.runs}

    def artifacts(self, key: str) -> dict[str, Path]:
        """Return the artifacts of a run on disk, by path."""
        root = Path(self.one(key).info.artifact_uri)
        return {str(p.relative_to(root)): p for p in sorted(root.rglob("*")) if p.is_file()}


def look(store: Store) -> Stored:
    from mlflow import MlflowClient

    with warnings.catch_warnings():
        # MLflow's own, of SQLAlchemy, where this is the first store of the process.
        warnings.simplefilter("ignore")
        client = MlflowClient(store.uri)
    experiment = client.get_experiment_by_name(store.experiment)
    runs: dict[str, list[Any]] = {}
    for run in client.search_runs([experiment.experiment_id]):
        runs.setdefault(run.data.tags.get("mlvalidate.key", ""), []).append(run)
    return Stored(client, runs)
