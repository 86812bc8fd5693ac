"""`mlvalidate generate`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from mlvalidate.cli.commands.infer import FORMATS
from mlvalidate.cli.completions import complete_datasets, complete_scenarios
from mlvalidate.cli.output import console_for, write_out
from mlvalidate.cli.settings import Settings, json_option, pass_settings, project_options
from mlvalidate.core.errors import ExitCode


@click.command("generate", short_help="Write synthetic files of a dataset.")
@click.argument("dataset", shell_complete=complete_datasets)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    metavar="DIR",
    help="Folder to write to; files of the same names are replaced.",
)
@click.option(
    "--rows",
    type=click.IntRange(min=0),
    metavar="N",
    help="Rows, all shards together (default: as the dataset says).",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    metavar="N",
    help="Seed (default: as the project says).",
)
@click.option(
    "--scenario",
    metavar="S",
    shell_complete=complete_scenarios,
    help="Shape the data: a scenario with one case, or scenario.case.",
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(FORMATS),
    help="Write another format than the dataset's.",
)
@click.option(
    "--fidelity", is_flag=True, help="Compare what was written with the dataset's sample."
)
@click.option(
    "--against",
    type=click.Path(exists=True, path_type=Path),
    metavar="FILE",
    help="Compare with this file or folder instead.",
)
@project_options
@json_option
@pass_settings
def command(
    settings: Settings,
    dataset: str,
    out: Path,
    rows: int | None,
    seed: int | None,
    scenario: str | None,
    format_: str | None,
    fidelity: bool,
    against: Path | None,
) -> int:
    """Write synthetic files of DATASET into a folder.

    The same seed gives the same files, on every machine.
    """
    from mlvalidate import api
    from mlvalidate.core.datasets import FileFormat

    project = api.open_project(settings.directory)
    generated = api.generate(
        project,
        dataset,
        out,
        rows=rows,
        seed=seed,
        scenario=scenario,
        format=FileFormat(format_) if format_ else None,
        fidelity=fidelity,
        against=against,
    )
    if settings.json:
        write_out(json.dumps(generated.model_dump(mode="json"), indent=2, ensure_ascii=False))
    else:
        from mlvalidate.reporting.generation import print_generated

        print_generated(console_for(settings), generated, quiet=settings.quiet)
    return ExitCode.PASSED
