"""`mlvalidate benchmark`."""

from __future__ import annotations

import click

from mlvalidate.cli.completions import complete_steps
from mlvalidate.cli.run_options import RunOptions, measurement_options
from mlvalidate.cli.running import run_plan
from mlvalidate.cli.settings import Settings, json_option, pass_settings, project_options


def _parse_volumes(ctx: click.Context, param: click.Parameter, value: str) -> tuple[int, ...]:
    from mlvalidate.core.units import parse_count

    try:
        return tuple(sorted({parse_count(each) for each in value.split(",")}))
    except ValueError as error:
        raise click.BadParameter(str(error), ctx, param) from None


@click.command("benchmark", short_help="Measure how a step grows with its data.")
@click.argument("step", shell_complete=complete_steps)
@click.option(
    "--rows",
    "volumes",
    metavar="N,N,...",
    default="1k,10k,100k",
    show_default=True,
    callback=_parse_volumes,
    help="Rows of each synthetic dataset, one volume after the other.",
)
@click.option(
    "--repeat",
    type=click.IntRange(min=1),
    metavar="N",
    default=3,
    show_default=True,
    help="How often each volume is measured.",
)
@click.option(
    "--profile",
    is_flag=True,
    help="Run the largest volume again under profilers: time by function with pyinstrument or "
    "cProfile, memory by line with memray where the step's interpreter has it.",
)
@measurement_options
@project_options
@json_option
@pass_settings
def command(
    settings: Settings,
    step: str,
    volumes: tuple[int, ...],
    repeat: int,
    profile: bool,
    options: RunOptions,
) -> int:
    """Run STEP on several volumes of synthetic data and say how its time and its memory grow.

    Predicts both for the `volume` of rows that the step's contract names.
    """
    from mlvalidate import api

    project = api.open_project(settings.directory)
    plan = api.plan_benchmark(project, step, volumes, repeat, options.for_api(), profile=profile)
    return run_plan(settings, project, plan, options)
