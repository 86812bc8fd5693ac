"""F345: what comes in over an edge, against what the consumer's contract expects."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatch

from mlvalidate.checks.base import Check
from mlvalidate.checks.evidence import Evidence, FileContent
from mlvalidate.checks.sight import Sight
from mlvalidate.core.findings import Finding
from mlvalidate.core.plan import Origin, PlannedInput
from mlvalidate.core.suggest import did_you_mean
from mlvalidate.data.conformity import Fault, FaultKind, find_faults

_SAYING = {
    FaultKind.MISSING_COLUMN: "lacks the column {0.column!r}",
    FaultKind.WRONG_TYPE: "has {0.column!r} as {0.found}, not {0.expected}",
    FaultKind.NULL: "has missing values in {0.column!r}",
    FaultKind.OUT_OF_RANGE: "has values of {0.column!r} that are not {0.expected}",
    FaultKind.UNKNOWN_VALUE: "has values of {0.column!r} that are not {0.expected}",
    FaultKind.MALFORMED: "has texts in {0.column!r} that are not {0.expected}",
    FaultKind.BROKEN_RULE: "breaks the rule {0.expected}",
}


class EdgeBroken(Check):
    """What a producer wrote is not what the consumer's contract expects at its end of the edge.

    A file or folder that the consumer declares is not there, or its table lacks a column, has
    another type, missing or unknown values. The producer is blamed; where both declare the same
    dataset, its own findings say it.

    What to do: correct the producer, or make the two contracts agree.
    """

    code = "F345"
    looks_at = Sight.EDGES
    needs_success = False

    def run(self, evidence: Evidence) -> Iterator[Finding]:
        for item in evidence.planned.inputs:
            if item.origin is Origin.EDGE:
                yield from self._missing_files(evidence, item)
                yield from self._unfit_tables(evidence, item)

    def _missing_files(self, evidence: Evidence, item: PlannedInput) -> Iterator[Finding]:
        declaration = evidence.planned.step.inputs[item.port]
        summary = next((each for each in evidence.inputs if each.port == item.port), None)
        if summary is None or not declaration.required:
            return
        names = [file.name for file in summary.files]
        for pattern in declaration.files:
            if not any(name == pattern or fnmatch(name, pattern) for name in names):
                yield self._blame(
                    evidence, item, f"has no file {pattern}", did_you_mean(pattern, names), names
                )

    def _unfit_tables(self, evidence: Evidence, item: PlannedInput) -> Iterator[Finding]:
        produced = evidence.producer_ports.get(item.port)
        wanted = evidence.planned.step.inputs[item.port].files
        # Where both ends name the same datasets, the producer has been judged by them.
        if produced is None or set(wanted.values()) <= set(produced.files.values()):
            return
        for file, frame in evidence.input_tables[item.port].tables:
            if file.dataset is None or file.dataset_name in produced.files.values():
                continue
            for fault in find_faults(frame, file.dataset, file.format):
                if fault.kind in _SAYING:
                    yield self._unfit(evidence, item, file, fault)

    def _unfit(
        self, evidence: Evidence, item: PlannedInput, file: FileContent, fault: Fault
    ) -> Finding:
        said = f"{file.name} {_SAYING[fault.kind].format(fault)}"
        finding = self._blame(evidence, item, said, fault.suggestion, fault.examples)
        return finding.model_copy(update={"file": file.name, "column": fault.column or None})

    def _blame(
        self,
        evidence: Evidence,
        item: PlannedInput,
        said: str,
        hint: str,
        examples: list[str] | tuple[str, ...],
    ) -> Finding:
        finding = self.finding(
            evidence,
            f"output {item.output}: {said}, as {evidence.node}.{item.port} expects",
            hint=hint or "correct the producer, or make the two contracts agree",
            port=item.output,
            examples=examples,
        )
        return finding.model_copy(update={"step": item.producer, "observed_in": evidence.node})


CHECKS: tuple[type[Check], ...] = (EdgeBroken,)
