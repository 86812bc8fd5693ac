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

mlvalidate's own checks and formats register through the same hooks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlvalidate.checks.base import Check
    from mlvalidate.core.reporters import Reporter

hookspec = pluggy.HookspecMarker("mlvalidate")
hookimpl = pluggy.HookimplMarker("mlvalidate")


@hookspec
def mlvalidate_checks() -> Sequence[type[Check]]:  # type: ignore[empty-body]
    """Return check classes that look at every executed step.

    Each has a code of its own (a letter and three digits; third parties use ``Z``), a severity
    and a docstring, which is its documentation. See `mlvalidate.checks.base`.
    """


@hookspec
def mlvalidate_reporters() -> Mapping[str, Reporter]:  # type: ignore[empty-body]
    """Return formats that a run can be written in, by name: `--output NAME=FILE` asks for one.

    A reporter is a function that takes a `mlvalidate.core.reporters.Report` and returns the text
    of the file. It changes nothing and prints nothing. Names of two plugins must differ.
    """
