"""Q4xx: outputs against their references, found when the last step of a run is done."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mlvalidate.checks.base import Rule, join_names
from mlvalidate.core.findings import Finding, Severity
from mlvalidate.core.quality import ColumnDrift, Drift

MOST_COLUMNS = 5
# From this share of drifted columns on, it is the table that has drifted.
TABLE_SHARE = 0.5
_BY_DESIGN = ("is left out", "identifies rows", "has no distribution")


class ColumnDrifted(Rule):
    """The values of an output column are distributed otherwise than in its reference.

    The difference is large, as Evidently's test says, and it is no chance: see
    [how drift is judged](../quality-and-drift.md#drift). Five columns of an output are reported by
    themselves.

    What to do: look at the report of the table in MLflow. Where the change is meant, renew the
    reference, or set `drift` of the column.
    """

    code = "Q401"
    severity = Severity.WARNING


class NullsDrifted(Rule):
    """The share of missing values of an output column is another than in its reference.

    By at least five points, and not by chance.

    What to do: look for a join without partners, a conversion that fails, or an imputation.
    """

    code = "Q402"
    severity = Severity.WARNING


class TableDrifted(Rule):
    """At least half of the compared columns of an output have drifted.

    What to do: look whether the reference is of the same population; then at what the columns have
    in common: a filter, a join, another source.
    """

    code = "Q403"
    severity = Severity.WARNING


class NotCompared(Rule):
    """An output, or some of its columns, could not be compared with the declared reference.

    Fewer than 50 values, a column that is missing on one side, no passed run yet that could be
    the baseline, a scenario that distorts the data on purpose. Nothing is said about drift there.

    What to do: nothing, or give more rows (`--rows`).
    """

    code = "Q404"
    severity = Severity.INFO


class DriftNotMeasured(Rule):
    """A reference is declared, and mlvalidate could not compare the output with it.

    The process that compares was killed, for want of memory for example, or hung. Gates on the
    drift of the output don't count.

    What to do: run again.
    """

    code = "Q405"
    severity = Severity.WARNING


RULES: tuple[type[Rule], ...] = (
    ColumnDrifted,
    NullsDrifted,
    TableDrifted,
    NotCompared,
    DriftNotMeasured,
)


def drift_findings(node: str, port: str, drift: Drift, reproduce: str) -> Iterator[Finding]:
    """Yield what there is to say about an output and its references."""
    reference = join_names(drift.references)

    def found(
        rule: type[Rule],
        message: str,
        *,
        column: str | None = None,
        hint: str = "",
        examples: Sequence[str] = (),
    ) -> Finding:
        return Finding(
            code=rule.code,
            severity=rule.severity,
            message=f"output {port}: {message}",
            step=node,
            port=port,
            column=column,
            hint=hint,
            evidence=tuple(examples[:MOST_COLUMNS]),
            reproduce=reproduce,
        )

    if drift.share is not None and drift.share >= TABLE_SHARE:
        counts = f"{len(drift.drifted)} of {len(drift.compared)} columns"
        yield found(
            TableDrifted,
            f"{counts} have drifted from {reference}",
            hint="is the reference of the same population?",
            examples=[_describe(column) for column in drift.drifted],
        )
    for column in drift.drifted[:MOST_COLUMNS]:
        rule = ColumnDrifted if column.drifted else NullsDrifted
        message = f"column {column.column!r} has drifted from {reference}"
        yield found(rule, f"{message}: {_describe(column)}", column=column.column)
    more = drift.drifted[MOST_COLUMNS:]
    if more:
        names = join_names(column.column for column in more)
        yield found(
            ColumnDrifted,
            f"{len(more)} more columns have drifted from {reference}: {names}",
            examples=[f"{column.column}: {_describe(column)}" for column in more],
        )
    for problem in drift.problems:
        yield found(NotCompared, f"{problem} (reference {reference})")
    reasons = [c for c in drift.columns if c.reason and not c.reason.startswith(_BY_DESIGN)]
    if reasons:
        names = join_names(column.column for column in reasons)
        yield found(
            NotCompared,
            f"{len(reasons)} columns were not compared with {reference}: {names}",
            examples=[f"{column.column} {column.reason}" for column in reasons],
        )
    if drift.fault:
        yield found(
            DriftNotMeasured, f"drift could not be measured: {drift.fault}", hint="run again"
        )


def _describe(column: ColumnDrift) -> str:
    parts = []
    if column.drifted:
        kind = "p-value" if column.is_p_value else "distance"
        parts.append(f"{column.test} {kind} {column.score:.3g}, threshold {column.threshold:g}")
    if column.nulls_drifted:
        before, now = column.null_shares
        parts.append(f"missing values {before:.1%} -> {now:.1%}")
    return "; ".join(parts)
