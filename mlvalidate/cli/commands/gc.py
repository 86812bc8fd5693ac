"""`mlvalidate gc`."""

from __future__ import annotations

import click

from mlvalidate.cli.output import console_for, write_out
from mlvalidate.cli.settings import Settings, json_option, pass_settings, project_options
from mlvalidate.core.errors import ExitCode


def _age(ctx: click.Context, param: click.Parameter, value: str) -> float:
    from mlvalidate.core.units import parse_duration

    try:
        return parse_duration(value)
    except ValueError as problem:
        raise click.BadParameter(str(problem), ctx, param) from None


@click.command("gc", short_help="Throw old runs away, here and in MLflow.")
@click.argument("what", nargs=-1, type=click.Choice(["data", "journals", "runs"]))
@click.option(
    "--keep",
    type=click.IntRange(min=1),
    default=10,
    show_default=True,
    metavar="N",
    help="How many runs of each pipeline and step stay in any case.",
)
@click.option(
    "--older-than",
    default="30d",
    show_default=True,
    callback=_age,
    metavar="AGE",
    help="Younger runs stay in any case.",
)
@click.option("--delete", is_flag=True, help="Do it. Without, only say what would go.")
@project_options
@json_option
@pass_settings
def command(
    settings: Settings, what: tuple[str, ...], keep: int, older_than: float, delete: bool
) -> int:
    """Throw old runs away. WHAT is `data` (inputs, outputs and samples in the folders of runs),
    `journals` (these folders) or `runs` (those of the project in MLflow); by default the last two.

    Nothing is deleted without --delete. What waits to be recorded, what runs, chosen baselines and
    the last run that passed stay.
    """
    from mlvalidate import api, api_history
    from mlvalidate.core.retention import Retention, Sort
    from mlvalidate.reporting.retention_view import print_collected

    sorts = tuple(dict.fromkeys(map(Sort, what))) or (Sort.JOURNALS, Sort.RUNS)
    retention = Retention(sorts=sorts, keep=keep, older_than=older_than)
    project = api.open_project(settings.directory)
    collected = api_history.collect_garbage(project, retention, dry=not delete)
    if settings.json:
        write_out(collected.model_dump_json(indent=2))
    else:
        print_collected(console_for(settings), collected, details=settings.verbose)
    failed = any(removal.failed for removal in collected.removals)
    return ExitCode.INTERNAL if failed else ExitCode.PASSED
