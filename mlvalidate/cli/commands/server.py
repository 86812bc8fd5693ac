"""`mlvalidate server`."""

from __future__ import annotations

from pathlib import Path

import click

from mlvalidate.cli.settings import listen_options
from mlvalidate.core.errors import ExitCode


@click.command("server", short_help="Run an MLflow server for a team.")
@click.option(
    "--backend-store-uri",
    metavar="URI",
    default="",
    envvar="MLFLOW_BACKEND_STORE_URI",
    help="Database of the runs, as postgresql://user:password@host/database (default: SQLite in "
    "--folder). The environment variable MLFLOW_BACKEND_STORE_URI keeps a password out of the "
    "list of processes.",
)
@click.option(
    "--artifacts-destination",
    metavar="URI",
    default="",
    envvar="MLFLOW_ARTIFACTS_DESTINATION",
    help="Where artifacts go, as s3://bucket/path or a folder (default: artifacts in --folder). "
    "Also MLFLOW_ARTIFACTS_DESTINATION.",
)
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default="mlflow_data",
    show_default=True,
    metavar="DIR",
    help="Folder of whatever no URI names.",
)
@listen_options
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    metavar="N",
    help="Processes that answer, of 250 MB each.",
)
@click.option(
    "--auth",
    is_flag=True,
    help="Ask for user and password. MLFLOW_AUTH_ADMIN_PASSWORD is the first user's.",
)
@click.option(
    "--allowed-hosts",
    metavar="NAMES",
    default="",
    envvar="MLFLOW_SERVER_ALLOWED_HOSTS",
    help="Names by which clients reach the server, separated by commas "
    "(default: this machine and private addresses).",
)
def command(
    backend_store_uri: str,
    artifacts_destination: str,
    folder: Path,
    host: str,
    port: int,
    workers: int,
    auth: bool,
    allowed_hosts: str,
) -> int:
    """Run an MLflow server on PostgreSQL and S3, or on SQLite and a folder, until Ctrl-C.

    Needs no project. The server ends with this command, however that ends.
    """
    from mlvalidate import api
    from mlvalidate.tracking.team_server import TeamServer

    team = TeamServer(
        folder=folder,
        backend_uri=backend_store_uri,
        artifacts=artifacts_destination,
        host=host,
        port=port,
        workers=workers,
        auth=auth,
        allowed_hosts=allowed_hosts,
    )
    click.echo("starting MLflow's server; Ctrl-C stops it", err=True)
    api.run_server(team, click.echo)
    return ExitCode.PASSED
