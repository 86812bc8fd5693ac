"""How many seeded faults `mlvalidate test-pipeline` reports, and whether it blames the right step.

Each fault is put alone into a copy of `examples/churn`, the copy is tested on synthetic data, and
what is reported is compared with what `catalogue/` says must be.

    python benchmarks/faults/run.py                   every fault
    python benchmarks/faults/run.py unseeded-split    those whose name or step holds a word
    python benchmarks/faults/run.py --clean 20        the example as it is, over 20 seeds
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from faults import Fault, Outcome, apply_fault, compare, copy_example, load_faults

from mlvalidate.core.findings import Finding
from mlvalidate.core.results import PipelineResult


def run_pipeline(project: Path, seed: int = 0) -> PipelineResult:
    """Run the command as a user would; RuntimeError when it gives no result."""
    command = [sys.executable, "-m", "mlvalidate", "test-pipeline", "-C", str(project)]
    done = subprocess.run(
        [*command, "--no-record", "--reports", "none", "--json", "--seed", str(seed)],
        capture_output=True,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        text=True,
        check=False,
    )
    if done.returncode not in (0, 1):
        raise RuntimeError(f"exit code {done.returncode}: {done.stderr.strip()}")
    return PipelineResult.model_validate_json(done.stdout)


def try_fault(fault: Fault) -> Outcome:
    """Run the example with one fault in it."""
    with tempfile.TemporaryDirectory(prefix="fault-") as folder:
        project = copy_example(Path(folder) / "churn")
        apply_fault(fault, project)
        return compare(fault, run_pipeline(project))


def try_seed(seed: int) -> tuple[Finding, ...]:
    """Run the example as it is, and return what is found all the same."""
    with tempfile.TemporaryDirectory(prefix="clean-") as folder:
        return run_pipeline(copy_example(Path(folder) / "churn"), seed).all_findings


def row(outcome: Outcome) -> str:
    """Return one line of the table."""
    detected = "yes" if outcome.expected else "no"
    right = "yes" if outcome.right else "no"
    codes = outcome.right or outcome.expected
    extra = f"not {' '.join(outcome.others)}" if not codes and outcome.others else ""
    cells = (outcome.fault.step, outcome.fault.name, detected, right, " ".join(codes) or extra)
    return "{:<11} {:<29} {:<9} {:<7} {}".format(*cells).rstrip()


def report_faults(faults: Sequence[Fault], jobs: int) -> bool:
    """Print the table and the figure; False when a fault slipped through that is not known to."""
    print("{:<11} {:<29} {:<9} {:<7} {}".format("step", "fault", "detected", "blamed", "by"))
    outcomes = []
    with ThreadPoolExecutor(jobs) as pool:
        for outcome in pool.map(try_fault, faults):
            outcomes.append(outcome)
            print(row(outcome), flush=True)
    detected = sum(bool(outcome.expected) for outcome in outcomes)
    right = sum(bool(outcome.right) for outcome in outcomes)
    total = len(outcomes)
    print(
        f"\n{total} faults: {detected} detected ({detected / total:.1%}), "
        f"{right} with the right step blamed ({right / total:.1%})"
    )
    for outcome in outcomes:
        if outcome.fault.missed:
            print(f"known to be missed: {outcome.fault.name}: {outcome.fault.missed}")
    return all(outcome.right or outcome.fault.missed for outcome in outcomes)


def report_clean(seeds: int, jobs: int) -> bool:
    """Print what is found on the example as it is; True when that is nothing."""
    with ThreadPoolExecutor(jobs) as pool:
        found = list(pool.map(try_seed, range(seeds)))
    for seed, findings in enumerate(found):
        for finding in findings:
            print(f"seed {seed}: {finding.severity} {finding.code}: {finding.message}")
    total = sum(map(len, found))
    print(f"{seeds} seeds of the example without a fault: {total or 'no'} findings")
    return total == 0


def main() -> None:
    """Read the command line, run, and end with exit code 1 when something is not as claimed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("words", nargs="*", help="parts of the names of faults, or steps")
    parser.add_argument("--clean", type=int, metavar="N", help="run N seeds without a fault")
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time (default: 2)")
    options = parser.parse_args()
    started = time.monotonic()
    if options.clean:
        good = report_clean(options.clean, options.jobs)
    else:
        faults = [
            fault
            for fault in load_faults()
            if not options.words
            or any(word in f"{fault.step} {fault.name}" for word in options.words)
        ]
        if not faults:
            sys.exit("no fault has such a name")
        good = report_faults(faults, options.jobs)
    print(f"{time.monotonic() - started:.0f} s", file=sys.stderr)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
