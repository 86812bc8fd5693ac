"""Files in another dialect than the usual one, all the way through a run."""

from __future__ import annotations

from typing import Any

import pytest

from mlvalidate.core.results import Status
from tests.projects import ProjectFolder

DATASET: dict[str, Any] = {
    "rows": 40,
    "header": False,
    "dialect": {"delimiter": ";", "encoding": "latin-1", "decimal": ",", "null": "NA"},
    "key": "id",
    "columns": {
        "id": {"type": "string", "pattern": "00[0-9]{4}"},
        "size": {"type": "category", "values": ["groß", "klein"]},
        "price": {"type": "float", "null": 0.1},
    },
}
SCRIPT = """
import glob, gzip, os
raw, out = "/opt/ml/processing/input/raw/", "/opt/ml/processing/output/clean/"
(name,) = os.listdir(raw)
opened = gzip.open if name.endswith(".gz") else open
lines = [line for line in opened(raw + name, "rb").read().split(b"\\n") if line]
assert len(lines) == 40 and all(line.count(b";") == 2 for line in lines), lines[:3]
assert b"gro\\xdf" in b"".join(lines) and b";NA" in b"".join(lines)
with opened(out + name, "wb") as file:
    file.write(b"\\n".join(FINISH(lines)) + b"\\n")
"""
CHECK = """
    def look(inputs, outputs):
        (made,), (given,) = outputs["clean"].values(), inputs["raw"].values()
        for table in made, given:
            assert list(table.columns) == ["id", "size", "price"], table.columns
            assert len(table) == 40 and table["price"].isna().sum() == 4
            assert set(table["size"]) == {"groß", "klein"}
            assert str(table["price"].dtype) == "float64"
    """


def run(project: ProjectFolder, finish: str, pattern: str, **keys: Any) -> Any:
    project.write("checks.py", CHECK)
    project.write("step.py", f"FINISH = {finish}\n{SCRIPT}")
    ports = {"files": {pattern: "orders"}}
    step = {
        "script": "step.py",
        "inputs": {"raw": ports},
        "outputs": {"clean": ports},
        "checks": ["deterministic", "row_order_invariant", {"check": "checks.py:look"}],
    }
    project.declare(datasets={"orders": {**DATASET, **keys}}, steps={"step": step})
    return project.run_step()


@pytest.mark.parametrize(
    ("pattern", "keys"),
    [("*.csv.gz", {}), ("*.csv", {"dialect": {**DATASET["dialect"], "quoting": "minimal"}})],
)
def test_a_headerless_packed_file_in_another_encoding(
    project: ProjectFolder, pattern: str, keys: dict[str, Any]
) -> None:
    ran = run(project, "sorted", pattern, **keys)
    assert ran.codes == [], [finding.message for finding in ran.result.all_findings]
    assert ran.result.status is Status.PASSED
    (file,) = ran.step.outputs[0].files
    assert (file.rows, list(file.columns)) == (40, ["id", "size", "price"])


def test_what_is_wrong_in_such_a_file_is_found(project: ProjectFolder) -> None:
    wider = run(project, "lambda lines: [line + b';1' for line in lines]", "*.csv.gz")
    message = wider.finding("F307").message
    assert "line 1 has 4 fields, the dataset has 3" in message
    half = run(project, "lambda lines: lines[:20]", "*.csv.gz")
    assert half.codes == ["F338", "F344"], half.codes


def test_shards_share_the_rows_and_ports_the_files(project: ProjectFolder) -> None:
    project.write(
        "step.py",
        """
        import os, shutil
        first, second = ("/opt/ml/processing/input/" + name for name in ("raw", "again"))
        assert len(os.listdir(first)) == 3
        for name in os.listdir(first):
            content = open(f"{first}/{name}", "rb").read()
            assert content == open(f"{second}/{name}", "rb").read() and b"id" not in content
            open(f"/opt/ml/processing/output/clean/{name}", "wb").write(content)
        """,
    )
    ports = {"files": {"part-*.csv": "orders"}}
    step = {
        "script": "step.py",
        "inputs": {"raw": ports, "again": ports},
        "outputs": {"clean": ports},
    }
    project.declare(datasets={"orders": {**DATASET, "shards": 3}}, steps={"step": step})
    ran = project.run_step()
    assert ran.codes == [], [finding.message for finding in ran.result.all_findings]
    assert [file.rows for file in ran.step.outputs[0].files] == [14, 13, 13]
