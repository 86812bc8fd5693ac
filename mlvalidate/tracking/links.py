"""Links into MLflow's UI.

The UI opens in its GenAI mode unless the query says otherwise; it reads the query behind the hash.
"""

from __future__ import annotations

from mlvalidate.tracking.store import SAGEMAKER_ARN, Store

UI_HOST = "127.0.0.1"
UI_PORT = 5000

_MODE = "workflowType=machine_learning"


def ui_address(host: str = UI_HOST, port: int = UI_PORT) -> str:
    """Return the address at which a browser on this machine finds `mlvalidate ui`."""
    if host in ("0.0.0.0", "::", ""):
        host = UI_HOST
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def run_link(store: Store, experiment_id: str, run_id: str) -> str:
    """Return the page of a run; for a local store, where `mlvalidate ui` will show it.

    Empty where MLflow offers no such address, as for a store that is named by an ARN: there
    `open_command` says how to get one.
    """
    address = store.web_address or (ui_address() if store.needs_ui else "")
    return f"{address}/#/experiments/{experiment_id}/runs/{run_id}?{_MODE}" if address else ""


def open_command(store: Store, ui_command: str) -> str:
    """Return what to type before the store's pages can be seen, or to see them; else empty.

    Pages of SageMaker are reached by an address that is made for a few minutes.
    """
    if store.needs_ui:
        return ui_command
    arn = SAGEMAKER_ARN.fullmatch(store.uri)
    if arn is None:
        return ""
    if arn["kind"] == "mlflow-app":
        what = f"create-presigned-mlflow-app-url --arn {store.uri}"
    else:
        what = f"create-presigned-mlflow-tracking-server-url --tracking-server-name {arn['name']}"
    return f"aws sagemaker {what} --region {arn['region']}"


def experiment_link(address: str, experiment_id: str | None) -> str:
    """Return the table of an experiment's runs, or the list of experiments without an id."""
    page = f"{experiment_id}/runs" if experiment_id else ""
    return f"{address}/#/experiments/{page}?{_MODE}".replace("/?", "?")
