"""Inferring a dataset: it is read back, the sample fits it, and it repeats no row."""

from __future__ import annotations

import datetime as dt
import gzip
import json
import lzma
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlvalidate.core.columns import ColumnType, Likeness
from mlvalidate.core.datasets import Compression, Dataset, FileFormat
from mlvalidate.core.errors import UsageError
from mlvalidate.data.conformity import find_faults
from mlvalidate.data.files import read_table, write_table
from mlvalidate.data.inference.inferring import Inferred, default_name, infer_dataset
from mlvalidate.data.inference.options import InferenceOptions
from mlvalidate.data.inference.texts import find_pattern
from mlvalidate.data.synthesis import generate
from mlvalidate.project import load_project

ROOT = Path(__file__).parents[2]
HEAD = "version: 1\nproject: p\nsteps: {s: {script: s.py, outputs: {o: {}}}}\ndatasets:\n"


def infer_text(folder: Path, text: str, name: str = "t.csv", **options: Any) -> Inferred:
    path = folder / name
    path.write_bytes(text.encode())
    return infer_dataset(path, InferenceOptions(**options))


def loaded(folder: Path, inferred: Inferred) -> Dataset:
    """Return the dataset as the loader reads the printed YAML."""
    (folder / "s.py").write_text("")
    (folder / "mlvalidate.yaml").write_text(HEAD + inferred.yaml(), encoding="utf-8")
    return load_project(folder, {}).datasets[inferred.name]


def lines(*rows: str, times: int = 1) -> str:
    return "\n".join([rows[0], *rows[1:] * times]) + "\n"


def test_the_example_is_inferred_and_fits(tmp_path: Path) -> None:
    path = ROOT / "examples/churn/data/customers.csv"
    inferred = infer_dataset(path)
    dataset = loaded(tmp_path, inferred)
    assert dataset == inferred.dataset
    assert find_faults(read_table(path, FileFormat.CSV, dataset), dataset) == ()
    assert dataset.key == "customer_id"
    columns = dataset.columns
    assert columns["customer_id"].pattern == "C[0-9]{6}"
    assert columns["first_order"].type is ColumnType.DATE
    assert columns["orders"].type is ColumnType.INTEGER
    assert columns["basket"].type is ColumnType.CATEGORY
    assert columns["churned"].rate == 0.7
    assert columns["price_per_cd"].null == pytest.approx(0.00289)
    assert dataset.correlations["cds"]["spend"] == pytest.approx(0.93)
    assert dataset.label is None


cells = {
    "integer": st.integers(-(10**12), 10**12),
    "small": st.integers(0, 3),
    "float": st.floats(allow_nan=False, allow_infinity=False, width=32),
    "boolean": st.booleans(),
    "category": st.sampled_from(["red", "green", "null", "7", "a, b", "x: y", "ü"]),
    "code": st.from_regex(r"[A-Z]{2}-[0-9]{3}", fullmatch=True),
    "text": st.text(
        st.characters(exclude_categories=["Cs"], exclude_characters="\0\r\ufeff"), max_size=20
    ),
    "datetime": st.datetimes(dt.datetime(1950, 1, 1), dt.datetime(2100, 1, 1)),
    "date": st.dates(dt.date(1950, 1, 1), dt.date(2100, 1, 1)),
}


