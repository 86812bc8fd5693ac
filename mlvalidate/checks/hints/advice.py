"""What a rule for crashes has to say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mlvalidate.checks.evidence import Evidence
from mlvalidate.checks.traceback import PythonError


@dataclass(frozen=True)
class Advice:
    """A hint, and what it found out: the port and column it is about, the producer to blame."""

    hint: str = ""
    port: str | None = None
    column: str | None = None
    blame: str | None = None


# Looks at the exception, and returns None when it has nothing to say.
Rule = Callable[[PythonError, Evidence], Advice | None]
