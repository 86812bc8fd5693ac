"""`mlvalidate cache`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from mlvalidate.cli.output import console_for, write_out
from mlvalidate.cli.settings import Settings, json_option, pass_settings, project_options
from mlvalidate.core.errors import ExitCode

if TYPE_CHECKING:
    from mlvalidate.core.reuse import Pruned


@click.group("cache", short_help="List, shrink or empty the cache of steps that passed.")
def command() -> None:
    """List, shrink or empty the cache of steps that passed.

    What is in it need not run again. Its limit is `cache: {limit: 5GB}` in mlvalidate.yaml.
    """


@command.command("ls", short_help="List what is kept.")
@project_options
@json_option
@pass_settings
def ls(settings: Settings) -> int:
    """List the steps that are kept, the last used first."""
    from mlvalidate import api
    from mlvalidate.reporting.cache_view import print_cache

    project = api.open_project(settings.directory)
    steps = api.cached_steps(project)
    if settings.json:
        write_out(json.dumps([step.model_dump(mode="json") for step in steps], indent=2))
    else:
        print_cache(console_for(settings), steps, project.cache.limit, quiet=settings.quiet)
    return ExitCode.PASSED


def _size(ctx: click.Context, param: click.Parameter, value: str | None) -> int | None:
    from mlvalidate.core.units import parse_size

    try:
        return None if value is None else parse_size(value)
    except ValueError as problem:
        raise click.BadParameter(str(problem), ctx, param) from None


@command.command("prune", short_help="Remove what was not used longest.")
@click.option(
    "--limit",
    callback=_size,
    metavar="SIZE",
    help="Size that is left at most, such as 500MB (default: as the project says).",
)
@project_options
@json_option
@pass_settings
def prune(settings: Settings, limit: int | None) -> int:
    """Remove what was not used longest, until the rest fits into the limit."""
    from mlvalidate import api

    return _tell(settings, api.prune_cache(api.open_project(settings.directory), limit))


@command.command("clear", short_help="Remove everything.")
@project_options
@json_option
@pass_settings
def clear(settings: Settings) -> int:
    """Remove everything: the next run runs every step."""
    from mlvalidate import api

    return _tell(settings, api.clear_cache(api.open_project(settings.directory)))


def _tell(settings: Settings, pruned: Pruned) -> int:
    from mlvalidate.reporting.cache_view import print_pruned

    if settings.json:
        write_out(pruned.model_dump_json(indent=2))
    elif not settings.quiet:
        print_pruned(console_for(settings), pruned)
    return ExitCode.PASSED
