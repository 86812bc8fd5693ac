"""The analyst: a process beside the engine that compares outputs with their references.

`python -m mlvalidate.engine.analyst`, with the path of a request per line on stdin. Each answer is
a file beside the sample that it is about. It ends with its stdin, and so with the engine.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

# Verdicts are needed at the end of the run; until then the scripts come first.
_NICE = 5


def main() -> int:
    """Answer requests until there are no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(_NICE)
    # It takes a while, in which the first script runs.
    import scipy.stats  # noqa: F401

    from mlvalidate.data.comparisons import Comparison, compare, write_whole

    for line in sys.stdin:
        request = Comparison.model_validate_json(Path(line.rstrip("\n")).read_text())
        write_whole(request.answer, compare(request).model_dump_json())
    return 0


if __name__ == "__main__":
    sys.exit(main())
