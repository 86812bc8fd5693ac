"""Commands on datasets, with everything real: `infer` and `generate`."""

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


@pytest.fixture
def orders(project: Path, capfd: pytest.CaptureFixture[str]) -> Path:
    """The project with the dataset `orders`, inferred from its sample."""
    assert run(["infer", "-C", str(project), str(project / "data/orders.csv")]) == 0
    (project / "mlvalidate.yaml").write_text(f"{PROJECT}datasets:\n{capfd.readouterr().out}")
    return project


def test_generate_writes_exactly_the_rows(
    orders: Path, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    words = ["generate", "orders", "-C", str(orders), "--rows", "712", "--seed", "7"]
    for out in ("a", "b"):
        assert run([*words, "--out", str(tmp_path / out)]) == 0
    assert f"{tmp_path}/a/orders.csv: 712 rows" in capfd.readouterr().out
    first = (tmp_path / "a/orders.csv").read_bytes()
    assert first == (tmp_path / "b/orders.csv").read_bytes()
    assert first.count(b"\n") == 713
    assert run([*words, "--out", str(tmp_path / "c"), "--format", "jsonl"]) == 0
    lines = (tmp_path / "c/orders.jsonl").read_text().splitlines()
    assert len(lines) == 712
    assert list(json.loads(lines[0])) == ["id", "level", "amount"]


def test_generate_writes_shards(
    orders: Path, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = orders / "mlvalidate.yaml"
    file.write_text(file.read_text().replace("format: csv", "format: csv\n    shards: 3"))
    out = tmp_path / "out"
    words = ["generate", "orders", "-C", str(orders), "--rows", "100", "--out", str(out), "--json"]
    assert run(words) == 0
    generated = json.loads(capfd.readouterr().out)
    assert {Path(path).name: rows for path, rows in generated["files"].items()} == {
        "orders-00001.csv": 34,
        "orders-00002.csv": 33,
        "orders-00003.csv": 33,
    }
    ids = [line.split(",")[0] for path in sorted(out.iterdir()) for line in path.open()]
    assert ids.count("id") == 3
    assert len(set(ids)) == 101


@pytest.mark.slow
def test_fidelity_tells_near_from_far(
    orders: Path, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    far = tmp_path / "far.csv"
    far.write_text(
        "id,level,amount\n" + "".join(f"A{n:03d},{n % 2},{n * 9}.5\n" for n in range(99))
    )
    words = ["generate", "orders", "-C", str(orders), "--out", str(tmp_path / "out")]
    shares = {}
    for name, more in (("near", ["--fidelity"]), ("far", ["--against", str(far)])):
        assert run([*words, *more, "--json"]) == 0
        fidelity = json.loads(capfd.readouterr().out)["fidelity"]
        columns = {column["column"]: column for column in fidelity["columns"]}
        assert columns["id"]["reason"] == "identifies rows"
        shares[name] = [columns[each]["drifted"] for each in ("level", "amount")]
    assert shares["far"] == [True, True]
    assert shares["near"][0] is False
    assert run([*words, "--fidelity"]) == 0
    out = capfd.readouterr().out
    assert "compared with data/orders.csv: 100 rows, synthetic 100 rows" in out
    assert "of 2 columns)" in out


def test_generate_says_what_is_wrong(
    orders: Path, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    words = ["-C", str(orders), "--out", str(tmp_path / "out")]
    assert run(["generate", "order", *words]) == 2
    assert "did you mean 'orders'?" in capfd.readouterr().err
    assert run(["generate", "orders"]) == 2
    assert "--out" in capfd.readouterr().err
    file = orders / "mlvalidate.yaml"
    file.write_text(file.read_text().replace("    sample: data/orders.csv\n", ""))
    assert run(["generate", "orders", *words, "--fidelity"]) == 2
    assert "--against" in capfd.readouterr().err
    assert run(["generate", "orders", *words, "--rows", "5000"]) == 2
    assert "5000 different values are needed" in capfd.readouterr().err
