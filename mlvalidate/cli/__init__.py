"""The command line: one module per command, thin. `main` is the console entry point."""

from __future__ import annotations

from mlvalidate.cli.entry import main

__all__ = ["main"]
