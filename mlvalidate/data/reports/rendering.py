"""Renders one report with Evidently: HTML for people, strict JSON for programs.

Whatever Evidently can't take has been converted or left out before; should a column break it all
the same, that column is found, left out, and named in the report.
"""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlvalidate.data.reports.orders import ReportOrder
from mlvalidate.data.reports.preface import ReportFacts, preface_html
from mlvalidate.data.table_samples import MOST_CATEGORIES, Role, TableSample, read_sample

if TYPE_CHECKING:
    import pandas as pd

_OTHERS = "(others)"


@dataclass
class Table:
    """What a report is made of. ``left_out`` grows with what turns out not to be showable."""

    current: pd.DataFrame
    reference: pd.DataFrame | None
    roles: dict[str, Role]
    left_out: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def without(self, name: str, why: str) -> None:
        """Leave a column out."""
        del self.roles[name]
        self.left_out[name] = why


class NothingToShowError(Exception):
    """No column is left that a report could show; the text says why."""


def render_report(order: ReportOrder) -> None:
    """Write ``<target>.html`` and ``<target>.json``.

    NothingToShowError for a table without rows or without a column that can be shown; OSError or
    ValueError when a sample can't be read, and whatever Evidently raises that is no column's fault.
    """
    table, sample = load_table(order)
    if not len(table.current) or not table.roles:
        raise NothingToShowError(
            "the table has no rows" if sample.rows == 0 else "no column is left"
        )
    snapshot = _run_surviving(table)
    facts = _facts(order, sample, table)
    order.target.parent.mkdir(parents=True, exist_ok=True)
    _write_json(snapshot, facts, order.target.with_name(f"{order.target.name}.json"))
    _write_html(snapshot, facts, order.target.with_name(f"{order.target.name}.html"))


def load_table(order: ReportOrder) -> tuple[Table, TableSample]:
    """Read the samples, and bring them into a shape that Evidently takes."""
    current, sample = read_sample(order.sample)
    reference = None
    notes = list(sample.notes)
    if order.reference is not None:
        reference, described = read_sample(order.reference)
        notes += [f"reference: {note}" for note in described.notes]
        lacking = [n for n in order.columns if described.roles.get(n) is not sample.roles[n]]
        if lacking:
            notes.append(f"not in the reference, where they look empty: {', '.join(lacking)}")
        reference = _shaped_as(order.columns, sample, reference, described)
        if not reference.notna().any(axis=None):
            reference, notes = None, [*notes, "shown without the reference, which has no values"]
    roles = {name: sample.roles[name] for name in order.columns}
    table = Table(current, reference, roles, dict(sample.left_out), notes)
    for name in [name for name in roles if not current[name].notna().any()]:
        table.without(name, "holds no value")
    for name, role in list(table.roles.items()):
        if role is Role.CATEGORY:
            _merge_rare(table, name)
    return table, sample


def _shaped_as(
    names: Sequence[str], sample: TableSample, frame: pd.DataFrame, described: TableSample
) -> pd.DataFrame:
    """Return the reference with just these columns; what it lacks, or has otherwise, is empty."""
    import pandas as pd

    empty = {Role.NUMBER: "float64", Role.TIME: "M8[s]"}
    columns = {
        name: frame[name]
        if described.roles.get(name) is sample.roles[name]
        else pd.Series(index=frame.index, dtype=empty.get(sample.roles[name], "object"))
        for name in names
    }
    return pd.DataFrame(columns, index=frame.index)


def _merge_rare(table: Table, name: str) -> None:
    """Put rare categories together: a plot of thousands can't be read, and takes megabytes."""
    counts = table.current[name].value_counts()
    if len(counts) <= MOST_CATEGORIES:
        return
    kept = set(counts.index[:MOST_CATEGORIES])
    for frame in (table.current, table.reference):
        if frame is not None:
            cells = frame[name]
            frame[name] = cells.where(cells.isna() | cells.isin(kept), _OTHERS)
    table.notes.append(f"{name}: {len(counts) - MOST_CATEGORIES} rare categories are shown as one")


