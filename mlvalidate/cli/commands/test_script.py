"""`mlvalidate test-script`."""

from __future__ import annotations

import click

from mlvalidate.cli.completions import complete_steps
from mlvalidate.cli.output import console_for
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
@click.option(
    "--explore",
    type=click.IntRange(min=1),
    metavar="N",
    help="First look for a small input within the contract that makes the step fail: N tries, and "
    "as many to make it smaller.",
)
@run_options
@project_options
@json_option
@pass_settings
def command(
    settings: Settings, step: str, entry: str | None, explore: int | None, options: RunOptions
) -> int:
    """Run STEP alone, on synthetic data, samples or folders of yours, and judge it."""
    from mlvalidate import api
    from mlvalidate.reporting.exploration import ExplorationProgress

    project = api.open_project(settings.directory)
    chosen = options.for_api(entry, explore)
    if explore is None or options.dry_run:
        plan = api.plan_script(project, step, chosen)
    else:
        progress = ExplorationProgress(console_for(settings), explore, quiet=settings.quiet)
        plan = api.plan_exploration(project, step, chosen, progress.handle)
    return run_plan(settings, project, plan, options)
