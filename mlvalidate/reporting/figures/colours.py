"""Colours and symbols of verdicts: the palette of Okabe and Ito, which the colour-blind can tell
apart, with a symbol for each, so that a print in black and white still says what is what.
"""

from __future__ import annotations

from html import escape

from mlvalidate.core.results import Status, StepResult
from mlvalidate.reporting.text import plain

REUSED = "reused"

COLOURS = {
    Status.PASSED.value: "#009E73",
    REUSED: "#56B4E9",
    Status.FAILED.value: "#D55E00",
    Status.SKIPPED.value: "#BBBBBB",
    Status.INTERRUPTED.value: "#E69F00",
    Status.INTERNAL.value: "#CC79A7",
}
SYMBOLS = {
    Status.PASSED.value: "circle",
    REUSED: "circle-open",
    Status.FAILED.value: "x",
    Status.SKIPPED.value: "square-open",
    Status.INTERRUPTED.value: "diamond",
    Status.INTERNAL.value: "star",
}


def verdict(step: StepResult) -> str:
    """Return the key of a step in `COLOURS`: its status, or that it was reused."""
    return REUSED if step.reused_from and step.status is Status.PASSED else step.status.value


def label(text: str, most: int = 24) -> str:
    """Return a text of one line for a figure: plotly takes tags in texts for markup."""
    one_line = " ".join(plain(text).split())
    return escape(one_line if len(one_line) <= most else one_line[: most - 1] + "…", quote=False)
