"""The hooks that plugins may implement. This file is their manual.

A plugin is a distribution with an entry point in the group ``mlvalidate`` that names a module or
an object with functions marked by `hookimpl`:

    # pyproject.toml of the plugin
    [project.entry-points.mlvalidate]
    my_checks = "my_package.mlvalidate_plugin"

    # my_package/mlvalidate_plugin.py
    from mlvalidate.hookspecs import hookimpl

    @hookimpl
    def mlvalidate_checks():
        return [MyCheck]

mlvalidate's own checks register through the same hook.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlvalidate.checks.base import Check

hookspec = pluggy.HookspecMarker("mlvalidate")
hookimpl = pluggy.HookimplMarker("mlvalidate")


@hookspec
def mlvalidate_checks() -> Sequence[type[Check]]:  # type: ignore[empty-body]
    """Return check classes that look at every executed step.

    Each has a code of its own (a letter and three digits; third parties use ``Z``), a severity
    and a docstring, which is its documentation. See `mlvalidate.checks.base`.
    """
