"""What stands above Evidently's own part of a report: the table, the verdicts, what is missing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape

from mlvalidate.core.model import Model
from mlvalidate.core.quality import ColumnDrift

_STYLE = (
    "font-family: Roboto, Helvetica, Arial, sans-serif; font-size: 14px; line-height: 1.5; "
    "margin: 16px 24px; padding: 12px 16px; border: 1px solid #ddd; border-radius: 6px; "
    "color: #222; background: #fff; overflow-wrap: anywhere"
)
# Evidently's page cuts off what a frame of less than 1150 pixels has no room for, as MLflow's is.
_FIT = "<style>@media (max-width: 1150px) { body { zoom: 0.7 } }</style>"
_CELL = "padding: 2px 16px 2px 0; text-align: left"


class ReportFacts(Model):
    """What a report is about; the JSON report has it under `mlvalidate`.

    ``columns_left_out`` says why a column can't be shown, ``columns_over_budget`` had no room.
    """

    node: str
    port: str
    table: str
    rows: int
    rows_sampled: int
    columns_shown: tuple[str, ...]
    columns_over_budget: tuple[str, ...]
    columns_left_out: dict[str, str]
    notes: tuple[str, ...]
    reference: str
    drift: tuple[ColumnDrift, ...]


def preface_html(facts: ReportFacts) -> str:
    """Return a section of HTML, without scripts; every text of the data is escaped."""
    return f'{_FIT}<section style="{_STYLE}">{"".join(_blocks(facts))}</section>'


def _blocks(facts: ReportFacts) -> Iterator[str]:
    yield f"<strong>{_text(facts.node)}.{_text(facts.port)}: {_text(facts.table)}</strong>"
    part = "" if facts.rows_sampled == facts.rows else f"{facts.rows_sampled:,} of "
    yield f"<div>{part}{facts.rows:,} rows</div>"
    if facts.reference:
        yield f"<div>reference: {_text(facts.reference)}</div>"
        yield from _verdicts(facts.drift)
    over = facts.columns_over_budget
    if over:
        shown = len(facts.columns_shown)
        total = shown + len(over) + len(facts.columns_left_out)
        names = ", ".join(map(_text, over))
        yield f"<div>{shown} of {total} columns are shown; there was no room for {names}</div>"
    if facts.columns_left_out:
        lines = (f"{name} {why}" for name, why in facts.columns_left_out.items())
        yield f"<div>left out: {_list(lines)}</div>"
    if facts.notes:
        yield f"<div>notes: {_list(facts.notes)}</div>"


def _verdicts(columns: Sequence[ColumnDrift]) -> Iterator[str]:
    drifted = [column for column in columns if column.has_drifted]
    compared = sum(column.is_compared for column in columns)
    yield (
        f"<div>mlvalidate's verdict: {len(drifted)} of {compared} columns have drifted. It asks "
        "for a difference that is large, and no chance over all columns of the run; the tests "
        "below look at each column alone.</div>"
    )
    if not drifted:
        return
    yield f"<table>{_row(('column', 'test', 'score', 'threshold', 'missing before', 'now'), 'th')}"
    for column in drifted:
        before, now = column.null_shares
        score = "" if column.score is None else f"{column.score:.3g}"
        threshold = "" if column.threshold is None else f"{column.threshold:g}"
        yield _row((column.column, column.test, score, threshold, f"{before:.1%}", f"{now:.1%}"))
    yield "</table>"


def _row(cells: Iterable[str], tag: str = "td") -> str:
    return "<tr>" + "".join(f'<{tag} style="{_CELL}">{_text(c)}</{tag}>' for c in cells) + "</tr>"


def _list(items: Iterable[str]) -> str:
    return "<ul>" + "".join(f"<li>{_text(item)}</li>" for item in items) + "</ul>"


def _text(value: object) -> str:
    return escape(str(value))
