"""`mlvalidate ui`."""

from __future__ import annotations

import click

from mlvalidate.cli.settings import Settings, listen_options, pass_settings, project_options
from mlvalidate.core.errors import ExitCode


@click.command("ui", short_help="Open MLflow's pages on the recorded runs.")
@listen_options
@project_options
@pass_settings
def command(settings: Settings, host: str, port: int) -> int:
    """Start MLflow's pages on the project's store, until Ctrl-C."""
    from mlvalidate import api

    project = api.open_project(settings.directory)
    click.echo("starting MLflow's pages; Ctrl-C stops them", err=True)
    api.open_ui(project, host, port, click.echo)
    return ExitCode.PASSED
