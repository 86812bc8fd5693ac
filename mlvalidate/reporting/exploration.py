"""Progress of a search for an input that makes a step fail."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from mlvalidate.reporting.console import write
from mlvalidate.reporting.text import count

# A line for so many executions.
_STRIDE = 25


class ExplorationProgress:
    """Tells when the search begins, now and then how far it is, and when an input failed."""

    def __init__(self, console: Console, tries: int, *, quiet: bool) -> None:
        self._console = console
        self._quiet = quiet
        self._has_failed = False
        self._say(f"exploring up to {count(tries, 'small input')} within the contract")

    def handle(self, number: int, failed: bool) -> None:
        """Take notice of the execution with that number."""
        if failed and not self._has_failed:
            self._has_failed = True
            self._say(f"input {number} makes the step fail: making it smaller")
        elif number % _STRIDE == 0:
            self._say(f"{count(number, 'input')} tried")

    def _say(self, text: str) -> None:
        if not self._quiet:
            write(self._console, Text(text, "dim"))
