"""What the command line and notebooks ask about recorded runs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlvalidate.core.comparison import Comparison
    from mlvalidate.core.contracts import Project
    from mlvalidate.tracking.history import History


@contextmanager
def open_history(project: Project) -> Iterator[History]:
    """Yield the recorded runs of a project.

    UsageError when nothing is recorded yet, InfrastructureError when the store is away.
    """
    from mlvalidate.tracking.history import open_history as open_store
    from mlvalidate.tracking.store import resolve_store

    with open_store(resolve_store(project, os.environ), project.project) as history:
        yield history


def compare(project: Project, run: str = "", baseline: str = "last-passed") -> Comparison:
    """Compare a recorded run with its baseline, step by step.

    ``run`` is a run id or the start of one, or the name of a pipeline or step of which the newest
    run is meant; by default it is the newest run of any pipeline. ``baseline`` is a run id,
    `last-passed`, `last:N`, `branch:NAME` or `name=value` of a tag; runs count that began before.
    UsageError when there is no such run, InfrastructureError when the store is away.
    """
    from mlvalidate.core.history import NoHistoryError
    from mlvalidate.tracking.comparing import compare_run

    with open_history(project) as history:
        if run:
            found = history.find(run)
        else:
            try:
                found = history.newest("pipeline")
            except NoHistoryError:
                # A project without pipelines.
                found = history.newest()
        return compare_run(history, found, baseline, project.root)


def log_comparison(project: Project, comparison: Comparison, page: str) -> None:
    """Keep a comparison and its page in MLflow, as artifacts of the newer of the two runs.

    InfrastructureError when the store is away.
    """
    from mlvalidate.tracking import layout
    from mlvalidate.tracking.session import open_session
    from mlvalidate.tracking.store import resolve_store

    path = layout.comparison_artifact(comparison.before.run_id)
    texts = {f"{path}.html": page, f"{path}.json": comparison.model_dump_json(indent=2)}
    with open_session(resolve_store(project, os.environ)) as gateway:
        gateway.add_texts(comparison.after.mlflow_run_id, texts)
