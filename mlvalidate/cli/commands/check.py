"""`mlvalidate check`."""

from __future__ import annotations

import json

import click

from mlvalidate.cli.completions import complete_steps
from mlvalidate.cli.output import console_for, write_out
from mlvalidate.cli.settings import Settings, json_option, pass_settings, project_options
from mlvalidate.core.errors import ExitCode


@click.command("check", short_help="Compare contracts with scripts, without running anything.")
@click.argument("names", nargs=-1, metavar="[NAMES]...", shell_complete=complete_steps)
@click.option("--strict", is_flag=True, help="Fail on warnings too.")
@project_options
@json_option
@pass_settings
def command(settings: Settings, names: tuple[str, ...], strict: bool) -> int:
    """Compare the contracts of NAMES, steps or pipelines, with their scripts. Nothing is run."""
    from mlvalidate import api
    from mlvalidate.core.findings import Severity, count_findings
    from mlvalidate.reporting.findings import print_static_findings

    project = api.open_project(settings.directory)
    findings = api.check(project, names)
    counts = count_findings(findings)
    if settings.json:
        shown = [finding.model_dump(mode="json") for finding in findings]
        write_out(json.dumps({"findings": shown, "counts": counts}, indent=2, ensure_ascii=False))
    else:
        print_static_findings(console_for(settings), findings, quiet=settings.quiet)
    failed = counts[Severity.ERROR] or (strict and counts[Severity.WARNING])
    return ExitCode.FAILED if failed else ExitCode.PASSED
