"""A comparison in markdown, in HTML, and its chart."""

from __future__ import annotations

from html.parser import HTMLParser

from comparison_builders import make_comparison

from mlvalidate.core.comparison import FailOn
from mlvalidate.reporting.comparison_pages import render_html, render_markdown
from mlvalidate.reporting.figures.timings import timings_figure


class Tags(HTMLParser):
    """Collects tags and texts outside scripts."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        if self.tags[-1:] != ["script"]:
            self.texts.append(data)


def test_markdown_has_verdict_runs_table_and_changes() -> None:
    lines = render_markdown(make_comparison(), (FailOn.SLOWER,)).splitlines()
    assert lines[0] == "**FAILED on slower (prepare)**"
    assert lines[2] == "- before: churn 20251009-085320-ab12cd, passed, main c0ffeec0ff"
    assert lines[5] == "| step | status | time | memory | rows | findings | outputs |"
    assert lines[7].startswith("| prepare | passed -\\> failed | 1.00s -\\> 1.21s slower |")
    assert "- new: X201 error: exit code 1 \\<script\\>alert(1)\\</script\\> \\| \\`x\\`" in lines
    assert "- commits c0ffee..beefbeef" in lines


def test_markdown_links_to_the_runs() -> None:
    comparison = make_comparison()
    run = comparison.before.model_copy(update={"url": "http://x/#/runs/1"})
    text = render_markdown(comparison.model_copy(update={"before": run}))
    assert "c0ffeec0ff ([MLflow](http://x/#/runs/1))\n" in text
    page = render_html(comparison.model_copy(update={"before": run}))
    assert '<a href="http://x/#/runs/1">churn 20251009-085320-ab12cd' in page
    run = run.model_copy(update={"url": "javascript:alert(1)"})
    assert "javascript:" not in render_html(comparison.model_copy(update={"before": run}))


def test_html_is_a_page_of_its_own_in_which_texts_are_texts() -> None:
    page = render_html(make_comparison(), (FailOn.SLOWER,))
    read = Tags()
    read.feed(page)
    shown = " ".join(read.texts)
    assert "FAILED on slower (prepare)" in shown
    assert "exit code 1 <script>alert(1)</script> | `x`" in shown
    assert "<script>alert" not in page
    assert '<p class="failed">' in page
    assert "<script src=" not in page
    assert read.tags.count("tr") == 4


def test_the_chart_has_all_measurements_of_both_sides() -> None:
    figure = timings_figure(make_comparison())
    assert figure is not None
    times_before, times_after, memory_before, _ = figure.data
    assert list(times_before.y) == [1.0] * 6
    assert list(times_after.x) == ["prepare"] * 7
    assert list(memory_before.y) == [100]


def test_without_measurements_there_is_no_chart() -> None:
    comparison = make_comparison()
    bare = comparison.model_copy(update={"steps": comparison.steps[1:]})
    assert timings_figure(bare) is None
    assert "plotly" not in render_html(bare).lower()
