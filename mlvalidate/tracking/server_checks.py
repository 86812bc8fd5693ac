"""Looks at a server's database and artifacts before it starts.

MLflow itself tries for minutes and then prints pages; a typing error shall be one line at once.
"""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from mlvalidate.core.errors import UsageError
from mlvalidate.core.secrets import Redactor
from mlvalidate.tracking.store import Store

_SECONDS = 5
_INSTALL = "Install it with: pip install 'mlvalidate[server]'"


def check_database(store: Store) -> None:
    """Connect once. UsageError with what is wrong: the URL, the driver, the password."""
    from sqlalchemy import create_engine
    from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
    from sqlalchemy.pool import NullPool

    try:
        timeout = {"connect_timeout": _SECONDS} if store.scheme == "postgresql" else {}
        engine = create_engine(store.uri, poolclass=NullPool, connect_args=timeout)
        engine.connect().close()
    except ModuleNotFoundError as error:
        raise UsageError(
            f"the database {store.shown_uri} needs {error.name!r}, which is not installed",
            hint=_INSTALL if store.scheme == "postgresql" else f"Install {error.name!r} with pip.",
        ) from None
    except (ArgumentError, NoSuchModuleError) as error:
        raise UsageError(f"{store.shown_uri!r} is no URL of a database: {error}") from None
    except DBAPIError as error:
        raise UsageError(
            f"can't open the database {store.shown_uri}: {_first_line(error.orig)}",
            hint="Check host, port, user, password and name of the database in "
            "--backend-store-uri.",
        ) from None


def check_artifacts(destination: str) -> None:
    """Look into a bucket of S3 once. UsageError when it is not there or may not be read."""
    parts = urlsplit(destination)
    if parts.scheme != "s3":
        return
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    config = Config(connect_timeout=_SECONDS, read_timeout=_SECONDS, retries={"max_attempts": 1})
    try:
        s3 = boto3.client(
            "s3", endpoint_url=os.environ.get("MLFLOW_S3_ENDPOINT_URL"), config=config
        )
        s3.list_objects_v2(Bucket=parts.netloc, Prefix=parts.path.lstrip("/"), MaxKeys=1)
    except (BotoCoreError, ClientError, ValueError) as error:
        raise UsageError(
            f"can't look into {destination}: {_first_line(error)}",
            hint="Check the bucket, the AWS credentials and, for another service than Amazon's, "
            "MLFLOW_S3_ENDPOINT_URL.",
        ) from None


def _first_line(error: BaseException | None) -> str:
    lines = str(error).strip().splitlines()
    return Redactor.for_environment(os.environ).redact(lines[0]) if lines else type(error).__name__