def _run_surviving(table: Table) -> Any:
    """Return Evidently's snapshot, without the columns that break it."""
    try:
        return _run(table, list(table.roles))
    except Exception as error:
        broken = _breaking_columns(table, list(table.roles))
        if not broken:
            # Alone, each column is fine: the drift part is what is left to be dropped.
            if table.reference is None:
                raise
            table.notes.append(f"shown without the reference: {_told(error)}")
            table.reference = None
            return _run(table, list(table.roles))
    for name, why in broken.items():
        table.without(name, f"Evidently can't show it: {why}")
    if not table.roles:
        raise NothingToShowError("Evidently can't show any of its columns")
    return _run(table, list(table.roles))


def _breaking_columns(table: Table, names: Sequence[str]) -> dict[str, str]:
    """Return the columns that break a report on them alone, found by halving."""
    try:
        _run(table, names)
    except Exception as error:
        if len(names) == 1:
            return {names[0]: _told(error)}
        middle = len(names) // 2
        halves = (names[:middle], names[middle:])
        return {k: v for half in halves for k, v in _breaking_columns(table, half).items()}
    return {}


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0][:200]


def _run(table: Table, names: Sequence[str]) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from evidently import DataDefinition, Dataset, Report
        from evidently.presets import DataDriftPreset, DataSummaryPreset

        roles = {name: table.roles[name] for name in names}
        # Texts as categories: Evidently's own analysis of texts wants models from the internet.
        definition = DataDefinition(
            numerical_columns=[n for n, role in roles.items() if role is Role.NUMBER],
            categorical_columns=[n for n, role in roles.items() if role is Role.CATEGORY],
            text_columns=[n for n, role in roles.items() if role is Role.TEXT],
            datetime_columns=[n for n, role in roles.items() if role is Role.TIME],
        )
        parts: list[Any] = [DataSummaryPreset()]
        reference = None
        if table.reference is not None:
            reference = Dataset.from_pandas(table.reference[list(names)], definition)
            if drifting := [name for name in names if _can_drift(table, name)]:
                parts.append(DataDriftPreset(columns=drifting))
        current = Dataset.from_pandas(table.current[list(names)], definition)
        return Report(parts).run(current, reference)


def _can_drift(table: Table, name: str) -> bool:
    assert table.reference is not None
    plain = table.roles[name] in (Role.NUMBER, Role.CATEGORY)
    return plain and bool(table.reference[name].notna().any())


def _facts(order: ReportOrder, sample: TableSample, table: Table) -> ReportFacts:
    return ReportFacts(
        node=order.node,
        port=order.port,
        table=order.table,
        rows=sample.rows,
        rows_sampled=len(table.current),
        columns_shown=tuple(table.roles),
        columns_over_budget=order.over_budget,
        columns_left_out=table.left_out,
        notes=tuple(table.notes),
        reference=order.reference_name,
        drift=order.verdicts,
    )


def _write_json(snapshot: Any, facts: ReportFacts, path: Path) -> None:
    content = {"mlvalidate": facts.model_dump(mode="json"), **snapshot.dict()}
    text = json.dumps(_strict(content), ensure_ascii=False, indent=1, allow_nan=False)
    path.write_text(text, encoding="utf-8")


def _strict(value: Any) -> Any:
    """Return what JSON knows: null for NaN and the infinities, texts for all else."""
    if isinstance(value, dict):
        return {str(key): _strict(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [_strict(item) for item in value]
    if hasattr(value, "item") and not hasattr(value, "__len__"):
        value = value.item()
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return str(value)


def _write_html(snapshot: Any, facts: ReportFacts, path: Path) -> None:
    temporary = path.with_name(f".{path.name}.tmp")
    snapshot.save_html(str(temporary))
    html = temporary.read_text(encoding="utf-8")
    head, body, rest = html.partition("<body>")
    temporary.write_text(f"{head}{body}{preface_html(facts)}{rest}", encoding="utf-8")
    temporary.replace(path)
