"""Command lines that a script does not take."""

from __future__ import annotations

import re

from mlvalidate.checks.evidence import Evidence
from mlvalidate.checks.hints.advice import Advice


def wrong_usage(evidence: Evidence) -> Advice | None:
    """Repeat what argparse or click says of the arguments, and name `args` of the step.

    Both end with exit code 2 and a usage text instead of a traceback.
    """
    found = re.findall(r"^(?:.*: )?error: (.*)$", evidence.stderr, re.MULTILINE | re.IGNORECASE)
    if evidence.outcome.exit_code != 2 or "usage:" not in evidence.stderr.lower() or not found:
        return None
    return Advice(f"correct `args` of step {evidence.planned.step_name}: {found[-1]}")
