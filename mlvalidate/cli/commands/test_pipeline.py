"""`mlvalidate test-pipeline`."""

from __future__ import annotations

from dataclasses import replace

import click

from mlvalidate.cli.completions import complete_nodes, complete_pipelines
from mlvalidate.cli.run_options import RunOptions, run_options
from mlvalidate.cli.running import run_plan
from mlvalidate.cli.settings import Settings, json_option, pass_settings, project_options


@click.command("test-pipeline", short_help="Run and judge the steps of a pipeline.")
@click.argument("pipeline", required=False, shell_complete=complete_pipelines)
@click.option(
    "--only",
    multiple=True,
    metavar="STEP",
    shell_complete=complete_nodes,
    help="Run this step, on what an earlier run wrote. Repeatable.",
)
@click.option(
    "--from",
    "start",
    multiple=True,
    metavar="STEP",
    shell_complete=complete_nodes,
    help="Run this step and those that need it. Repeatable.",
)
@click.option(
    "--until",
    multiple=True,
    metavar="STEP",
    shell_complete=complete_nodes,
    help="Run this step and those that it needs. Repeatable.",
)
@click.option(
    "--resume",
    is_flag=True,
    help="Go on from where the last run failed: what passed there and has not changed is reused.",
)
@click.option(
    "--force",
    multiple=True,
    metavar="STEP",
    shell_complete=complete_nodes,
    help="Run this step although nothing has changed since it passed. Repeatable.",
)
@run_options
@project_options
@json_option
@pass_settings
def command(
    settings: Settings,
    pipeline: str | None,
    only: tuple[str, ...],
    start: tuple[str, ...],
    until: tuple[str, ...],
    resume: bool,
    force: tuple[str, ...],
    options: RunOptions,
) -> int:
    """Run the steps of PIPELINE in order, each on what the steps before it wrote, and judge them.

    PIPELINE may be left out where the project has only one. A step that passed and has not changed
    since is reused.
    """
    from mlvalidate import api

    project = api.open_project(settings.directory)
    chosen = replace(
        options.for_api(), only=only, start=start, until=until, resume=resume, force=force
    )
    plan = api.plan_pipeline(project, pipeline, chosen)
    return run_plan(settings, project, plan, options)
