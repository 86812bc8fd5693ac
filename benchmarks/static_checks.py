"""Wall time of `mlvalidate check` on 50 steps against the least that any such tool must do.

The other side is a Python that imports yaml and pydantic and parses the same scripts. Both run in
turn, each in a process of its own.

    python benchmarks/static_checks.py [--steps 50] [--repeat 5]
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

_SCRIPT = """
import argparse
import os

import pandas as pd


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--ratio", type=float, default=0.2)
    parser.add_argument("--mode", choices=["fast", "exact"], required=True)
    options = parser.parse_args()
    frame = pd.read_csv("/opt/ml/processing/in/a.csv")
    frame = frame.sample(frac=options.ratio, random_state=int(os.environ["SEED"]))
    frame.to_csv("/opt/ml/processing/out/a.csv", index=False)


if __name__ == "__main__":
    main()
"""
_STEP = """
  s{number}:
    script: s{number}.py
    args: {{ratio: 0.5, mode: fast}}
    env: {{SEED: "1"}}
    inputs: {{in: {{path: /opt/ml/processing/in, files: {{a.csv: d}}}}}}
    outputs: {{out: {{path: /opt/ml/processing/out, files: {{a.csv: d}}}}}}"""
_PARSE = (
    "import ast, pathlib, sys, yaml, pydantic\n"
    "root = pathlib.Path(sys.argv[1])\n"
    "yaml.load((root / 'mlvalidate.yaml').read_text(), yaml.CSafeLoader)\n"
    "for path in root.glob('*.py'): ast.parse(path.read_bytes())"
)


def write_project(root: Path, steps: int) -> None:
    """Write a project of so many steps; every second one is in a pipeline with the others."""
    for number in range(steps):
        (root / f"s{number}.py").write_text(_SCRIPT)
    text = "version: 1\nproject: many\ndatasets:\n  d: {columns: {a: {type: integer}}}\nsteps:"
    text += "".join(_STEP.format(number=number) for number in range(steps))
    chained = list(range(0, steps, 2))
    text += f"\npipelines:\n  p:\n    nodes: [{', '.join(f's{n}' for n in chained)}]\n    edges:\n"
    text += "".join(f"      s{b}.in: s{a}.out\n" for a, b in pairwise(chained))
    (root / "mlvalidate.yaml").write_text(text)


def run(command: list[str]) -> float:
    """Return the wall time of a command in seconds."""
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def main() -> None:
    """Measure both in turn and print medians and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--repeat", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        write_project(Path(folder), options.steps)
        parse = [sys.executable, "-c", _PARSE, folder]
        check = [sys.executable, "-m", "mlvalidate", "check", "-C", folder, "--quiet"]
        pairs = [(run(parse), run(check)) for _ in range(options.repeat)]
    print(f"{options.steps} steps, {options.repeat} pairs")
    print(f"import and parse  median {statistics.median(parse for parse, _ in pairs):6.2f} s")
    print(f"mlvalidate check  median {statistics.median(check for _, check in pairs):6.2f} s")
    print(f"ratio             median {statistics.median(c / p for p, c in pairs):6.2f}")


if __name__ == "__main__":
    main()
