"""`mlvalidate test-script`."""

from __future__ import annotations

import click

from mlvalidate.cli.completions import complete_steps
from mlvalidate.cli.run_options import RunOptions, run_options
from mlvalidate.cli.running import run_plan
from mlvalidate.cli.settings import Settings, json_option, pass_settings, project_options


@click.command("test-script", short_help="Run and judge one step alone.")
@click.argument("step", shell_complete=complete_steps)
@run_options
@project_options
@json_option
@pass_settings
def command(settings: Settings, step: str, options: RunOptions) -> int:
    """Run STEP alone, on synthetic data, samples or folders of yours, and judge it."""
    from mlvalidate import api

    project = api.open_project(settings.directory)
    plan = api.plan_script(project, step, options.for_api())
    return run_plan(settings, project, plan, options)
