"""The formats that a run can be written in: mlvalidate's own and those of plugins."""

from __future__ import annotations

from collections.abc import Mapping

from mlvalidate.checks.registry import plugin_manager
from mlvalidate.core.errors import InfrastructureError
from mlvalidate.core.reporters import Reporter
from mlvalidate.hookspecs import hookimpl


class _Builtin:
    """Registers mlvalidate's own formats as a plugin would."""

    @staticmethod
    @hookimpl
    def mlvalidate_reporters() -> Mapping[str, Reporter]:
        from mlvalidate.reporting.comment import render_comment
        from mlvalidate.reporting.junit import render_junit
        from mlvalidate.reporting.sarif import render_sarif

        return {"junit": render_junit, "markdown": render_comment, "sarif": render_sarif}


def all_reporters() -> dict[str, Reporter]:
    """Return the writers by name; InfrastructureError when two plugins offer the same."""
    manager = plugin_manager()
    if not manager.has_plugin("mlvalidate-formats"):
        manager.register(_Builtin(), "mlvalidate-formats")
    found: dict[str, Reporter] = {}
    for reporters in manager.hook.mlvalidate_reporters():
        for name, reporter in reporters.items():
            if name in found:
                raise InfrastructureError(
                    f"two writers share the name {name!r}",
                    "update or uninstall the plugin that brings the second",
                )
            found[name] = reporter
    return found
