"""`mlvalidate sync`."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from mlvalidate.cli.output import console_for, write_out
from mlvalidate.cli.settings import Settings, json_option, pass_settings, project_options
from mlvalidate.core.errors import ExitCode


@click.command("sync", short_help="Record the runs that are not in MLflow yet.")
@project_options
@json_option
@pass_settings
def command(settings: Settings) -> int:
    """Close runs that were killed, and record in MLflow what is not there yet, once and only once.

    Exits with 3 when a run still waits, for instance because the server is away.
    """
    from mlvalidate import api
    from mlvalidate.reporting.sync_view import print_sync

    report = api.sync(api.open_project(settings.directory))
    if settings.json:
        write_out(json.dumps(asdict(report), indent=2, ensure_ascii=False))
    elif report.pending or not settings.quiet:
        print_sync(
            console_for(settings),
            recorded=len(report.recorded),
            closed=len(report.closed),
            reports=report.reports,
            pending={run.run_id: run.reason for run in report.pending},
        )
    return ExitCode.INTERNAL if report.pending else ExitCode.PASSED
