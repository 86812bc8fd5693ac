"""`mlvalidate test-pipeline`."""

from __future__ import annotations

import click

from mlvalidate.cli.completions import complete_pipelines
from mlvalidate.cli.run_options import RunOptions, run_options
from mlvalidate.cli.running import run_plan
from mlvalidate.cli.settings import Settings, json_option, pass_settings, project_options


@click.command("test-pipeline", short_help="Run and judge the steps of a pipeline.")
@click.argument("pipeline", required=False, shell_complete=complete_pipelines)
@run_options
@project_options
@json_option
@pass_settings
def command(settings: Settings, pipeline: str | None, options: RunOptions) -> int:
    """Run the steps of PIPELINE in order, each on what the steps before it wrote, and judge them.

    PIPELINE may be left out where the project has only one.
    """
    from mlvalidate import api

    project = api.open_project(settings.directory)
    plan = api.plan_pipeline(project, pipeline, options.for_api())
    return run_plan(settings, project, plan, options)