@st.composite
def frames(draw: st.DrawFn) -> pd.DataFrame:
    rows = draw(st.integers(1, 40))
    names = draw(st.lists(st.sampled_from(sorted(cells)), min_size=2, max_size=4, unique=True))
    columns: dict[str, pd.Series] = {}
    for name in names:
        cell = cells[name]
        if draw(st.booleans()):
            cell = st.none() | cell
        values = draw(st.lists(cell, min_size=rows, max_size=rows))
        columns[f"{name} col"] = pd.Series(values, dtype=object)
    return pd.DataFrame(columns).infer_objects()


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    frame=frames(),
    format=st.sampled_from(list(FileFormat)),
    rarest=st.sampled_from([1, 5]),
)
def test_any_sample_fits_what_is_inferred_from_it(
    tmp_path_factory: pytest.TempPathFactory, frame: pd.DataFrame, format: FileFormat, rarest: int
) -> None:
    folder = tmp_path_factory.mktemp("any")
    path = folder / f"t.{format.value}"
    write_table(frame, path, format)
    inferred = infer_dataset(path, InferenceOptions(rarest=rarest))
    dataset = loaded(folder, inferred)
    assert dataset == inferred.dataset
    if dataset.header and "dialect" not in inferred.keys:
        assert find_faults(read_table(path, format, dataset), dataset) == ()


def test_no_row_and_no_rare_value_is_repeated(tmp_path: Path) -> None:
    from mlvalidate.data.draws import Draws

    draws = Draws(1, "privacy")
    rows = 300
    names = [f"Name{n:05d}Q" for n in draws.distinct(99999, rows)]
    frame = pd.DataFrame(
        {
            "person": names,
            "mail": [f"{name}@example.org".lower() for name in names],
            "salary": draws.distinct(10**9, rows).astype("int64") + 13,
            "ratio": draws.uniform(rows),
            "born": [
                dt.datetime(1960, 1, 1) + dt.timedelta(seconds=int(n))
                for n in draws.distinct(10**9, rows)
            ],
            "team": ["blue", "red", "green"] * 99 + ["secret1", "secret2", "blue"],
            "note": [f"Call {name} about the matter of {n}" for n, name in enumerate(names)],
        }
    )
    path = tmp_path / "people.csv"
    write_table(frame, path, FileFormat.CSV)
    shown = infer_dataset(path).yaml()
    tokens = set(re.findall(r"[\w.@:-]+", shown)) | set(re.findall(r'"([^"]*)"', shown))
    for column in frame.columns.drop("team"):
        assert not tokens & set(map(str, frame[column])), column
    assert "secret" not in shown
    assert not any(line in shown for line in path.read_text().splitlines()[1:])
    assert "of its 5 values 2 are in fewer than 5 rows" in shown
    everything = infer_dataset(path, InferenceOptions(rarest=1)).dataset
    assert set(everything.columns["team"].weights) == {"blue", "red", "green", "secret1", "secret2"}


def test_synthetic_data_resembles_the_sample(tmp_path: Path) -> None:
    path = ROOT / "examples/churn/data/customers.csv"
    inferred = infer_dataset(path)
    real = read_table(path, FileFormat.CSV, inferred.dataset)
    made = generate(inferred.dataset, len(real), 0, "customers")
    for name in ("spend", "price_per_cd"):
        quantiles = [0.1, 0.5, 0.9]
        assert made[name].quantile(quantiles).tolist() == pytest.approx(
            real[name].quantile(quantiles).tolist(), rel=0.1
        )
        assert made[name].mean() == pytest.approx(real[name].mean(), rel=0.1)


@pytest.mark.parametrize(
    ("cells", "keys"),
    [
        (["007", "012", "999"], {"type": "string", "pattern": "[0-9]{3}"}),
        (["1", "2.5", "1e3"], {"type": "float"}),
        (["1.0", "", "3.0"], {"type": "integer"}),
        (["True", "false", "TRUE"], {"type": "boolean"}),
        (["2020-01-31", "2020-02-01", "2021-12-31"], {"type": "date"}),
        (["31/12/2020", "01/02/2021", "13/02/2021"], {"type": "date"}),
        (["2020-01-31 10:00", "2020-02-01 00:00", ""], {"type": "datetime"}),
        (["12:30", "13:45", "00:00"], {"type": "string"}),
        (["a@b.org", "c.d@e.co.uk", "f@g.de"], {"type": "string", "like": "email"}),
        (["10.0.0.1", "192.168.1.20", "8.8.8.8"], {"type": "string", "like": "ipv4"}),
        (["99999999999999999999999", "1234567890123456789012", "5"], {"type": "float"}),
    ],
)
def test_texts_are_recognised(tmp_path: Path, cells: list[str], keys: dict[str, Any]) -> None:
    rows = [f"{cell},{number}.5" for number, cell in enumerate(cells)]
    column = infer_text(tmp_path, lines("c,n", *rows), rarest=1).keys["columns"]["c"]
    assert {key: column.get(key) for key in keys} == keys


