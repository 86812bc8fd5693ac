"""A session with MLflow: how its client is set up.

By default MLflow waits for minutes when a server is away, logs to the terminal and sends usage
statistics. Inside a session it does none of that, except where the user's environment says so.
"""

from __future__ import annotations

import fcntl
import gc
import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

from mlvalidate.tracking.gateway import Gateway, ensure_experiment
from mlvalidate.tracking.reasons import mlflow_errors_told
from mlvalidate.tracking.store import Store

if TYPE_CHECKING:
    from mlflow import MlflowClient

# What holds unless the user has set it.
_DEFAULTS = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "5",
    "MLFLOW_ARTIFACT_UPLOAD_DOWNLOAD_TIMEOUT": "60",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ALLOW_FILE_STORE": "true",
    "GIT_PYTHON_REFRESH": "quiet",
    "AWS_MAX_ATTEMPTS": "2",
    "PGCONNECT_TIMEOUT": "5",
}
# What has to hold: asynchronous logging loses data when the server dies, and says that all is well.
_FORCED = {"MLFLOW_ENABLE_ASYNC_LOGGING": "false"}
# Attempts to reach a database, some tenths of a second apart; MLflow's own ten take 100 seconds.
_DATABASE_ATTEMPTS = 3
# To make all tables takes a second or two, and others may come first.
_LOCK_SECONDS = 30
# Any number, as long as every version uses the same and nobody else does.
_LOCK_KEY = 0x6D6C76616C
_NOISY_LOGGERS = ("mlflow", "alembic")


@contextmanager
def open_session(store: Store) -> Iterator[Gateway]:
    """Yield the store's gateway; database and experiment are made where they were not.

    RecordingError when the store can't be reached or refuses.
    """
    with _environment(store), _quiet():
        with mlflow_errors_told(store), _initialisation_lock(store):
            client = _connect(store)
            experiment_id = ensure_experiment(client, store)
        yield Gateway(client, store, experiment_id)


@contextmanager
def open_client(store: Store) -> Iterator[MlflowClient]:
    """Yield a client for reading: a store of which the database is there, or a server.

    RecordingError when the store refuses.
    """
    with _environment(store), _quiet():
        with mlflow_errors_told(store), _initialisation_lock(store):
            client = _connect(store)
        yield client


def _connect(store: Store) -> MlflowClient:
    """Return a client of the store. Makes the tables of a new database."""
    with _collection_paused():
        from mlflow import MlflowClient
        from mlflow.store.db import utils

        utils.MAX_RETRY_COUNT = _DATABASE_ATTEMPTS
        return MlflowClient(tracking_uri=store.client_uri)


@contextmanager
def _collection_paused() -> Iterator[None]:
    """Keep the garbage collector from going over all that an import makes, and finds nothing.

    MLflow and its store are imported in four fifths of the time.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@contextmanager
def _initialisation_lock(store: Store) -> Iterator[None]:
    """Let one process at a time make a database: of four at once, three fail."""
    path = store.local_path
    if path is None:
        with _advisory_lock(store) if store.scheme == "postgresql" else nullcontext():
            yield
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f"{path.name}.lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _advisory_lock(store: Store) -> Iterator[None]:
    """Hold a lock of PostgreSQL's, which all hosts see; it ends with the connection."""
    from sqlalchemy import NullPool, create_engine, text

    with create_engine(store.uri, poolclass=NullPool).connect() as connection:
        connection.execute(text(f"SET lock_timeout = '{_LOCK_SECONDS}s'"))
        connection.execute(text(f"SELECT pg_advisory_lock({_LOCK_KEY})"))
        yield


@contextmanager
def _environment(store: Store) -> Iterator[None]:
    """Set what has to hold in a session. A user in the URI wins over one in the environment.

    Plugins ask MLflow, and not the client, for the URI: the one that signs requests to SageMaker.
    """
    before = dict(os.environ)
    forced = {**_FORCED, "MLFLOW_TRACKING_URI": store.client_uri, **store.credentials}
    os.environ.update({**_DEFAULTS, **before, **forced})
    try:
        yield
    finally:
        for name in {**_DEFAULTS, **forced}:
            if name in before:
                os.environ[name] = before[name]
            else:
                os.environ.pop(name, None)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep MLflow off the terminal: what matters reaches us as an exception."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with _collection_paused():
            # Sets up its loggers when it is imported.
            import mlflow  # noqa: F401

        loggers = [logging.getLogger(name) for name in _NOISY_LOGGERS]
        levels = [logger.level for logger in loggers]
        for logger in loggers:
            logger.setLevel(logging.CRITICAL + 1)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)
