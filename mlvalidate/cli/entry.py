"""The console entry point: parse, run, answer with an exit code."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import NoReturn

from mlvalidate.cli.faults import report_fault
from mlvalidate.cli.group import cli
from mlvalidate.cli.output import flush_output, prepare_streams
from mlvalidate.cli.settings import Settings


def main() -> NoReturn:
    """Run the command line of this process and exit."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run a command line and return its exit code; whatever goes wrong is told on stderr."""
    settings = Settings()
    prepare_streams()
    try:
        code = cli.main(
            args=list(arguments), prog_name="mlvalidate", standalone_mode=False, obj=settings
        )
        # Now, while a full disk can still be told, and not when the interpreter shuts down.
        flush_output()
    except (Exception, KeyboardInterrupt) as error:
        return report_fault(error, verbose=settings.verbose)
    return int(code or 0)
