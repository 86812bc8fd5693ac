"""Commands on datasets, with everything real: `infer`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from mlvalidate.cli.commands.infer import FORMATS
from mlvalidate.cli.entry import run
from mlvalidate.core.datasets import FileFormat

ROWS = "".join(f"A{n:03d},{n % 3},{n * 1.5}\n" for n in range(100))
PROJECT = """\
version: 1
project: demo
steps: {s: {script: s.py, outputs: {o: {}}}}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "s.py").write_text("")
    (tmp_path / "mlvalidate.yaml").write_text(PROJECT)
    (tmp_path / "data").mkdir()
    (tmp_path / "data/orders.csv").write_text("id,level,amount\n" + ROWS)
    return tmp_path


def test_the_formats_are_those_of_datasets() -> None:
    assert tuple(FORMATS) == tuple(format.value for format in FileFormat)


def test_infer_prints_what_loads(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["infer", "-C", str(project), str(project / "data/orders.csv")]) == 0
    out, err = capfd.readouterr()
    assert err == ""
    (project / "mlvalidate.yaml").write_text(f"{PROJECT}datasets:\n{out}")
    assert run(["list", "-C", str(project), "--json"]) == 0
    listed = json.loads(capfd.readouterr().out)["datasets"]["orders"]
    assert listed["sample"] == "data/orders.csv"
    assert listed["columns"] == {"id": "string", "level": "integer", "amount": "float"}


def test_infer_as_json(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file = str(project / "data/orders.csv")
    assert run(["infer", file, "--name", "shop", "--json", "--rows-sampled", "60"]) == 0
    inferred = json.loads(capfd.readouterr().out)
    assert inferred["name"] == "shop"
    assert "60 of 100 rows" in inferred["notes"][0]
    assert "correlations" not in inferred["dataset"]  # these columns have none


def test_infer_leaves_correlations_out_when_asked(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = project / "data/pairs.csv"
    path.write_text("a,b\n" + "".join(f"{n}.5,{n * 2}.25\n" for n in range(100)))
    assert run(["infer", str(path)]) == 0
    assert yaml.safe_load(capfd.readouterr().out)["pairs"]["correlations"] == {"a": {"b": 1}}
    assert run(["infer", str(path), "--no-correlations"]) == 0
    assert "correlations" not in capfd.readouterr().out


def test_infer_says_what_it_cannot_read(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = project / "data/orders.csv"
    assert run(["infer", str(path), "--format", "parquet"]) == 2
    assert f"error: {path}: it can't be read" in capfd.readouterr().err
    assert run(["infer", str(path), "--name", "2 bad"]) == 2
    assert "can't be the name of a dataset" in capfd.readouterr().err
    assert run(["infer", str(project / "no.csv")]) == 2
