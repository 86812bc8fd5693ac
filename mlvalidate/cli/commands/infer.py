"""`mlvalidate infer`."""

from __future__ import annotations

from pathlib import Path

import click

from mlvalidate.cli.output import write_out
from mlvalidate.cli.settings import Settings, json_option, pass_settings, project_options
from mlvalidate.core.errors import ExitCode

# The values of core.datasets.FileFormat, which imports pydantic; a test compares them.
FORMATS = ("csv", "tsv", "parquet", "json", "jsonl")


@click.command("infer", short_help="Print the dataset that a file seems to hold.")
@click.argument("file", type=click.Path(exists=True, path_type=Path))
@click.option("--name", metavar="NAME", help="Name of the dataset (default: as the file).")
@click.option(
    "--rows-sampled",
    "rows",
    type=click.IntRange(min=1),
    metavar="N",
    default=100_000,
    show_default=True,
    help="Rows that are looked at; of a larger file so many are drawn.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    metavar="N",
    default=0,
    show_default=True,
    help="Seed of what is drawn.",
)
@click.option(
    "--rarest",
    type=click.IntRange(min=1),
    metavar="K",
    default=5,
    show_default=True,
    help="Repeat no value that fewer than K rows have.",
)
@click.option("--no-correlations", is_flag=True, help="Leave the rank correlations out.")
@click.option(
    "--format", "format_", type=click.Choice(FORMATS), help="Format (default: as the name ends)."
)
@project_options
@json_option
@pass_settings
def command(
    settings: Settings,
    file: Path,
    name: str | None,
    rows: int,
    seed: int,
    rarest: int,
    no_correlations: bool,
    format_: str | None,
) -> int:
    """Read FILE, or the files of one table in a folder, and print the dataset that it seems to
    hold, to be pasted below `datasets:` of the project file.

    No row of the file is repeated, and no value that fewer than K rows have.
    """
    from mlvalidate import api
    from mlvalidate.core.datasets import FileFormat
    from mlvalidate.data.inference.options import InferenceOptions

    options = InferenceOptions(
        rows=rows,
        rarest=rarest,
        correlations=not no_correlations,
        seed=seed,
        format=FileFormat(format_) if format_ else None,
    )
    inferred = api.infer(file, options, name=name or "", directory=settings.directory)
    write_out(inferred.json() if settings.json else inferred.yaml().rstrip("\n"))
    return ExitCode.PASSED