def test_names_tell_what_words_are(tmp_path: Path) -> None:
    rows = [f"Ann Lee {chr(97 + n)},Oslo {chr(97 + n)}" for n in range(20)]
    columns = infer_text(tmp_path, lines("fullName,home_city", *rows)).dataset.columns
    assert columns["fullName"].like is None or columns["fullName"].like is Likeness.NAME
    assert columns["home_city"].like is Likeness.CITY


@pytest.mark.parametrize(
    ("values", "pattern"),
    [
        (["A12-x", "B99-x", "A00-x"], "[A-Z][0-9]{2}\\-x"),
        (["ab12", "c3", "def456"], "[a-z]{1,3}[0-9]{1,3}"),
        (["0f3a", "99bc", "abcd", "a1b2", "12ab"], "[0-9a-f]{4}"),
        (["hello", "you"], None),
        (["naïve1", "b2"], None),
    ],
)
def test_patterns_of_codes(values: list[str], pattern: str | None) -> None:
    found = find_pattern(dict.fromkeys(values, 9), 5)
    assert found == pattern
    assert find_pattern(dict.fromkeys(values, 1), 50) is None


def test_dialects_are_found(tmp_path: Path) -> None:
    rows = [f'"x{n}";"{n},5";"NA"' if n % 3 else f'"x{n}";"{n},5";"7"' for n in range(30)]
    text = "\r\n".join(['"größe";"wert";"zahl"', *rows]) + "\r\n"
    path = tmp_path / "t.csv"
    path.write_bytes(text.encode("cp1252"))
    dataset = infer_dataset(path).dataset
    assert dataset.dialect.model_dump(exclude_defaults=True) == {
        "delimiter": ";", "quoting": "all", "encoding": "cp1252", "line_end": "crlf",
        "null": "NA", "decimal": ",",
    }  # fmt: skip
    assert [column.type.value for column in dataset.columns.values()] == [
        "string", "float", "integer",
    ]  # fmt: skip
    assert dataset.columns["zahl"].null > 0.6


def test_a_file_without_header(tmp_path: Path) -> None:
    dataset = infer_text(tmp_path, lines("M,0.4,15", "F,0.5,7", "I,0.3,9", times=9)).dataset
    assert not dataset.header
    assert list(dataset.columns) == ["column_1", "column_2", "column_3"]


@pytest.mark.parametrize(
    "text",
    [
        "a,b\nx,y\nz,w\n", ",a\n0,1\n1,2\n", "0,1,2\n.5,.5,.1\n.2,.2,.3\n", "name\nx\ny\n",
        "state,2018\nAK,R+1\nAL,D+2\n", "land,2018,2019\nx,1.5,2\ny,2.5,3\n",
        "id,why,\n1,a,b\n2,c,d\n",
    ],
)  # fmt: skip
def test_a_header_is_known_for_one(tmp_path: Path, text: str) -> None:
    assert infer_text(tmp_path, text).dataset.header


@pytest.mark.parametrize("text", ["x,1985\ny,1999\nz,2001\n", "a,b\na,c\nb,b\n", "2020-01-01,x\n"])
def test_rows_are_not_taken_for_a_header(tmp_path: Path, text: str) -> None:
    assert not infer_text(tmp_path, text).dataset.header


