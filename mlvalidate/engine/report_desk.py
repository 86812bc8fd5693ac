"""Collects the tables of a run, and has their reports rendered when the run has been judged."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from mlvalidate.core.contracts import Reports
from mlvalidate.core.datasets import Dataset
from mlvalidate.core.findings import Severity
from mlvalidate.core.plan import Plan
from mlvalidate.core.quality import ColumnDrift
from mlvalidate.core.results import StepResult
from mlvalidate.core.run_folder import RunFolder
from mlvalidate.data.comparisons import write_whole
from mlvalidate.data.reports.orders import (
    MOST_REPORTS,
    ReportOrder,
    ReportPlan,
    most_telling,
    share_budget,
)
from mlvalidate.engine.beside import start_beside
from mlvalidate.engine.sampling import SampledTable


@dataclass(frozen=True)
class _Entry:
    sampled: SampledTable
    dataset: Dataset | None
    reference: Path | None
    reference_name: str
    verdicts: tuple[ColumnDrift, ...]

    @property
    def has_drifted(self) -> bool:
        return any(column.has_drifted for column in self.verdicts)


class ReportDesk:
    """The tables of one run that reports may be rendered of."""

    def __init__(self, plan: Plan, folder: RunFolder, datasets: Mapping[str, Dataset]) -> None:
        self._plan = plan
        self._folder = folder
        self._datasets = datasets
        self._tables: list[SampledTable] = []

    @property
    def is_open(self) -> bool:
        """Tell whether the run wants reports at all."""
        return self._plan.rendered is not Reports.NONE

    def add(self, sampled: SampledTable) -> None:
        """Take a table whose sample has been written."""
        if self.is_open and sampled.sample.roles:
            self._tables.append(sampled)

    def publish(
        self,
        results: Sequence[StepResult],
        reference_of: Callable[[SampledTable], Path | None],
    ) -> tuple[str, ...]:
        """Start rendering, which nobody waits for; return what readers of the run have to know."""
        by_node = {result.node: result for result in results}
        # As the plan has them: nodes that run at once add theirs as they happen to come.
        place = {result.node: number for number, result in enumerate(results)}
        entries = [
            self._entry(table, by_node[table.node], reference_of(table))
            for table in sorted(self._tables, key=lambda table: place[table.node])
            if self._wants(by_node.get(table.node))
        ]
        entries.sort(key=lambda entry: not entry.has_drifted)
        kept, dropped = entries[:MOST_REPORTS], entries[MOST_REPORTS:]
        if not kept:
            return ()
        shares = share_budget(
            [len(e.sampled.sample.roles) for e in kept], self._plan.report_columns
        )
        orders = tuple(self._order(entry, most) for entry, most in zip(kept, shares, strict=True))
        self._folder.reports.mkdir()
        write_whole(self._folder.reports_plan, ReportPlan(orders=orders).model_dump_json(indent=1))
        # That a run can't be pictured is no reason to fail it: the record says that nothing came.
        with suppress(OSError):
            process = start_beside(
                "mlvalidate.engine.renderer",
                str(self._folder.root),
                lock=self._folder.reports_lock,
            )
            assert process.stdin is not None
            process.stdin.close()
        if not dropped:
            return ()
        names = ", ".join(f"{e.sampled.node}.{e.sampled.port}/{e.sampled.table}" for e in dropped)
        return (f"A run has at most {MOST_REPORTS} reports: there is none of {names}.",)

    def _wants(self, result: StepResult | None) -> bool:
        if result is None or self._plan.reports is Reports.ALL:
            return result is not None
        return any(finding.severity is not Severity.INFO for finding in result.findings)

    def _entry(self, sampled: SampledTable, result: StepResult, reference: Path | None) -> _Entry:
        port = next(port for port in result.outputs if port.port == sampled.port)
        drift = port.drift
        columns = drift.columns if drift else ()
        return _Entry(
            sampled,
            self._datasets.get(sampled.dataset_name),
            reference,
            ", ".join(drift.references) if drift and reference else "",
            tuple(column for column in columns if column.dataset == sampled.dataset_name),
        )

    def _order(self, entry: _Entry, most: int) -> ReportOrder:
        sampled = entry.sampled
        shown = most_telling(
            sampled.sample, entry.dataset, entry.verdicts, sampled.null_shares, most
        )
        return ReportOrder(
            node=sampled.node,
            port=sampled.port,
            table=sampled.table,
            sample=sampled.stem,
            target=self._folder.report(sampled.node, sampled.port, sampled.table),
            reference=entry.reference,
            reference_name=entry.reference_name,
            columns=shown,
            over_budget=tuple(name for name in sampled.sample.roles if name not in shown),
            verdicts=entry.verdicts,
        )
