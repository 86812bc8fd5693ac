"""`mlvalidate compare`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlvalidate.cli.completions import complete_pipelines
from mlvalidate.cli.output import console_for, write_out
from mlvalidate.cli.run_options import RunOptions, data_options
from mlvalidate.cli.settings import Settings, json_option, pass_settings, project_options
from mlvalidate.core.errors import ExitCode, InfrastructureError

if TYPE_CHECKING:
    from mlvalidate.core.results import PipelineResult

REPEAT = 10
# The values of core.comparison.FailOn, which imports pydantic; a test compares them.
FAIL_ON = (
    "status", "new-findings", "slower", "memory", "rows", "metrics", "schema", "drift",
)  # fmt: skip


_FILE = click.Path(dir_okay=False, path_type=Path)


def _parse_fail_on(ctx: click.Context, param: click.Parameter, value: str) -> tuple[str, ...]:
    from mlvalidate.core.suggest import did_you_mean

    names = tuple(dict.fromkeys(name.strip() for name in value.split(",") if name.strip()))
    for name in names:
        if name not in FAIL_ON:
            hint = did_you_mean(name, FAIL_ON)
            raise click.BadParameter(f"there is no {name!r}: {hint}", ctx, param)
    return names


@click.command("compare", short_help="Show what has changed between two recorded runs.")
@click.argument("run", required=False, shell_complete=complete_pipelines)
@click.option(
    "--baseline",
    metavar="REF",
    help="What to compare with: a run id, last-passed, last:N, branch:NAME, or name=value of a "
    "tag in MLflow (default: as `baseline set` says, else last-passed).",
)
@click.option(
    "--against",
    metavar="COMMIT",
    help="Compare the code as it is with that of a commit instead: run both, in turn. RUN is then "
    "a pipeline or a step.",
)
@click.option(
    "--repeat",
    type=click.IntRange(min=1),
    metavar="N",
    help="With --against: how often each is run (default: 10).",
)
@click.option(
    "--fail-on",
    metavar="SORT,...",
    default="",
    callback=_parse_fail_on,
    help=f"Exit with 1 on changes of these sorts: {', '.join(FAIL_ON)}.",
)
@click.option("--markdown", type=_FILE, metavar="FILE", help="Write it in markdown as well.")
@click.option(
    "--html", type=_FILE, metavar="FILE", help="Write a page with a chart of all measurements."
)
@click.option(
    "--log", is_flag=True, help="Keep the page in MLflow, as an artifact of the newer run."
)
@data_options
@project_options
@json_option
@pass_settings
def command(
    settings: Settings,
    run: str | None,
    baseline: str | None,
    against: str | None,
    repeat: int | None,
    fail_on: tuple[str, ...],
    markdown: Path | None,
    html: Path | None,
    log: bool,
    options: RunOptions,
) -> int:
    """Compare RUN with an earlier one, step by step.

    RUN is a run id or the start of one, or the name of a pipeline or step, of which the newest run
    is meant. Without it, it is the newest run of any pipeline.

    --data, --data-dir, --rows and --seed are for --against.
    """
    from mlvalidate import api, api_history
    from mlvalidate.core.comparison import FailOn
    from mlvalidate.reporting.comparison import print_comparison
    from mlvalidate.reporting.comparison_pages import render_html, render_markdown

    _check(against is not None, baseline, log, repeat, options)
    project = api.open_project(settings.directory)
    if against is None:
        comparison = api_history.compare(project, run or "", baseline or "baseline")
    else:
        comparison = api_history.compare_code(
            project,
            against,
            run or "",
            repeat=repeat or REPEAT,
            options=options.for_api(),
            on_round=_ignore if settings.quiet else _tell_round,
        )
    sorts = tuple(map(FailOn, fail_on))
    if settings.json:
        write_out(comparison.model_dump_json(indent=2))
    print_comparison(console_for(settings), comparison, sorts, quiet=settings.quiet)
    if markdown is not None:
        _write(markdown, render_markdown(comparison, sorts))
    page = render_html(comparison, sorts) if html is not None or log else ""
    if html is not None:
        _write(html, page)
    if log:
        api_history.log_comparison(project, comparison, page)
    return ExitCode.FAILED if comparison.failures(sorts) else ExitCode.PASSED


def _check(
    against: bool, baseline: str | None, log: bool, repeat: int | None, options: RunOptions
) -> None:
    """Refuse options that would do nothing."""
    if against and (baseline is not None or log):
        other = "--log" if log else "--baseline"
        raise click.UsageError(f"{other} is about recorded runs: --against records none")
    if not against and (repeat is not None or options != RunOptions()):
        raise click.UsageError("--repeat and options on data need --against: nothing is run here")


def _tell_round(number: int, before: PipelineResult, after: PipelineResult) -> None:
    from mlvalidate.core.units import format_duration

    seconds = [
        format_duration(sum(step.usage.duration_s for step in result.steps))
        for result in (before, after)
    ]
    click.echo(f"round {number}: {seconds[0]} before, {seconds[1]} after", err=True)


def _ignore(_number: int, _before: PipelineResult, _after: PipelineResult) -> None:
    """Tell nothing of a round."""


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise InfrastructureError(f"can't write {path}: {error.strerror}") from error
