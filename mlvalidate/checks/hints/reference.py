"""The documentation of all hints, made from their docstrings.

python -m mlvalidate.checks.hints.reference > docs/reference/hints.md
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator

from mlvalidate.checks.hints import RULES
from mlvalidate.checks.hints.usage import wrong_usage


def reference_page() -> str:
    """Return the page as markdown."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield "# Hints"
    yield ""
    yield (
        "When a script crashes, the finding X201 quotes its traceback, names the line of your "
        "code, and gives a hint where one of these rules knows better. The first that applies "
        "speaks; of chained exceptions the last counts first."
    )
    yield ""
    yield "<!-- Made from the docstrings: python -m mlvalidate.checks.hints.reference -->"
    module = ""
    for rule in sorted((wrong_usage, *RULES), key=lambda rule: rule.__module__):
        if rule.__module__ != module:
            module = rule.__module__
            yield ""
            yield f"## {(sys.modules[module].__doc__ or '').rstrip('.')}"
        yield ""
        yield f"**{rule.__name__.replace('_', ' ')}**: {inspect.cleandoc(rule.__doc__ or '')}"


if __name__ == "__main__":
    print(reference_page(), end="")  # noqa: T201
