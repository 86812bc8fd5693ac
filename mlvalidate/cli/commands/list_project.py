"""`mlvalidate list`."""

from __future__ import annotations

import json

import click

from mlvalidate.cli.output import console_for, write_out
from mlvalidate.cli.settings import Settings, json_option, pass_settings, project_options
from mlvalidate.core.errors import ExitCode


@click.command("list", short_help="List the pipelines, steps and datasets of the project.")
@project_options
@json_option
@pass_settings
def command(settings: Settings) -> int:
    """List the pipelines with their nodes in order, the steps and the datasets."""
    from mlvalidate import api
    from mlvalidate.reporting.project_view import list_project, print_project

    project = api.open_project(settings.directory)
    if settings.json:
        write_out(json.dumps(list_project(project), indent=2, ensure_ascii=False))
    else:
        print_project(console_for(settings), project)
    return ExitCode.PASSED
