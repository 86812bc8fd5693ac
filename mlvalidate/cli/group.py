"""The top of the command line: which commands there are, without importing any of them."""

from __future__ import annotations

import importlib

import click

from mlvalidate.cli.settings import json_option, project_options
from mlvalidate.core.suggest import did_you_mean

# Name -> (module below mlvalidate.cli.commands, line in the help). A test compares the lines with
# the commands' own.
COMMANDS = {
    "test-pipeline": ("test_pipeline", "Run and judge the steps of a pipeline."),
    "test-script": ("test_script", "Run and judge one step alone."),
    "test-all": ("test_all", "Run all pipelines, and each step alone."),
    "benchmark": ("benchmark", "Measure how a step grows with its data."),
    "check": ("check", "Compare contracts with scripts, without running anything."),
    "compare": ("compare", "Show what has changed between two recorded runs."),
    "baseline": ("baseline", "Choose the run that later ones are compared with."),
    "list": ("list_project", "List the pipelines, steps and datasets of the project."),
    "infer": ("infer", "Print the dataset that a file seems to hold."),
    "generate": ("generate", "Write synthetic files of a dataset."),
    "cache": ("cache", "List, shrink or empty the cache of steps that passed."),
    "trend": ("trend", "Show how time, memory or a metric went over the last runs."),
    "ui": ("ui", "Open MLflow's pages on the recorded runs."),
    "server": ("server", "Run an MLflow server for a team."),
    "sync": ("sync", "Record the runs that are not in MLflow yet."),
    "gc": ("gc", "Throw old runs away, here and in MLflow."),
    "schema": ("schema", "Print the JSON Schema of mlvalidate.yaml."),
    "completion": ("completion", "Print the completion script of a shell."),
}


class LazyGroup(click.Group):
    """A group that imports a command's module when the command is called, and not before."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return the names in the order of the table."""
        return list(COMMANDS)

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002
        cmd_name: str,
    ) -> click.Command | None:
        """Import the command; None when there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"mlvalidate.cli.commands.{COMMANDS[cmd_name][0]}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that is called; an unknown one is answered with the nearest."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-") and not ctx.resilient_parsing:
            meant = (
                did_you_mean(name, COMMANDS) or f"there is {', '.join(map(repr, sorted(COMMANDS)))}"
            )
            message = f"there is no command {name!r}: {meant}"
            raise click.UsageError(message, ctx)
        return super().resolve_command(ctx, args)

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002
        formatter: click.HelpFormatter,
    ) -> None:
        """List the commands from the table."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.group(
    "mlvalidate",
    cls=LazyGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(
    None, "--version", package_name="mlvalidate", message="mlvalidate %(version)s"
)
@project_options
@json_option
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Run every script of an ML pipeline before the cloud does.

    Checks what flows between the scripts and keeps every run in MLflow.

    \b
    Exit codes: 0 passed, 1 failed, 2 wrong call or project file,
    3 internal error or this machine can't, 5 nothing ran, 130 interrupted.
    """
    if ctx.invoked_subcommand is None and not ctx.resilient_parsing:
        click.echo(ctx.get_help())
        # Nothing was asked for: a script that forgot the command must not go on as if it passed.
        ctx.exit(2)
