"""`mlvalidate test-all`."""

from __future__ import annotations

import click

from mlvalidate.cli.run_options import RunOptions, suite_options
from mlvalidate.cli.running import run_suite
from mlvalidate.cli.settings import Settings, json_option, pass_settings, project_options


@click.command("test-all", short_help="Run all pipelines, and each step alone.")
@suite_options
@project_options
@json_option
@pass_settings
def command(settings: Settings, options: RunOptions) -> int:
    """Run every pipeline of the project and every step alone, and judge them.

    A step that needs what only a pipeline provides has no test of its own. Scenarios are for the
    steps alone; so are reports, which these have by default none of.
    """
    from mlvalidate import api

    project = api.open_project(settings.directory)
    suite = api.plan_all(project, options.for_api())
    return run_suite(settings, project, suite, options)
