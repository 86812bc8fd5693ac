"""`mlvalidate trend`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from mlvalidate.cli.completions import complete_nodes, complete_pipelines
from mlvalidate.cli.output import console_for, write_out
from mlvalidate.cli.settings import Settings, json_option, pass_settings, project_options

if TYPE_CHECKING:
    from mlvalidate.core.trend import Trend


def _complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    return [*complete_pipelines(ctx, param, incomplete), *complete_nodes(ctx, param, incomplete)]


@click.command("trend", short_help="Show how time, memory or a metric went over the last runs.")
@click.argument("name", metavar="PIPELINE|STEP", shell_complete=_complete)
@click.option(
    "--metric",
    metavar="METRIC",
    default="duration",
    show_default=True,
    help="duration, memory, rows, or any recorded metric; NODE.METRIC for that of one node.",
)
@click.option(
    "--last",
    type=click.IntRange(min=1, max=50_000),
    metavar="N",
    default=50,
    show_default=True,
    help="How many runs to look at.",
)
@click.option(
    "--html",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Also write charts to a page that needs no network.",
)
@project_options
@json_option
@pass_settings
def command(settings: Settings, name: str, metric: str, last: int, html: Path | None) -> int:
    """Show how a metric went over the last recorded runs of a pipeline and each of its steps, or of
    one step: in which run and at which commit it changed, what fails how often, and what is flaky.

    Only runs that are comparable are in one series: on the same machine, on as much data, ...
    """
    from mlvalidate import api, api_history
    from mlvalidate.core.errors import ExitCode
    from mlvalidate.reporting.trend_view import print_trend

    trend = api_history.trend(api.open_project(settings.directory), name, metric, last)
    if html is not None:
        _write_page(trend, html)
    if settings.json:
        write_out(trend.model_dump_json(indent=2))
    else:
        print_trend(console_for(settings), trend, quiet=settings.quiet)
    return ExitCode.PASSED


def _write_page(trend: Trend, path: Path) -> None:
    from mlvalidate.core.errors import UsageError
    from mlvalidate.reporting.figures.trend import trend_figure

    page = trend_figure(trend).to_html(include_plotlyjs=True)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise UsageError(
            f"can't write the charts to {path}: {error.strerror or error}",
            "name a file in a folder that you can write to",
        ) from error
