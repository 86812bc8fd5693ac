"""What differs between two results. Pure: timings, samples and commits are looked at elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from mlvalidate.core.comparison import (
    ColumnChange,
    Difference,
    FigureChange,
    StepComparison,
    TableChange,
)
from mlvalidate.core.findings import Finding
from mlvalidate.core.results import FileSummary, PipelineResult, Status, StepResult

_HASHES = {"code": "code_hash", "contract": "contract_hash", "data": "data_hash"}
_SETTINGS = {"arg": "args", "env": "env", "hp": "hyperparameters"}


def new_findings(before: Sequence[Finding], after: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return the findings whose fault was not found before, one for each fault."""
    known = {finding.fingerprint for finding in before}
    fresh = {finding.fingerprint: finding for finding in after if finding.fingerprint not in known}
    return tuple(fresh.values())


def compare_steps(before: PipelineResult, after: PipelineResult) -> tuple[StepComparison, ...]:
    """Compare all nodes of two results, in the order of the newer one; those that are gone last."""
    then = {step.node: step for step in before.steps}
    now = {step.node: step for step in after.steps}
    findings = before.all_findings, after.all_findings
    return tuple(
        _compare(node, then.get(node), now.get(node), findings)
        for node in dict.fromkeys((*now, *then))
    )


def _compare(
    node: str,
    before: StepResult | None,
    after: StepResult | None,
    findings: tuple[Sequence[Finding], Sequence[Finding]],
) -> StepComparison:
    # By all findings of the other run: a fault may come to light in another step than before.
    own = StepComparison(
        node=node,
        status_before=before.status.value if before else "",
        status_after=after.status.value if after else "",
        new_findings=new_findings(findings[0], after.findings if after else ()),
        fixed_findings=new_findings(findings[1], before.findings if before else ()),
    )
    if before is None or after is None or Status.SKIPPED in (before.status, after.status):
        return own
    return own.model_copy(
        update={
            "rows": figure_changes(before.rows, after.rows),
            "metrics": figure_changes(before.metrics, after.metrics),
            "tables": tuple(_tables(before, after)),
            "changed": tuple(
                name
                for name, attribute in _HASHES.items()
                if getattr(before, attribute) != getattr(after, attribute)
            ),
            "settings": tuple(
                difference
                for sort, attribute in _SETTINGS.items()
                for difference in text_changes(
                    getattr(before, attribute), getattr(after, attribute), f"{sort}."
                )
            ),
        }
    )


def figure_changes(
    before: Mapping[str, float], after: Mapping[str, float]
) -> tuple[FigureChange, ...]:
    """Return the numbers that are not the same."""
    return tuple(
        FigureChange(name=name, before=before.get(name), after=after.get(name))
        for name in dict.fromkeys((*after, *before))
        if before.get(name) != after.get(name) and not _both_nan(before.get(name), after.get(name))
    )


def _both_nan(first: float | None, second: float | None) -> bool:
    # Only NaN differs from itself.
    return first != first and second != second  # noqa: PLR0124


def text_changes(
    before: Mapping[str, str], after: Mapping[str, str], prefix: str = ""
) -> tuple[Difference, ...]:
    """Return the texts that are not the same, by their names."""
    return tuple(
        Difference(name=prefix + name, before=before.get(name, ""), after=after.get(name, ""))
        for name in dict.fromkeys((*after, *before))
        if before.get(name) != after.get(name)
    )


def _tables(before: StepResult, after: StepResult) -> Iterator[TableChange]:
    """Yield the tables among the outputs whose content is not the same."""
    then, now = _files(before), _files(after)
    for key in dict.fromkeys((*now, *then)):
        first, second = then.get(key), now.get(key)
        port, name = key
        if first is None or second is None:
            yield TableChange(port=port, file=name, change="added" if second else "removed")
        elif first.digest != second.digest or first.columns != second.columns:
            yield TableChange(port=port, file=name, columns=tuple(_columns(first, second)))


def _files(result: StepResult) -> dict[tuple[str, str], FileSummary]:
    return {
        (port.port, file.name): file
        for port in result.outputs
        for file in port.files
        if file.columns is not None
    }


def _columns(before: FileSummary, after: FileSummary) -> Iterator[ColumnChange]:
    then, now = before.columns or {}, after.columns or {}
    for name in now:
        if name not in then:
            yield ColumnChange(change="added", column=name, after=now[name])
        elif then[name] != now[name]:
            yield ColumnChange(change="retyped", column=name, before=then[name], after=now[name])
    for name in then:
        if name not in now:
            yield ColumnChange(change="removed", column=name, before=then[name])
