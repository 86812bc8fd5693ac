"""All checks: mlvalidate's own and those of plugins, through the same hook."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from functools import cache

import pluggy

from mlvalidate import hookspecs
from mlvalidate.checks import (
    custom,
    declared,
    drift,
    edge_contracts,
    edges,
    execution,
    expectations,
    gates,
    growth,
    inside,
    leakage,
    limits,
    missing_input,
    outputs,
    pipeline,
    repeated,
    static,
    tables,
    values,
)
from mlvalidate.checks.base import Check, Rule, check_result
from mlvalidate.checks.evidence import Evidence
from mlvalidate.core.errors import InfrastructureError
from mlvalidate.core.findings import Finding
from mlvalidate.core.results import CheckResult

BUILTIN: tuple[type[Check], ...] = (
    *execution.CHECKS,
    *limits.CHECKS,
    *outputs.CHECKS,
    *tables.CHECKS,
    *values.CHECKS,
    *declared.CHECKS,
    *leakage.CHECKS,
    *inside.CHECKS,
    *repeated.CHECKS,
    *custom.CHECKS,
    *edges.CHECKS,
)


# Found by the engine and by the gates, not by looking at one executed step.
_OTHER_RULES: tuple[type[Rule], ...] = (
    *static.RULES,
    edge_contracts.EdgeUnfit,
    expectations.InputAccepted,
    expectations.FailureUnclear,
    missing_input.SourceMissing,
    pipeline.FiguresDiffer,
    pipeline.RowsDisagree,
    *drift.RULES,
    growth.LimitExceeded,
    growth.GrowthSteep,
    gates.GateFailed,
    gates.GateWithoutValue,
    gates.GateNotJudged,
)


class _Builtin:
    """Registers mlvalidate's own checks as a plugin would."""

    @staticmethod
    @hookspecs.hookimpl
    def mlvalidate_checks() -> Sequence[type[Check]]:
        return BUILTIN


@cache
def plugin_manager() -> pluggy.PluginManager:
    """Return the manager with the built-in checks and every installed plugin."""
    manager = pluggy.PluginManager("mlvalidate")
    manager.add_hookspecs(hookspecs)
    manager.register(_Builtin())
    try:
        manager.load_setuptools_entrypoints("mlvalidate")
    except Exception as error:
        # Whatever a third party's module raises while it is imported is that plugin's fault.
        raise InfrastructureError(
            f"a plugin can't be loaded: {type(error).__name__}: {error}",
            "update or uninstall the distribution that offers it",
        ) from error
    return manager


@cache
def all_checks() -> tuple[type[Check], ...]:
    """Return every check class, by code; InfrastructureError when two share a code."""
    found = [check for checks in plugin_manager().hook.mlvalidate_checks() for check in checks]
    by_code: dict[str, type[Check]] = {}
    for check in found:
        other = by_code.setdefault(check.code, check)
        if other is not check:
            raise InfrastructureError(
                f"the checks {other.__qualname__} and {check.__qualname__} share the code "
                f"{check.code}",
                "a plugin's codes begin with Z",
            )
    return tuple(by_code[code] for code in sorted(by_code))


def all_rules() -> dict[str, type[Rule]]:
    """Return everything that can be found, by code: by checks, the engine and the gates."""
    return {rule.code: rule for rule in (*all_checks(), *_OTHER_RULES)}


def judge_step(evidence: Evidence) -> tuple[Finding, ...]:
    """Return what the checks find in one executed step, see `examine_step`."""
    return examine_step(evidence)[0]


def examine_step(evidence: Evidence) -> tuple[tuple[Finding, ...], tuple[CheckResult, ...]]:
    """Run every check on one executed step, but for those that the case of its data excuses.

    Also returned is what each check came to. Of those that had nothing to look at only the ones
    that the step declares are among them, as skipped.
    """
    findings: list[Finding] = []
    results: list[CheckResult] = []
    for check in all_checks():
        excuse = _excuse(check, evidence)
        for judgement in check().judgements(evidence):
            found = () if excuse else tuple(judgement.judge())
            reason = excuse or ("" if found else judgement.nothing_there())
            findings += found
            if judgement.is_declared or not reason:
                results.append(check_result(check.code, judgement.name, found, reason))
    return tuple(findings), tuple(results)


def _excuse(check: type[Check], evidence: Evidence) -> str:
    """Return why a check is not even asked, or ''."""
    if evidence.planned.on.case.traits & check.excused_by:
        return "the data of the scenario is like that on purpose"
    if check.needs_success and not evidence.outcome.succeeded:
        return "the script failed"
    return ""


_FAMILIES = {
    "C": "Contract against script",
    "X": "Execution",
    "F": "Data flow and schema",
    "Q": "Quality and drift",
    "P": "Performance",
    "G": "Gates",
}


def reference_page() -> str:
    """Return the documentation of all findings as markdown, made from the docstrings."""
    return "\n".join(_reference_lines()) + "\n"


def _reference_lines() -> Iterator[str]:
    yield "# Findings"
    yield ""
    yield (
        "Everything the validator has to say is a finding with a stable code. An **error** fails "
        "the run (exit code 1), a **warning** and an **info** do not."
    )
    yield ""
    yield "<!-- Made from the docstrings: python -m mlvalidate.checks.registry -->"
    documented: list[type[Rule]] = sorted([*BUILTIN, *_OTHER_RULES], key=lambda rule: rule.code)
    family = ""
    for rule in documented:
        if rule.code[0] != family:
            family = rule.code[0]
            yield ""
            yield f"## {family}: {_FAMILIES[family]}"
        yield ""
        yield f"### {rule.code} {rule.__name__}"
        yield ""
        yield f"*{rule.severity.value}*"
        yield ""
        yield inspect.cleandoc(rule.__doc__ or "")


if __name__ == "__main__":
    print(reference_page(), end="")  # noqa: T201
