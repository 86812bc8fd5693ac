"""What holds for every command, and the options that set it, before or after the command's name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


@dataclass
class Settings:
    """The common options. The command's own place wins over the one before its name."""

    directory: Path | None = None
    verbose: bool = False
    quiet: bool = False
    json: bool = False


def project_options(function: F) -> F:
    """Add -C, -v and -q; their values are in the `Settings` of the context."""
    for decorate in reversed((_DIRECTORY, _VERBOSE, _QUIET)):
        function = decorate(function)
    return function


def listen_options(function: F) -> F:
    """Add --host and --port of a server, and pass them on."""
    return _HOST(_PORT(function))


pass_settings = click.make_pass_decorator(Settings, ensure=True)


def _keep(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    settings = ctx.ensure_object(Settings)
    if param.name and value not in (None, False):
        setattr(settings, param.name, value)
    if settings.verbose and settings.quiet:
        raise click.UsageError("--verbose and --quiet exclude each other", ctx)


_DIRECTORY = click.option(
    "-C",
    "--directory",
    type=click.Path(exists=True, path_type=Path),
    metavar="DIR",
    callback=_keep,
    expose_value=False,
    help="Folder of the project, or its file (default: the nearest folder from here up).",
)
_VERBOSE = click.option(
    "-v",
    "--verbose",
    is_flag=True,
    callback=_keep,
    expose_value=False,
    help="Show more: ends of logs, findings of severity info, tracebacks of mlvalidate itself.",
)
_QUIET = click.option(
    "-q",
    "--quiet",
    is_flag=True,
    callback=_keep,
    expose_value=False,
    help="Show the verdict only.",
)
json_option = click.option(
    "--json",
    is_flag=True,
    callback=_keep,
    expose_value=False,
    help="Write JSON to stdout, and everything for people to stderr.",
)
_HOST = click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    metavar="H",
    help="Address to listen on; 0.0.0.0 lets other machines in.",
)
_PORT = click.option(
    "--port",
    type=click.IntRange(1, 65535),
    default=5000,
    show_default=True,
    metavar="P",
    help="Port to listen on.",
)
