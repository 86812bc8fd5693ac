"""Findings in full, grouped under the step to blame."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.text import Text

from mlvalidate.core.findings import Finding, Severity, count_findings, gravest_first
from mlvalidate.core.results import PipelineResult, Status, StepResult
from mlvalidate.reporting.console import write
from mlvalidate.reporting.text import count, plain
from mlvalidate.reporting.words import SEVERITY_STYLE


def print_findings(console: Console, result: PipelineResult, *, with_infos: bool = False) -> None:
    """Print every finding of the run: of its steps in their order, then of the run as a whole."""
    steps = {step.node: step for step in result.steps}
    for node, findings in _by_blame(result).items():
        shown = [f for f in findings if with_infos or f.severity is not Severity.INFO]
        step = steps.get(node)
        message = step.message if step and step.status is Status.FAILED else ""
        if not (shown or message):
            continue
        console.print()
        console.print(_heading(node, step), soft_wrap=True)
        if message:
            write(console, Text(f"exit message: {plain(message)}"), indent=2, hang=2)
        _print_group(console, shown)
    hidden = sum(f.severity is Severity.INFO for f in result.all_findings)
    if hidden and not with_infos:
        console.print(f"\n{count(hidden, 'finding')} of severity info: -v shows them")


def print_static_findings(
    console: Console, findings: Sequence[Finding], *, quiet: bool = False
) -> None:
    """Print what `mlvalidate check` found, grouped by step, and a line with the counts."""
    for node in dict.fromkeys(finding.step or "" for finding in findings):
        mine = [finding for finding in findings if (finding.step or "") == node]
        if not quiet:
            console.print(_heading(node, None), soft_wrap=True)
            _print_group(console, gravest_first(mine))
            console.print()
    counts = count_findings(tuple(findings))
    said = [count(number, name) for name, number in counts.items() if number]
    console.print(f"checked: {', '.join(said)}" if said else "checked: nothing to say")


def _by_blame(result: PipelineResult) -> dict[str, list[Finding]]:
    """Group by blamed node, in the order of the steps; the run's own come last, under ``""``."""
    groups: dict[str, list[Finding]] = {step.node: [] for step in result.steps}
    ownerless: list[Finding] = []
    for step in result.steps:
        for finding in step.findings:
            groups.setdefault(finding.step or step.node, []).append(finding)
    for finding in result.findings:
        (groups.setdefault(finding.step, []) if finding.step else ownerless).append(finding)
    groups[""] = ownerless
    return {node: gravest_first(findings) for node, findings in groups.items()}


def _heading(node: str, step: StepResult | None) -> Text:
    if not node:
        return Text("the run as a whole", "bold")
    where = f" ({plain(step.entry_point)})" if step else ""
    return Text.assemble((plain(node), "bold"), where)


def _print_group(console: Console, findings: list[Finding]) -> None:
    """Print a step's findings; a command that reproduces them all is printed once, at the end."""
    commands = {finding.reproduce for finding in findings if finding.reproduce}
    shared = commands.pop() if len(commands) == 1 else None
    for finding in findings:
        _print_finding(console, finding)
        if shared is None and finding.reproduce:
            _print_fact(console, "reproduce", finding.reproduce, copyable=True)
    if shared:
        _print_fact(console, "reproduce", shared, copyable=True)


def _print_finding(console: Console, finding: Finding) -> None:
    title = (f"{finding.severity.value} {finding.code}:", SEVERITY_STYLE[finding.severity])
    write(console, Text.assemble(title, " ", plain(finding.message)), indent=2, hang=2)
    for label, value in (
        ("where", _where(finding)),
        ("at", finding.location),
        ("observed in", finding.observed_in),
    ):
        if value:
            _print_fact(console, label, value, copyable=True)
    for example in finding.evidence:
        write(console, Text(f"> {plain(example)}"), indent=4, copyable=True)
    if finding.hint:
        _print_fact(console, "hint", finding.hint)


def _print_fact(console: Console, label: str, value: str, *, copyable: bool = False) -> None:
    fact = Text.assemble((f"{label}: ", "dim"), plain(value))
    write(console, fact, indent=4, hang=2, copyable=copyable)


def _where(finding: Finding) -> str:
    parts: Iterable[tuple[str, str | None]] = (
        ("port", finding.port),
        ("file", finding.file),
        ("column", finding.column),
    )
    return ", ".join(f"{label} {value}" for label, value in parts if value)
