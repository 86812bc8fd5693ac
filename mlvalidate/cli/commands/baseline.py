"""`mlvalidate baseline`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from mlvalidate.cli.output import console_for, write_out
from mlvalidate.cli.settings import Settings, json_option, pass_settings, project_options
from mlvalidate.core.errors import ExitCode

if TYPE_CHECKING:
    from mlvalidate.core.history import RunRecord


@click.group("baseline", short_help="Choose the run that later ones are compared with.")
def command() -> None:
    """Choose the run that later ones are compared with.

    There is one for each pipeline or step, data source and scenario. Without it, runs are compared
    with the last that passed.
    """


@command.command("set", short_help="Make a run the baseline.")
@click.argument("run")
@project_options
@json_option
@pass_settings
def set_(settings: Settings, run: str) -> int:
    """Make RUN the baseline of its pipeline or step, in the place of an earlier one.

    RUN is a run id or the start of one, or the name of a pipeline or step, of which the newest run
    is meant.
    """
    from mlvalidate import api, api_history

    chosen = api_history.set_baseline(api.open_project(settings.directory), run)
    return _tell(settings, (chosen,), "")


@command.command("show", short_help="List the baselines.")
@click.argument("name", required=False, default="")
@project_options
@json_option
@pass_settings
def show(settings: Settings, name: str) -> int:
    """List the baselines, of all pipelines and steps or of NAME."""
    from mlvalidate import api, api_history

    found = api_history.baselines(api.open_project(settings.directory), name)
    what = f" for {name!r}" if name else ""
    return _tell(settings, found, f"no baseline was chosen{what}: the last run that passed counts")


@command.command("clear", short_help="Forget the baseline of a pipeline or step.")
@click.argument("name")
@project_options
@json_option
@pass_settings
def clear(settings: Settings, name: str) -> int:
    """Forget the baselines of NAME, a pipeline or step. The runs stay."""
    from mlvalidate import api, api_history

    found = api_history.clear_baselines(api.open_project(settings.directory), name)
    return _tell(settings, found, "")


def _tell(settings: Settings, runs: tuple[RunRecord, ...], otherwise: str) -> int:
    from mlvalidate.reporting.baseline_view import print_baselines

    if settings.json:
        write_out(json.dumps([run.model_dump(mode="json") for run in runs], indent=2))
    elif not settings.quiet:
        print_baselines(console_for(settings), runs, otherwise)
    return ExitCode.PASSED
