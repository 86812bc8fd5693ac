"""Names from the project file, for the shell's completion."""

from __future__ import annotations

import click
from click.shell_completion import CompletionItem

from mlvalidate.cli.settings import Settings
from mlvalidate.core.errors import MlvalidateError


def complete_pipelines(
    ctx: click.Context, _param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the pipelines that begin with what is typed."""
    return _matching(ctx, "pipelines", incomplete)


def complete_steps(
    ctx: click.Context, _param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the steps that begin with what is typed."""
    return _matching(ctx, "steps", incomplete)


def complete_nodes(
    ctx: click.Context, _param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the nodes of the pipelines that begin with what is typed."""
    from mlvalidate import api

    try:
        project = api.open_project(ctx.ensure_object(Settings).directory)
    except (MlvalidateError, OSError):
        return []
    nodes = dict.fromkeys(node for pipe in project.pipelines.values() for node in pipe.nodes)
    return [CompletionItem(node) for node in nodes if node.startswith(incomplete)]


def complete_datasets(
    ctx: click.Context, _param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the datasets that begin with what is typed."""
    return _matching(ctx, "datasets", incomplete)


def complete_scenarios(
    _ctx: click.Context, _param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the scenarios and their cases that begin with what is typed."""
    from mlvalidate.core.scenarios import Scenario, every_case

    names = [*Scenario, *(case.name for case in every_case()), "all"]
    return [CompletionItem(name) for name in dict.fromkeys(names) if name.startswith(incomplete)]


def _matching(ctx: click.Context, section: str, incomplete: str) -> list[CompletionItem]:
    from mlvalidate import api

    try:
        project = api.open_project(ctx.ensure_object(Settings).directory)
    except (MlvalidateError, OSError):
        # A project file that is being edited: completing nothing beats an error in the prompt.
        return []
    return [
        CompletionItem(name, help=item.description or None)
        for name, item in getattr(project, section).items()
        if name.startswith(incomplete)
    ]
