"""`mlvalidate schema`."""

from __future__ import annotations

import json

import click

from mlvalidate.cli.output import write_out
from mlvalidate.core.errors import ExitCode


@click.command("schema", short_help="Print the JSON Schema of mlvalidate.yaml.")
def command() -> int:
    """Print the JSON Schema of mlvalidate.yaml, for editors and linters."""
    from mlvalidate import api

    write_out(json.dumps(api.json_schema(), indent=2, ensure_ascii=False))
    return ExitCode.PASSED
