"""All checks together: codes, documentation, plugins."""

from __future__ import annotations

import pluggy
import pytest
from checks_evidence import make_evidence, make_outcome

from mlvalidate import hookspecs
from mlvalidate.checks import registry
from mlvalidate.checks.base import Check, join_names
from mlvalidate.checks.execution import ScriptFailed
from mlvalidate.core.errors import InfrastructureError


def test_codes_are_unique_and_documented() -> None:
    rules = [*registry.BUILTIN, *registry._OTHER_RULES]
    codes = [rule.code for rule in rules]
    assert len(set(codes)) == len(codes)
    assert all("What to do:" in (rule.__doc__ or "") for rule in rules)


def test_every_rule_is_on_the_reference_page() -> None:
    page = registry.reference_page()
    for rule in (*registry.BUILTIN, *registry._OTHER_RULES):
        assert f"### {rule.code} {rule.__name__}\n\n*{rule.severity.value}*" in page
    headings = [line for line in page.splitlines() if line.startswith("### ")]
    families = [line for line in page.splitlines() if line.startswith("## ")]
    assert headings == sorted(headings, key=lambda line: line.split()[1])
    assert len(families) == len({line.split()[1][0] for line in headings})


def test_all_checks_are_sorted_by_code() -> None:
    codes = [check.code for check in registry.all_checks()]
    assert codes == sorted(codes)
    assert set(registry.BUILTIN) <= set(registry.all_checks())


def test_two_checks_must_not_share_a_code(monkeypatch: pytest.MonkeyPatch) -> None:
    class Other(ScriptFailed):
        pass

    class Plugin:
        @staticmethod
        @hookspecs.hookimpl
        def mlvalidate_checks() -> list[type[Check]]:
            return [Other]

    manager = pluggy.PluginManager("mlvalidate")
    manager.add_hookspecs(hookspecs)
    manager.register(registry._Builtin())
    manager.register(Plugin())
    monkeypatch.setattr(registry, "plugin_manager", lambda: manager)
    with pytest.raises(InfrastructureError, match="share the code X201"):
        registry.all_checks.__wrapped__()


def test_a_plugin_that_can_not_be_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: object) -> None:
        raise ZeroDivisionError("in the plugin")

    monkeypatch.setattr(pluggy.PluginManager, "load_setuptools_entrypoints", fail)
    with pytest.raises(InfrastructureError, match="ZeroDivisionError: in the plugin") as caught:
        registry.plugin_manager.__wrapped__()
    assert caught.value.hint


def test_checks_that_need_success_are_left_out_of_a_failure() -> None:
    evidence = make_evidence(message="x", outcome=make_outcome(exit_code=1))
    assert [finding.code for finding in registry.judge_step(evidence)] == ["X201"]


def test_evidence_is_bounded() -> None:
    finding = ScriptFailed().finding(
        make_evidence(), "m", examples=["x" * 1000, *(str(n) for n in range(20))]
    )
    assert len(finding.evidence) == 5
    assert len(finding.evidence[0]) == 300
    assert finding.evidence[0].endswith("...")


def test_join_names() -> None:
    assert join_names([]) == ""
    assert join_names("abc") == "a, b, c"
    assert join_names("abcdef") == "a, b, c, d, e, f"
    assert join_names("abcdefg") == "a, b, c, d, e, f and 1 more"
