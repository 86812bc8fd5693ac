"""The plan of a run, for ``--dry-run``: what would run, on what, within which limits."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from rich.console import Console
from rich.text import Text

from mlvalidate.core.contracts import Access, ArgumentValue
from mlvalidate.core.plan import Plan, PlannedStep
from mlvalidate.core.secrets import Redactor
from mlvalidate.core.units import format_duration, format_size
from mlvalidate.reporting.console import write
from mlvalidate.reporting.progress import heading
from mlvalidate.reporting.text import one_line, plain


def redact_plan(plan: Plan, environment: Mapping[str, str]) -> Plan:
    """Return the plan as it may be shown: without secrets of ``environment`` or of the steps."""
    redactor = Redactor.for_environment(environment, *plan.settings())
    return redactor.redact_model(plan)


def print_plan(console: Console, plan: Plan) -> None:
    """Print a plan, step by step in the order of execution."""
    write(console, Text(f"plan of {heading(plan)}", "bold"))
    if plan.sandbox_refusal:
        write(console, Text(f"no sandbox: {plain(plan.sandbox_refusal)}", "yellow"))
    for number, planned in enumerate(plan.steps, start=1):
        console.print()
        _print_step(console, number, planned)
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
        ("step", [planned.step_name] if planned.step_name != planned.node else []),
        ("input", inputs),
        ("output", outputs),
        ("args", [_args(planned)]),
        ("hyperparameters", [_pairs(planned.step.hyperparameters)]),
        ("env", [" ".join(sorted(planned.env))]),
        ("limits", [_limits(planned)]),
        ("python", [str(planned.python)]),
    )
    for label, values in facts:
        for value in filter(None, values):
            fact = Text.assemble((f"{label}: ", "dim"), one_line(value))
            write(console, fact, indent=3, copyable=True)


def _limits(planned: PlannedStep) -> str:
    facts = [
        format_duration(planned.timeout),
        format_size(planned.memory),
        "network" if planned.network is Access.ALLOW else "no network",
        "AWS credentials" if planned.credentials is Access.ALLOW else "no AWS credentials",
    ]
    return ", ".join(facts)


def _args(planned: PlannedStep) -> str:
    args = planned.step.args
    return _pairs(args) if isinstance(args, dict) else shlex.join(args)


def _pairs(values: dict[str, ArgumentValue]) -> str:
    return " ".join(f"{name}={value}" for name, value in values.items() if value is not None)
