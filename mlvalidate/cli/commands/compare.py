"""`mlvalidate compare`."""

from __future__ import annotations

from pathlib import Path

import click

from mlvalidate.cli.output import console_for, write_out
from mlvalidate.cli.settings import Settings, json_option, pass_settings, project_options
from mlvalidate.core.errors import ExitCode, InfrastructureError

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
@click.argument("run", required=False)
@click.option(
    "--baseline",
    metavar="REF",
    default="last-passed",
    show_default=True,
    help="What to compare with: a run id, last-passed, last:N, branch:NAME, or name=value of a "
    "tag in MLflow.",
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
@project_options
@json_option
@pass_settings
def command(
    settings: Settings,
    run: str | None,
    baseline: str,
    fail_on: tuple[str, ...],
    markdown: Path | None,
    html: Path | None,
    log: bool,
) -> int:
    """Compare RUN with an earlier one, step by step.

    RUN is a run id or the start of one, or the name of a pipeline or step, of which the newest run
    is meant. Without it, it is the newest run of any pipeline.
    """
    from mlvalidate import api, api_history
    from mlvalidate.core.comparison import FailOn
    from mlvalidate.reporting.comparison import print_comparison
    from mlvalidate.reporting.comparison_pages import render_html, render_markdown

    project = api.open_project(settings.directory)
    comparison = api_history.compare(project, run or "", baseline)
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


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise InfrastructureError(f"can't write {path}: {error.strerror}") from error
