"""Two runs beside each other as a markdown text and as a page of HTML that needs no network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape as escape_html

from mlvalidate.core.comparison import ComparedRun, Comparison, FailOn
from mlvalidate.reporting import comparison_words as words
from mlvalidate.reporting.figures.timings import timings_figure
from mlvalidate.reporting.html_page import html_text, render_page
from mlvalidate.reporting.markdown import escape, table

_SIDES = ("before", "after")
_STYLE = """
body { margin: 2rem auto; max-width: 75rem; padding: 0 1rem }
table { border-collapse: collapse; display: block; overflow-x: auto }
th, td { border-bottom: 1px solid #ccc; padding: .3rem .8rem .3rem 0; text-align: left }
.failed { color: #b00020; font-weight: bold }
"""


def render_markdown(comparison: Comparison, fail_on: Sequence[FailOn] = ()) -> str:
    """Return the comparison for a comment or a job's summary."""
    blocks = [
        f"**{escape(words.verdict_line(comparison, fail_on))}**",
        "\n".join(
            f"- {side}: {escape(words.run_line(run))}{_link(run)}"
            for side, run in zip(_SIDES, (comparison.before, comparison.after), strict=True)
        ),
        table(words.HEADER, [list(map(escape, words.cells(step))) for step in comparison.steps]),
    ]
    for title, lines in _sections(comparison):
        blocks += [f"**{escape(title)}**", "\n".join(f"- {escape(line)}" for line in lines)]
    return "\n\n".join(blocks) + "\n"


def _link(run: ComparedRun) -> str:
    return f" ([MLflow]({run.url}))" if run.url else ""


def _sections(comparison: Comparison) -> Iterator[tuple[str, list[str]]]:
    for step in comparison.steps:
        if lines := words.details(step):
            yield step.node, lines
    if lines := words.about_the_run(comparison):
        yield "run", lines


def render_html(comparison: Comparison, fail_on: Sequence[FailOn] = ()) -> str:
    """Return the comparison as a whole page, with the chart of all measurements."""
    title = f"{comparison.after.name}: {comparison.before.run_id} and {comparison.after.run_id}"
    failed = ' class="failed"' if comparison.failures(tuple(fail_on)) else ""
    parts = [
        f"<p{failed}>{html_text(words.verdict_line(comparison, fail_on))}</p>",
        *(
            f"<p>{side}: {_html_link(words.run_line(run), run)}</p>"
            for side, run in zip(_SIDES, (comparison.before, comparison.after), strict=True)
        ),
        _html_table(comparison),
    ]
    for heading, lines in _sections(comparison):
        items = "".join(f"<li>{html_text(line)}</li>" for line in lines)
        parts.append(f"<h2>{html_text(heading)}</h2><ul>{items}</ul>")
    figure = timings_figure(comparison)
    if figure is not None:
        parts.append(figure.to_html(full_html=False, include_plotlyjs=True))
    return render_page(title, parts, style=_STYLE)


def _html_link(text: str, run: ComparedRun) -> str:
    if not run.url.startswith(("http://", "https://")):
        return html_text(text)
    return f'<a href="{escape_html(run.url)}">{html_text(text)}</a>'


def _html_table(comparison: Comparison) -> str:
    head = "".join(f"<th>{name}</th>" for name in words.HEADER)
    rows = (
        "".join(f"<td>{html_text(cell)}</td>" for cell in words.cells(step))
        for step in comparison.steps
    )
    return f"<table><tr>{head}</tr>{''.join(f'<tr>{row}</tr>' for row in rows)}</table>"