def test_packed_files_and_shards(tmp_path: Path) -> None:
    folder = tmp_path / "orders"
    folder.mkdir()
    for shard in range(3):
        text = lines("n,w", *(f"{shard * 100 + n},w{n % 2}" for n in range(50)))
        (folder / f"part-{shard}.csv.xz").write_bytes(lzma.compress(text.encode()))
    (folder / "_SUCCESS").write_text("")
    inferred = infer_dataset(folder)
    assert (inferred.name, inferred.dataset.shards, inferred.dataset.rows) == ("orders", 3, 150)
    assert inferred.dataset.compression is None
    disguised = tmp_path / "t.csv"
    disguised.write_bytes(gzip.compress(b"a,b\n1,2\n"))
    assert infer_dataset(disguised).dataset.compression is Compression.GZIP


def test_a_large_file_is_sampled_the_same_way_every_time(tmp_path: Path) -> None:
    text = lines("id,v", *(f"{n},{n % 7}.5" for n in range(5000)))
    first = infer_text(tmp_path, text, rows=500, seed=3)
    assert first == infer_text(tmp_path, text, rows=500, seed=3)
    assert first != infer_text(tmp_path, text, rows=500, seed=4)
    assert first.dataset.key is None
    assert "500 of 5,000 rows" in first.yaml()
    assert "perhaps a key: id" in first.yaml()


def test_a_key_of_numbers_has_room_for_more_rows(tmp_path: Path) -> None:
    dataset = infer_text(tmp_path, lines("id,v", *(f"{n},x" for n in range(1, 60)))).dataset
    assert dataset.key == "id"
    assert len(generate(dataset, 5000, 0, "t")) == 5000


def test_json_with_lists_and_objects(tmp_path: Path) -> None:
    records = [
        {"tags": ["a", "b"], "place": {"x": n / 7, "city": "Oslo"}, "at": "2020-01-01T10:00:00"}
        for n in range(20)
    ]
    text = "".join(json.dumps(record) + "\n" for record in records)
    inferred = infer_text(tmp_path, text, "t.jsonl")
    columns = inferred.dataset.columns
    assert columns["tags"].type is ColumnType.LIST
    assert columns["tags"].items is not None
    assert columns["place"].fields is not None
    assert columns["place"].fields["x"].type is ColumnType.FLOAT
    assert columns["at"].type is ColumnType.DATETIME
    assert loaded(tmp_path, inferred) == inferred.dataset


def test_parquet_knows_its_types(tmp_path: Path) -> None:
    days = pd.date_range("2020-01-01", periods=30, freq="D")
    frame = pd.DataFrame({"day": days.date, "at": days, "n": pd.array([1, None] * 15, "Int64")})
    write_table(frame, tmp_path / "t.parquet", FileFormat.PARQUET)
    types = {
        n: c.type.value for n, c in infer_dataset(tmp_path / "t.parquet").dataset.columns.items()
    }
    assert types == {"day": "date", "at": "datetime", "n": "integer"}


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (b"", "t.csv", "empty"),
        (b"a\0b\n\0\0\n", "t.csv", "binary"),
        (b"a,a\n1,2\n", "t.csv", "'a' occurs twice"),
        (b"PAR1 no", "t.parquet", "t.parquet"),
        (b"{]", "t.json", "not JSON"),
        (b"x", "t.bin", "--format"),
        (b"a,b\n1,2\n3\n", "t.csv", "t.csv"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path: Path, content: bytes, name: str, said: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(UsageError) as caught:
        infer_dataset(path)
    assert said in f"{caught.value.message} {caught.value.hint}"


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no file in it"):
        infer_dataset(tmp_path)


@pytest.mark.parametrize(
    ("path", "name"),
    [("2024 Orders.csv.gz", "_2024_orders"), ("customers.csv", "customers"), ("ü.csv", "dataset")],
)
def test_names_of_datasets(path: str, name: str) -> None:
    assert default_name(Path(path)) == name
