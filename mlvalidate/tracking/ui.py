"""`mlvalidate ui`: MLflow's own UI on the project's store."""

from __future__ import annotations

import json
from collections.abc import Callable
from urllib.error import URLError
from urllib.parse import quote

from mlvalidate.core.errors import UsageError
from mlvalidate.tracking.links import UI_HOST, UI_PORT, experiment_link, open_command
from mlvalidate.tracking.server import OPENER, ServerOptions, running_server, stopped_by_signals
from mlvalidate.tracking.store import Store


def run_ui(
    store: Store,
    *,
    say: Callable[[str], None],
    host: str = UI_HOST,
    port: int = UI_PORT,
) -> None:
    """Serve MLflow's UI until Ctrl-C or SIGTERM; `say` gets the link once it answers.

    A store on a server has its UI already: then the link is all. UsageError when the port is taken
    or the store has no UI that can be started here, InfrastructureError when MLflow does not start.
    """
    if store.is_http:
        say(experiment_link(store.web_address, None))
        return
    if not store.needs_ui:
        command = open_command(store, "")
        raise UsageError(
            f"the store {store.shown_uri} has a UI of its own: open it there",
            hint=f"For its address: {command}" if command else "",
        )
    if store.local_path is not None:
        store.local_path.parent.mkdir(parents=True, exist_ok=True)
    options = ServerOptions(store.uri, store.artifact_root or "", host, port)
    with stopped_by_signals(), running_server(options) as server:
        say(experiment_link(options.address, _experiment_id(options.address, store.experiment)))
        server.wait()


def _experiment_id(address: str, name: str) -> str | None:
    """Return the id of the experiment; None where nothing has been recorded yet."""
    query = f"experiment_name={quote(name, safe='')}"
    try:
        with OPENER.open(
            f"{address}/api/2.0/mlflow/experiments/get-by-name?{query}", timeout=10
        ) as answer:
            return str(json.load(answer)["experiment"]["experiment_id"])
    except (URLError, OSError, ValueError, KeyError):
        return None
