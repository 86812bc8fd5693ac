"""The plan of a run, for ``--dry-run``: what would run, on what, within which limits."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from rich.console import Console
from rich.table import Table
from rich.text import Text

from mlvalidate.core.contracts import Access, ArgumentValue, Network
from mlvalidate.core.plan import Plan, PlannedStep
from mlvalidate.core.results import Status
from mlvalidate.core.reuse import Part, Verdict
from mlvalidate.core.units import format_duration, format_size
from mlvalidate.reporting.console import new_table, write
from mlvalidate.reporting.progress import heading
from mlvalidate.reporting.text import count, one_line, plain
from mlvalidate.reporting.words import STATUS_STYLE

_NETWORK = {
    Network.DENY: "no network",
    Network.ALLOW: "network",
    Network.RECORD: "network, recorded",
}


def redact_plan(plan: Plan, environment: Mapping[str, str]) -> Plan:
    """Return the plan as it may be shown: without secrets of ``environment`` or of the steps."""
    return plan.redactor(environment).redact_model(plan)


def print_plan(console: Console, plan: Plan) -> None:
    """Print a plan, step by step in the order of execution."""
    write(console, Text(f"plan of {heading(plan)}", "bold"))
    if plan.sandbox_refusal:
        write(console, Text(f"no sandbox: {plain(plan.sandbox_refusal)}", "yellow"))
    if plan.explore:
        inputs = f"{count(plan.explore, 'small input')} within the contract"
        write(console, Text(f"before that: up to {inputs}, to find one that makes it fail"))
    shown = plan.steps[:1] if plan.kind in ("matrix", "benchmark") else plan.steps
    for number, planned in enumerate(shown, start=1):
        console.print()
        _print_step(console, number, planned)
    console.print()
    if plan.kind == "matrix":
        console.print(_cases(plan))
        console.print()
    if plan.kind == "benchmark":
        write(console, Text(f"measured: {', '.join(step.node for step in plan.steps)}"))
        console.print()
    write(console, Text(f"nothing has been run; to run it: {plain(plan.command)}"), copyable=True)


def _print_step(console: Console, number: int, planned: PlannedStep) -> None:
    kind = f" {planned.step.kind.value} {one_line(planned.step.entry_point)}"
    write(console, Text.assemble((f"{number}. {planned.node}", "bold"), kind))
    inputs = [
        f"{item.port} <- {item.description}, at {item.container_path}" for item in planned.inputs
    ]
    outputs = [
        f"{port} at {planned.step.container_path('output', port)}" for port in planned.step.outputs
    ]
    facts = (
        ("reuse", [_reuse(planned)]),
        ("step", [planned.step_name] if planned.step_name != planned.node else []),
        ("data", [_data(planned)]),
        ("input", inputs),
        ("output", outputs),
        ("args", [_args(planned)]),
        ("hyperparameters", [_pairs(planned.step.hyperparameters)]),
        ("env", [" ".join(sorted(planned.env))]),
        ("passed on", [" ".join(planned.pass_env)]),
        ("may write to", [str(folder) for folder in planned.writes]),
        ("limits", [_limits(planned)]),
        ("python", [str(planned.python)]),
        ("starts cold", [planned.cold.description] if planned.cold else []),
    )
    for label, values in facts:
        for value in filter(None, values):
            fact = Text.assemble((f"{label}: ", "dim"), one_line(value))
            write(console, fact, indent=3, copyable=True)


def _cases(plan: Plan) -> Table:
    """Return the cases of a matrix: what is expected, or why one does not apply."""
    table = new_table()
    for title in ("case", "expected", "shapes"):
        table.add_column(title, overflow="fold")
    for planned in plan.steps:
        on = planned.on
        skipped = Text(f"skipped: {one_line(on.not_applicable)}", STATUS_STYLE[Status.SKIPPED])
        table.add_row(
            Text(on.case.name),
            Text(on.expectation.value),
            skipped if on.not_applicable else Text(", ".join(on.datasets)),
        )
    return table


def _reuse(planned: PlannedStep) -> str:
    """Return whether the step would run, and why; '' where nobody has looked."""
    if planned.part is Part.LEFT_OUT:
        return "left out: it is not selected"
    told = planned.reuse
    if told is None:
        return ""
    if told.verdict is Verdict.REUSED:
        since = f"; since then: {told.detail}" if told.detail else ""
        return f"reused from run {told.run_id}{since}"
    if told.verdict is Verdict.DEPENDS:
        return f"reused if {told.detail} comes to the same as before"
    return f"runs: {told.detail}"


def _data(planned: PlannedStep) -> str:
    """Return on what data of a scenario the step runs; '' for standard data."""
    on = planned.on
    if on.case.is_standard:
        return ""
    shaped = f", shapes {', '.join(on.datasets)}" if on.datasets else ""
    skipped = f", skipped: {on.not_applicable}" if on.not_applicable else ""
    return f"{on.case.name}{shaped}, expected: {on.expectation.value}{skipped}"


def _limits(planned: PlannedStep) -> str:
    facts = [
        format_duration(planned.timeout),
        f"{format_size(planned.memory)} of memory",
        f"{format_size(planned.disk)} of disk",
        f"{planned.processes} processes",
        _NETWORK[planned.network],
        "AWS credentials" if planned.credentials is Access.ALLOW else "no AWS credentials",
    ]
    return ", ".join(facts)


def _args(planned: PlannedStep) -> str:
    args = planned.step.args
    return _pairs(args) if isinstance(args, dict) else shlex.join(args)


def _pairs(values: dict[str, ArgumentValue]) -> str:
    return " ".join(f"{name}={value}" for name, value in values.items() if value is not None)
