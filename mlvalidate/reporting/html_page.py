"""The frame of a page of HTML that needs no network."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from mlvalidate.reporting.text import plain

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 1rem }
"""


def html_text(text: str) -> str:
    """Return a text of the user's as HTML."""
    return escape(plain(text))


def render_page(title: str, parts: Iterable[str], *, style: str = "", script: str = "") -> str:
    """Return a page with ``title``, a text, above ``parts``, which are HTML."""
    name = html_text(title)
    head = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        f"<title>{name}</title><style>{_STYLE}{style}</style>",
        *([f"<script>{script}</script>"] if script else []),
        "</head><body>",
        f"<h1>{name}</h1>",
    ]
    return "\n".join([*head, *parts, "</body></html>", ""])
