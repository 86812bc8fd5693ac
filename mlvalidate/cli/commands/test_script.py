"""`mlvalidate test-script`."""

from __future__ import annotations

import click

from mlvalidate.cli.completions import complete_steps
from mlvalidate.cli.run_options import RunOptions, run_options
from mlvalidate.cli.running import run_plan
from mlvalidate.cli.settings import Settings, json_option, pass_settings, project_options

# The values of core.plan.Entry, which imports pydantic; a test compares them.
ENTRIES = ("script", "main", "both")


@click.command("test-script", short_help="Run and judge one step alone.")
@click.argument("step", shell_complete=complete_steps)
@click.option(
    "--entry",
    type=click.Choice(ENTRIES),
    help="Run the script as a program, through its function main, or both and compare.",
)
@run_options
@project_options
@json_option
@pass_settings
def command(settings: Settings, step: str, entry: str | None, options: RunOptions) -> int:
    """Run STEP alone, on synthetic data, samples or folders of yours, and judge it."""
    from mlvalidate import api

    project = api.open_project(settings.directory)
    plan = api.plan_script(project, step, options.for_api(entry))
    return run_plan(settings, project, plan, options)
