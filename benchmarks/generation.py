"""Generation against plain numpy, pandera's strategies and SDV's Gaussian copula.

Each side makes the same columns; ours and numpy's end with the same file write. Sides run in turn,
so that a machine which gets slower hits all, and the medians of the ratios are printed. pandera is
asked for few rows, because its strategies take long: its time is per row. SDV lives in another
interpreter, where it is fitted to our rows first; only its sampling counts.

    python benchmarks/generation.py [--rows 100000] [--repeat 5] [--sdv-python VENV/bin/python]
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mlvalidate.core.datasets import Dataset
from mlvalidate.data.family import Family
from mlvalidate.data.files import write_table
from mlvalidate.data.generation import write_dataset
from mlvalidate.data.synthesis import generate

NUMBERS: dict[str, Any] = {
    "age": {"type": "integer", "min": 18, "max": 90},
    "visits": {"type": "integer", "distribution": {"kind": "poisson", "mean": 3}},
    "share": {"type": "float", "min": 0, "max": 1},
    "height": {"type": "float", "distribution": {"kind": "normal", "mean": 170, "sd": 10}},
    "income": {"type": "float", "distribution": {"kind": "lognormal", "mean": 10, "sd": 0.5}},
    "active": {"type": "boolean", "rate": 0.3},
}
MIXED: dict[str, Any] = {
    **NUMBERS,
    "code": {"type": "string", "pattern": "C[0-9]{6}"},
    "plan": {"type": "category", "values": {"basic": 0.6, "plus": 0.3, "pro": 0.1}},
    "signup": {"type": "datetime", "min": "2020-01-01", "max": "2024-12-31"},
    "score": {"type": "float", "min": 0, "max": 100, "null": 0.1},
}
LIKENESSES: dict[str, Any] = {
    **MIXED,
    "name": {"type": "string", "like": "name"},
    "mail": {"type": "string", "like": "email"},
    "city": {"type": "string", "like": "city", "null": 0.1},
}
MIXES = {"numbers": NUMBERS, "mixed": MIXED, "with likenesses": LIKENESSES}
PANDERA_ROWS = 50
_SDV = """
import sys, time, warnings
import pandas as pd
warnings.simplefilter("ignore")
from sdv.metadata import Metadata
from sdv.single_table import GaussianCopulaSynthesizer
table, rows = pd.read_csv(sys.argv[1]), int(sys.argv[2])
if hasattr(Metadata, "detect_from_dataframe"):  # until SDV 2
    metadata, data = Metadata.detect_from_dataframe(table), table
else:
    data = {"table": table}
    metadata = Metadata.detect_from_dataframes(data)
made = GaussianCopulaSynthesizer(metadata)
made.fit(data)
made.sample(10)
started = time.perf_counter()
made.sample(rows)
print("seconds", time.perf_counter() - started)
"""


def make_by_numpy(columns: dict[str, Any], rows: int, words: dict[str, Any]) -> pd.DataFrame:
    """Return the columns as plain numpy draws them: no exact shares, nothing seeded by name."""
    random = np.random.default_rng(0)
    start, seconds = np.datetime64("2020-01-01", "s"), 5 * 365 * 86_400
    scores = random.uniform(0, 100, rows)
    scores[random.random(rows) < 0.1] = np.nan
    digits = np.array(list("0123456789"))

    def picked(name: str) -> Any:
        return words[name][random.integers(0, len(words[name]), rows)]

    makers: dict[str, Callable[[], Any]] = {
        "age": lambda: random.integers(18, 91, rows),
        "visits": lambda: random.poisson(3, rows),
        "share": lambda: random.uniform(0, 1, rows).round(6),
        "height": lambda: random.normal(170, 10, rows).round(4),
        "income": lambda: random.lognormal(10, 0.5, rows).round(2),
        "active": lambda: random.random(rows) < 0.3,
        "code": lambda: (
            "C" + digits[random.integers(0, 10, (rows, 6))].view("U6")[:, 0].astype(object)
        ),
        "plan": lambda: random.choice(["basic", "plus", "pro"], rows, p=[0.6, 0.3, 0.1]),
        "signup": lambda: start + random.integers(0, seconds, rows).astype("m8[s]"),
        "score": lambda: scores.round(4),
        "name": lambda: picked("first") + " " + picked("last"),
        "mail": lambda: (
            picked("first")
            + random.integers(0, 10**6, rows).astype("U").astype(object)
            + "@example.com"
        ),
        "city": lambda: np.where(random.random(rows) < 0.1, None, picked("city")),
    }
    return pd.DataFrame({name: makers[name]() for name in columns})


def words_of_likenesses() -> dict[str, Any]:
    """Return the words that numpy chooses from."""
    pools = {"first": "first_name", "last": "last_name", "city": "city"}
    return {
        name: generate(_dataset({"a": {"type": "string", "like": like}}), 500, 0)["a"]
        .to_numpy()
        .astype(object)
        for name, like in pools.items()
    }


def _dataset(columns: dict[str, Any], format: str = "csv") -> Dataset:
    return Dataset.model_validate({"columns": columns, "format": format})


def timed(action: Callable[[], object]) -> float:
    """Return how long a call takes, in seconds."""
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def against_numpy(
    columns: dict[str, Any], rows: int, format: str, folder: Path
) -> tuple[float, float]:
    """Return our seconds and numpy's, both with the file."""
    declared = _dataset(columns, format)
    words = words_of_likenesses()
    path = folder / f"table.{format}"
    ours = timed(lambda: write_dataset(declared, "t", [path], rows=rows, seed=0, family=Family()))
    plain = timed(lambda: write_table(make_by_numpy(columns, rows, words), path, declared.format))
    return ours, plain


