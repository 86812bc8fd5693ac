"""What reports add to the wall time of `mlvalidate test-pipeline`.

Runs the example with and without them, in turn. Rendering goes on behind a run; it is waited for
before the next one begins, and its time is printed by itself.

    python benchmarks/reports.py [--project examples/churn] [--repeat 5]
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from pathlib import Path

from overhead import run_pipeline, wait_for_reports


def run(root: Path, reports: str) -> tuple[float, float]:
    """Return how long a run took, and how long reports were rendered after it, in seconds."""
    started = time.perf_counter()
    run_pipeline(root, "--reports", reports)
    taken = time.perf_counter() - started
    wait_for_reports(root)
    return taken, time.perf_counter() - started - taken


def main() -> None:
    """Measure in turn and print medians and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--project", type=Path, default=Path("examples/churn"))
    parser.add_argument("--repeat", type=int, default=5)
    options = parser.parse_args()
    root = options.project.resolve()
    run(root, "all")
    without, with_reports, rendering = [], [], []
    for _ in range(options.repeat):
        without.append(run(root, "none")[0])
        taken, behind = run(root, "all")
        with_reports.append(taken)
        rendering.append(behind)
    ratios = [b / a for a, b in zip(without, with_reports, strict=True)]
    print(f"{options.repeat} pairs, {os.cpu_count()} cores")
    print(f"--reports none  median {statistics.median(without):6.2f} s")
    print(f"--reports all   median {statistics.median(with_reports):6.2f} s")
    print(f"rendered after  median {statistics.median(rendering):6.2f} s")
    print(
        f"ratio           median {statistics.median(ratios):6.2f}   "
        f"(min {min(ratios):.2f}, max {max(ratios):.2f})"
    )


if __name__ == "__main__":
    main()
