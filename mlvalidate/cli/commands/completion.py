"""`mlvalidate completion`."""

from __future__ import annotations

import os
from pathlib import PurePath

import click
from click.shell_completion import get_completion_class

from mlvalidate.cli.output import write_out
from mlvalidate.core.errors import ExitCode

SHELLS = ("bash", "zsh", "fish")


@click.command("completion", short_help="Print the completion script of a shell.")
@click.argument("shell", type=click.Choice(SHELLS), required=False)
@click.pass_context
def command(ctx: click.Context, shell: str | None) -> int:
    """Print the script that completes commands, options, steps and pipelines in SHELL.

    \b
    bash: eval "$(mlvalidate completion bash)"       in ~/.bashrc
    zsh:  eval "$(mlvalidate completion zsh)"        in ~/.zshrc
    fish: mlvalidate completion fish | source        in ~/.config/fish/config.fish

    SHELL is the one that runs (from $SHELL) when it is left out.
    """
    shell = shell or PurePath(os.environ.get("SHELL", "")).name
    kind = get_completion_class(shell) if shell in SHELLS else None
    if kind is None:
        raise click.UsageError(f"say which shell: {', '.join(SHELLS)}", ctx)
    root = ctx.find_root()
    write_out(kind(root.command, {}, "mlvalidate", "_MLVALIDATE_COMPLETE").source())
    return ExitCode.PASSED