def pandera_per_row(columns: dict[str, Any]) -> float:
    """Return the seconds that one row of pandera's strategies takes."""
    import pandera.pandas as pa

    kinds = {"integer": int, "float": float, "boolean": bool, "datetime": "datetime64[ns]"}

    def column(keys: dict[str, Any]) -> Any:
        checks = []
        if keys.get("pattern"):
            checks.append(pa.Check.str_matches(f"^{keys['pattern']}$"))
        if keys.get("values"):
            checks.append(pa.Check.isin(list(keys["values"])))
        if keys["type"] in ("integer", "float") and "max" in keys:
            checks.append(pa.Check.in_range(keys["min"], keys["max"]))
        return pa.Column(kinds.get(keys["type"], str), checks, nullable="null" in keys)

    schema = pa.DataFrameSchema({name: column(keys) for name, keys in columns.items()})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return timed(lambda: schema.example(size=PANDERA_ROWS)) / PANDERA_ROWS


def sdv_seconds(python: str, columns: dict[str, Any], rows: int, folder: Path) -> float:
    """Return the seconds that SDV takes to sample so many rows."""
    path = folder / "fitted.csv"
    generate(_dataset(columns), 5000, 0).to_csv(path, index=False)
    command = [python, "-c", _SDV, str(path), str(rows)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise LookupError(done.stderr.strip().splitlines()[-1])
    return float(done.stdout.rpartition("seconds")[2])


def main() -> None:
    """Measure all sides in turn and print a table of ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--sdv-python", help="interpreter that has SDV")
    options = parser.parse_args()
    print(f"{options.rows} rows, {options.repeat} rounds, {os.cpu_count()} cores")
    print(
        f"{'columns':<16} {'format':<8} {'ours':>8} {'/ numpy':>8} {'pandera /':>10} {'SDV /':>10}"
    )
    missing: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as name:
        for mix, columns in MIXES.items():
            _measure(mix, columns, options, Path(name), missing)
    for side, reason in missing.items():
        print(f"{side}: {reason}", file=sys.stderr)


def _measure(
    mix: str,
    columns: dict[str, Any],
    options: argparse.Namespace,
    folder: Path,
    missing: dict[str, str],
) -> None:
    rows = options.rows
    against_numpy(columns, 1000, "csv", folder)
    for format in ("csv", "parquet"):
        pairs = [against_numpy(columns, rows, format, folder) for _ in range(options.repeat)]
        ours = statistics.median(first for first, _ in pairs)
        ratio = statistics.median(first / second for first, second in pairs)
        print(f"{mix:<16} {format:<8} {ours:>7.2f}s {ratio:>7.2f}x", end=" ")
        if format == "csv":  # the others write no file
            alone = timed(lambda: generate(_dataset(columns), rows, 0))
            by_row = _times(missing, "pandera", alone, lambda: pandera_per_row(columns) * rows)
            sampled = _times(missing, "SDV", alone, lambda: _sdv(options, columns, folder))
            print(by_row, sampled, end="")
        print(flush=True)


def _sdv(options: argparse.Namespace, columns: dict[str, Any], folder: Path) -> float:
    if not options.sdv_python:
        raise LookupError("no --sdv-python given")
    return sdv_seconds(options.sdv_python, columns, options.rows, folder)


def _times(missing: dict[str, str], side: str, ours: float, measure: Callable[[], float]) -> str:
    """Return how many times as long a side takes, or a dash and remember why it can't run."""
    try:
        return f"{measure() / ours:>9.0f}x"
    except (ImportError, LookupError) as error:
        missing[side] = str(error)
        return f"{'-':>10}"


if __name__ == "__main__":
    main()
