"""F337, F338 and F346: what a second run of the same step gave."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from mlvalidate.checks.base import Check
from mlvalidate.checks.compare import Tolerance, differences
from mlvalidate.checks.declared import DeclaredCheckBase
from mlvalidate.checks.evidence import Evidence, Repeat, Variation
from mlvalidate.checks.sight import Sight
from mlvalidate.checks.traceback import parse_python_error
from mlvalidate.core.findings import Finding


class NotDeterministic(DeclaredCheckBase):
    """A second run of a step that is declared `deterministic` gave other outputs.

    The step ran again on the same inputs, with another PYTHONHASHSEED, which changes the order of
    sets, and with a clock that is more than a year ahead. Clock times and dates of the run in JSON
    files and the time stamps of archives don't count.

    What to do: seed every random generator, sort what comes out of a set or of `os.listdir`, and
    let the data or an argument say which day it is.
    """

    code = "F337"
    key = "deterministic"

    def judge(self, evidence: Evidence, options: Any) -> Iterator[Finding]:
        tolerance = Tolerance(options.ignore, options.row_order == "strict", options.tolerance)
        yield from judge_repeat(
            self,
            evidence,
            Variation.AGAIN,
            tolerance,
            "a second run on the same inputs differs",
            "seed every random generator, sort what comes out of sets and folder listings, and "
            "take no values from the clock",
        )

    def nothing_for(self, evidence: Evidence, options: Any) -> str:  # noqa: ARG002
        return "" if Variation.AGAIN in evidence.repeats else "it was not run a second time"


class OrderMatters(DeclaredCheckBase):
    """The outputs of a step that is declared `row_order_invariant` depend on the order of rows.

    The step ran again on the same inputs with the rows of their tables in another order, and its
    outputs differ, even when their own rows may be in any order.

    What to do: sort the input by a key first; look for `first`, `drop_duplicates`, `shift`, `head`.
    """

    code = "F338"
    key = "row_order_invariant"

    def judge(self, evidence: Evidence, options: Any) -> Iterator[Finding]:
        tolerance = Tolerance(options.ignore, row_order=False, relative=options.tolerance)
        yield from judge_repeat(
            self,
            evidence,
            Variation.SHUFFLED,
            tolerance,
            "a run on the same rows in another order differs",
            "sort by a key first; first, drop_duplicates, shift and head depend on the order",
        )

    def nothing_for(self, evidence: Evidence, options: Any) -> str:  # noqa: ARG002
        return "" if Variation.SHUFFLED in evidence.repeats else "it was not run a second time"


class EntriesDiffer(Check):
    """The two ways to run a script (`entry: both`) do not do the same.

    The script was run as a program (`__main__`) and through its function `main`, on the same
    inputs. Faults that live in one of them only, such as a default that the other lacks, show as a
    difference in outcome, files or content. Clock times don't count.

    What to do: let `__main__` do nothing but collect arguments and call `main`.
    """

    code = "F346"
    looks_at = Sight.ENTRIES

    def run(self, evidence: Evidence) -> Iterator[Finding]:
        if Variation.OTHER_ENTRY in evidence.repeats:
            yield from judge_repeat(
                self,
                evidence,
                Variation.OTHER_ENTRY,
                Tolerance(),
                f"run through {evidence.repeats[Variation.OTHER_ENTRY].description}, it differs",
                "let `__main__` do nothing but collect arguments and call `main`",
            )


def judge_repeat(
    check: Check,
    evidence: Evidence,
    variation: Variation,
    tolerance: Tolerance,
    what: str,
    hint: str,
) -> Iterator[Finding]:
    """Yield a finding for each output file that a second run wrote differently."""
    repeat = evidence.repeats.get(variation)
    if repeat is None:
        return
    if not repeat.outcome.succeeded:
        error = parse_python_error(repeat.stderr)
        reason = f"{error.type}: {error.message}" if error else _ending(repeat)
        yield check.finding(
            evidence,
            f"{what}: it fails ({reason})",
            hint=f"its output is in {repeat.logs}",
            location=error.location if error else None,
            examples=repeat.stderr.strip().splitlines()[-3:],
        )
        return
    tolerance = replace(tolerance, clock_shift=repeat.clock_shift)
    for found in differences(evidence.outputs, repeat.outputs, tolerance):
        yield check.finding(
            evidence,
            f"{what}: output {found.port}, {found.file}: {found.text}",
            hint=hint,
            port=found.port,
            file=found.file,
        )


def _ending(repeat: Repeat) -> str:
    if repeat.outcome.stop is not None:
        return repeat.outcome.stop.value
    if repeat.outcome.signal is not None:
        return f"signal {repeat.outcome.signal}"
    return f"exit code {repeat.outcome.exit_code}"


CHECKS: tuple[type[Check], ...] = (NotDeterministic, OrderMatters, EntriesDiffer)
