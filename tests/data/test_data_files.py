"""Table files: what is written, what is read back, and what a broken file is called."""

from __future__ import annotations

import datetime as dt
import decimal
import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlvalidate.core.datasets import Dataset, FileFormat
from mlvalidate.data.files import (
    UnreadableFile,
    guess_format,
    read_table,
    table_summary,
    write_table,
)

CSV, TSV, PARQUET, JSON, JSONL = FileFormat
DECLARED = Dataset.model_validate(
    {
        "columns": {
            "id": {"type": "string"},
            "note": {"type": "text"},
            "plan": {"type": "category", "values": ["NA", "1"]},
            "grade": {"type": "category", "values": [1, 2]},
            "count": {"type": "integer"},
        }
    }
)


def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "id": ["00123", 'say "hi", twice', "line\nbreak", None],
            "count": pd.array([1, None, 3, 2**60 + 1], dtype="Int64"),
            "share": [0.1, 1.0, np.nan, 1e-9],
            "yes": pd.array([True, False, None, True], dtype="boolean"),
            "at": pd.to_datetime(
                ["2020-01-31 13:00:00", None, "2021-01-01", "1999-12-31"], format="ISO8601"
            ),
            "day": [dt.date(2020, 1, 31), None, dt.date(1, 1, 1), dt.date(9999, 12, 31)],
        }
    )


def read_text(path: Path) -> str:
    return path.read_bytes().decode()


def read(tmp_path: Path, content: str | bytes, format: FileFormat = CSV, **more: Any) -> Any:
    path = tmp_path / f"table.{format.value}"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_table(path, format, **more)


def complaint(tmp_path: Path, content: str | bytes, format: FileFormat = CSV) -> str:
    with pytest.raises(UnreadableFile) as caught:
        read(tmp_path, content, format)
    text = str(caught.value)
    assert "\n" not in text
    return text


# --- names ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "format"),
    [
        ("a.csv", CSV),
        ("A.CSV", CSV),
        ("a.csv.gz", CSV),
        ("a.b.tsv", TSV),
        ("part-0.snappy.parquet", PARQUET),
        ("a.pq", PARQUET),
        ("a.json", JSON),
        ("a.json.gz", JSON),
        ("a.jsonl", JSONL),
        ("a.ndjson.gz", JSONL),
        ("a.parquet.gz", None),
        ("a.txt", None),
        ("a", None),
        (".csv", None),
    ],
)
def test_formats_by_name(name: str, format: FileFormat | None) -> None:
    assert guess_format(Path("some.csv") / name) is format


# --- writing ----------------------------------------------------------------------------------


def test_csv_is_written_as_pandas_would(tmp_path: Path) -> None:
    write_table(frame(), tmp_path / "a.csv", CSV)
    assert read_text(tmp_path / "a.csv") == (
        "id,count,share,yes,at,day\n"
        "00123,1,0.1,True,2020-01-31 13:00:00,2020-01-31\n"
        '"say ""hi"", twice",,1.0,False,,\n'
        '"line\nbreak",3,,,2021-01-01 00:00:00,0001-01-01\n'
        ",1152921504606846977,1e-9,True,1999-12-31 00:00:00,9999-12-31\n"
    )


def test_tsv_quotes_tabs_not_commas(tmp_path: Path) -> None:
    write_table(pd.DataFrame({"a,b": ["x,y", "x\ty"], "c\td": [1, 2]}), tmp_path / "a.tsv", TSV)
    assert read_text(tmp_path / "a.tsv") == 'a,b\t"c\td"\nx,y\t1\n"x\ty"\t2\n'


def test_json_is_written_as_records(tmp_path: Path) -> None:
    made = frame().iloc[:2]
    write_table(made, tmp_path / "a.json", JSON)
    write_table(made, tmp_path / "a.jsonl", JSONL)
    first = (
        '{"id": "00123", "count": 1, "share": 0.1, "yes": true,'
        ' "at": "2020-01-31 13:00:00", "day": "2020-01-31"}'
    )
    second = (
        '{"id": "say \\"hi\\", twice", "count": null, "share": 1.0, "yes": false,'
        ' "at": null, "day": null}'
    )
    assert read_text(tmp_path / "a.json") == f"[{first},\n{second}]\n"
    assert read_text(tmp_path / "a.jsonl") == f"{first}\n{second}\n"


def test_parquet_is_written_with_plain_types(tmp_path: Path) -> None:
    write_table(frame(), tmp_path / "a.parquet", PARQUET)
    types = {field.name: str(field.type) for field in pq.read_schema(tmp_path / "a.parquet")}
    assert types.pop("id") in ("string", "large_string")
    assert types.pop("at").startswith("timestamp[")
    assert types == {"count": "int64", "share": "double", "yes": "bool", "day": "date32[day]"}


def test_gzip_by_name_and_equal_bytes(tmp_path: Path) -> None:
    for name, format in (("a.csv.gz", CSV), ("a.jsonl.gz", JSONL)):
        write_table(frame(), tmp_path / name, format)
        write_table(frame(), tmp_path / f"other-{name}", format)
        assert (tmp_path / name).read_bytes() == (tmp_path / f"other-{name}").read_bytes()
        assert gzip.decompress((tmp_path / name).read_bytes()).count(b"00123") == 1
        assert len(read_table(tmp_path / name, format)) == 4


def test_a_single_column_keeps_its_empty_rows(tmp_path: Path) -> None:
    write_table(pd.DataFrame({"a": [1.5, None, 2]}), tmp_path / "a.csv", CSV)
    assert read_text(tmp_path / "a.csv") == 'a\n1.5\n""\n2.0\n'
    assert len(read_table(tmp_path / "a.csv", CSV)) == 3


@pytest.mark.parametrize("format", FileFormat)
def test_a_table_without_columns_or_rows(tmp_path: Path, format: FileFormat) -> None:
    for made in (pd.DataFrame(), pd.DataFrame(index=range(3)), pd.DataFrame({"a": []})):
        write_table(made, tmp_path / "a", format)
        assert (tmp_path / "a").exists()


def test_many_rows_are_written_in_pieces(tmp_path: Path) -> None:
    write_table(pd.DataFrame({"a": range(70_000), "b": "x"}), tmp_path / "a.csv", CSV)
    assert read_table(tmp_path / "a.csv", CSV)["a"].tolist() == list(range(70_000))


@pytest.mark.parametrize("format", FileFormat)
def test_odd_cells_are_written_as_text(tmp_path: Path, format: FileFormat) -> None:
    cells: list[Any] = [1, "a", None, [1, 2], b"\xff", decimal.Decimal("1.50"), "\ud800"]
    made = pd.DataFrame({"a": pd.Series(cells, dtype=object), "b": 1})
    path = tmp_path / "a"
    write_table(made, path, format)
    back = [str(cell) for cell in read_table(path, format)["a"].dropna()]
    assert back[:3] == ["1", "a", "[1, 2]"]
    assert back[4:] == ["1.50", "\\ud800"]


def test_categories_durations_and_zones_are_written(tmp_path: Path) -> None:
    made = pd.DataFrame(
        {
            "category": pd.Categorical(["x", None]),
            "number": pd.Categorical([1, 2]),
            "took": pd.to_timedelta([1, 2], unit="s"),
            "at": pd.to_datetime(["2020-01-01 10:00:00.25"] * 2).tz_localize("UTC"),
        }
    )
    for format in FileFormat:
        write_table(made, tmp_path / "a", format)
        back = read_table(tmp_path / "a", format)
        assert str(back["category"].iloc[0]) == "x"
        assert back["category"].isna().tolist() == [False, True]
        assert back["number"].tolist() == [1, 2]
        assert pd.Timestamp(back["at"].iloc[0]).microsecond == 250_000


# --- round trips ------------------------------------------------------------------------------

cells = st.one_of(st.none(), st.text(st.characters(codec="utf-8", exclude_characters="\0")))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(cells, cells), min_size=1, max_size=5), st.sampled_from(list(FileFormat)))
def test_any_text_survives(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[str | None, str | None]],
    format: FileFormat,
) -> None:
    declared = Dataset.model_validate({"columns": {name: {"type": "string"} for name in "ab"}})
    path = tmp_path_factory.mktemp("tables") / "a"
    write_table(pd.DataFrame(rows, columns=["a", "b"], dtype=object), path, format)
    back = read_table(path, format, declared)
    empty = {None} if format in (PARQUET, JSON, JSONL) else {None, ""}
    got = [[None if pd.isna(cell) else cell for cell in row] for row in back.to_numpy(object)]
    assert got == [[None if cell in empty else cell for cell in row] for row in rows]


@pytest.mark.parametrize("format", [CSV, TSV, PARQUET])
def test_values_survive(tmp_path: Path, format: FileFormat) -> None:
    write_table(frame(), tmp_path / "a", format)
    back = read_table(tmp_path / "a", format, DECLARED)
    assert back["id"].tolist()[:3] == frame()["id"].tolist()[:3]
    assert back["count"].tolist()[3] == 2**60 + 1
    assert str(back["count"].dtype) == "Int64"
    assert str(back["yes"].dtype) == "boolean"
    assert back["at"].iloc[0] == pd.Timestamp("2020-01-31 13:00:00")
    assert str(back["day"].iloc[3])[:10] == "9999-12-31"


# --- reading csv ------------------------------------------------------------------------------


def test_declared_texts_stay_texts(tmp_path: Path) -> None:
    content = "id,note,plan,grade,count,other\n00123,7,NA,1,NA,00123\n,,1,2,5,9\n"
    declared = read(tmp_path, content, dataset=DECLARED)
    assert declared["id"].tolist()[0] == "00123"
    assert declared["id"].isna().tolist() == [False, True]
    assert declared["note"].iloc[0] == "7"
    assert declared["plan"].tolist() == ["NA", "1"]
    assert declared["grade"].tolist() == [1, 2]
    assert declared["count"].isna().tolist() == [True, False]
    assert declared["other"].tolist() == [123, 9]
    assert read(tmp_path, content)["id"].iloc[0] == 123


def test_types_are_inferred_over_the_whole_column(tmp_path: Path) -> None:
    rows = ["1,2020-01-01,true"] * 150_000 + ["1.5,2020-01-01 10:00:00,maybe"]
    made = read(tmp_path, "a,b,c\n" + "\n".join(rows))
    assert made["a"].iloc[-1] == 1.5
    assert made["b"].iloc[-1] == pd.Timestamp("2020-01-01 10:00:00")
    assert made["c"].iloc[-1] == "maybe"


def test_headers_are_kept_as_they_are(tmp_path: Path) -> None:
    assert list(read(tmp_path, "\ufeffa,a,,b c\n1,2,3,4\n").columns) == [
        "a",
        "a",
        "Unnamed: 2",
        "b c",
    ]
    assert read(tmp_path, "a,b\n").shape == (0, 2)
    assert read(tmp_path, "a,b\r\n1,2\r\n\r\n3,4").shape == (2, 2)


def test_rows_longer_than_a_block(tmp_path: Path) -> None:
    names = [f"{'n' * 100}{number}" for number in range(12_000)]
    made = read(tmp_path, ",".join(names) + "\n" + ",".join("7" for _ in names) + "\n")
    assert made.shape == (1, 12_000)
    assert list(made.columns) == names
    long = read(tmp_path, "a,b\n1,x\n2," + "y" * 3_000_000 + "\n")
    assert long["b"].str.len().tolist() == [1, 3_000_000]


@pytest.mark.parametrize("format", FileFormat)
def test_an_empty_file(tmp_path: Path, format: FileFormat) -> None:
    assert complaint(tmp_path, "", format) in (
        "the file is empty: not even a header",
        "the file is empty",
        "not a parquet file: Parquet file size is 0 bytes",
    )


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("\n\n", "the file is empty: not even a header"),
        ("a,b\n1,2\n3\n", "line 3 has 1 fields, the header has 2"),
        ('a,b\n"x\ny",2\n1,2,3\n', "line 4 has 3 fields, the header has 2"),
        (b"a,b\n1,\xff\n", "not UTF-8: line 2 holds the byte 0xff"),
        (b"a\xff,b\n1,2\n", "not UTF-8: line 1 holds the byte 0xff"),
        (b"PAR1\x00\x01\x02", "binary data, not text"),
        ("a,b\n1,2".encode("utf-16"), "binary data, not text"),
    ],
)
def test_broken_csv(tmp_path: Path, content: str | bytes, problem: str) -> None:
    assert complaint(tmp_path, content) == problem


def test_declared_text_that_is_not_utf8(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="not UTF-8: line 3 holds the byte 0xe9"):
        read(tmp_path, b"id\nx\ncaf\xe9\n", dataset=DECLARED)


def test_a_field_too_long_to_explain(tmp_path: Path) -> None:
    text = complaint(tmp_path, f"a,b\n{'x' * 200_000},1\n1,2,3\n")
    assert text.startswith("line 2: field larger than field limit")


def test_a_problem_that_only_arrow_sees(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise pa.ArrowInvalid("CSV parse error:\n " + "x" * 300)

    monkeypatch.setattr("pyarrow.csv.open_csv", fail)
    text = complaint(tmp_path, "a,b\n1,2\n")
    assert text.startswith("CSV parse error: xxx")
    assert len(text) == 200


@pytest.mark.parametrize("name", ["a.csv.gz", "a.json.gz"])
def test_broken_gzip(tmp_path: Path, name: str) -> None:
    path, format = tmp_path / name, guess_format(Path(name))
    assert format is not None
    path.write_bytes(b"a,b\n1,2\n")
    with pytest.raises(UnreadableFile, match="it is not packed with gzip"):
        read_table(path, format)
    lines = "".join(f"{number * 7919},x\n" for number in range(50_000))
    path.write_bytes(gzip.compress(f"a,b\n{lines}".encode(), mtime=0)[:-1000])
    with pytest.raises(UnreadableFile, match=r"it can't be read to the end: Compressed file ended"):
        read_table(path, format)


# --- reading json -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        '[{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]',
        '{"a": [1, 2], "b": ["x", "y"]}',
        '{"a": {"0": 1, "1": 2}, "b": {"0": "x", "1": "y"}}',
        '{"columns": ["a", "b"], "index": [0, 1], "data": [[1, "x"], [2, "y"]]}',
        '{"model": "m", "predictions": [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]}',
        '\ufeff[{"a": 1, "b": "x"}, {"b": "y", "a": 2}]',
    ],
)
def test_layouts_of_json(tmp_path: Path, content: str) -> None:
    made = read(tmp_path, content, JSON)
    assert made.to_dict("list") == {"a": [1, 2], "b": ["x", "y"]}
    assert list(made.index) == [0, 1]


def test_json_lines(tmp_path: Path) -> None:
    made = read(tmp_path, '{"a": "x\u2028y"}\r\n\n{"a": "z", "b": [1]}\n', JSONL)
    assert made["a"].tolist() == ["x\u2028y", "z"]
    assert made["b"].iloc[1] == [1]
    assert read(tmp_path, "[]", JSON).shape == (0, 0)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("[1, 2]", "record 1 is a number, not an object"),
        ('[{"a": 1}, [2]]', "record 2 is an array, not an object"),
        ('"x"', "a text, not a table"),
        ("null", "null, not a table"),
        ("{}", "a JSON object, not a table: neither records nor columns"),
        ('{"auc": 0.9}', "a JSON object, not a table: neither records nor columns"),
        ('{"a": [1, 2], "b": [1]}', "columns of different lengths: 'a' 2, 'b' 1"),
        ('{"columns": ["a"], "data": [[1], [1, 2]]}', "row 2 of `data` is no array of 1 cells"),
        ('[{"a": 1},', "not JSON: Expecting value: line 1 column 11 (char 10)"),
        ("[" * 100_000, "not JSON: maximum recursion depth exceeded"),
        ('[{"a": "\\ud800"}]', "it holds half a surrogate pair, which is no character"),
    ],
)
def test_broken_json(tmp_path: Path, content: str, problem: str) -> None:
    assert complaint(tmp_path, content, JSON).startswith(problem)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ('{"a": 1}\n{"a": ', "line 2 is not JSON: Expecting value: line 1 column 7 (char 6)"),
        ('{"a": 1}\n\n[2]\n', "line 3 is an array, not an object"),
        ('{"a": 1}{"a": 2}', "line 1 is not JSON: Extra data: line 1 column 9 (char 8)"),
        (b'{"a": "\xff"}', "not UTF-8: 'utf-8' codec can't decode byte 0xff in position 7"),
    ],
)
def test_broken_json_lines(tmp_path: Path, content: str | bytes, problem: str) -> None:
    assert complaint(tmp_path, content, JSONL).startswith(problem)


# --- reading parquet --------------------------------------------------------------------------


def test_parquet_shows_its_physical_columns(tmp_path: Path) -> None:
    folder = tmp_path / "year=2020"
    folder.mkdir()
    pd.DataFrame({"a": [1]}, index=[5]).to_parquet(folder / "a.parquet")
    assert list(read_table(folder / "a.parquet", PARQUET).columns) == ["a"]
    pd.DataFrame({"a": [1]}, index=pd.Index([5], name="id")).to_parquet(folder / "b.parquet")
    assert list(read_table(folder / "b.parquet", PARQUET).columns) == ["a", "id"]


def test_parquet_with_every_type(tmp_path: Path) -> None:
    table = pa.table(
        [
            pa.array([1, None], pa.uint8()),
            pa.array([1, 2], pa.int16()),
            pa.array([None, 2], pa.int32()),
            pa.array([[1], None], pa.list_(pa.int64())),
            pa.array([{"x": 1}, None], pa.struct([("x", pa.int64())])),
            pa.array([decimal.Decimal("1.5"), None]),
            pa.array([dt.date(9999, 12, 31), None]),
            pa.array(["x", None]).dictionary_encode(),
            pa.nulls(2),
            pa.array([b"x", None]),
        ],
        names=["a", "a", "c", "d", "e", "f", "g", "h", "i", "j"],
    )
    pq.write_table(table, tmp_path / "a.parquet")
    made = read_table(tmp_path / "a.parquet", PARQUET)
    assert made.shape == (2, 10)
    summary = table_summary(made)
    assert list(summary) == ["a", "a.1", "c", "d", "e", "f", "g", "h", "i", "j"]
    assert (summary["a"], summary["a.1"], summary["c"]) == ("UInt8", "int16", "Int32")
    assert summary["g"].startswith("datetime64")
    assert summary["h"] == "category"


def test_parquet_without_columns(tmp_path: Path) -> None:
    write_table(pd.DataFrame(index=range(3)), tmp_path / "a.parquet", PARQUET)
    assert list(read_table(tmp_path / "a.parquet", PARQUET).columns) == []


def test_broken_parquet(tmp_path: Path) -> None:
    problem = "not a parquet file: Parquet magic bytes not found in footer"
    assert complaint(tmp_path, "a,b\n1,2\n" * 9, PARQUET).startswith(problem)
    write_table(frame(), tmp_path / "a.parquet", PARQUET)
    whole = (tmp_path / "a.parquet").read_bytes()
    assert complaint(tmp_path, whole[:-20], PARQUET).startswith(problem)
    damaged = whole[:4] + b"\xff" * 300 + whole[304:]
    assert complaint(tmp_path, damaged, PARQUET).startswith("it can't be read: ")


# --- no file ----------------------------------------------------------------------------------


@pytest.mark.parametrize("format", FileFormat)
def test_no_file_or_a_folder(tmp_path: Path, format: FileFormat) -> None:
    with pytest.raises(UnreadableFile, match=r"^there is no file$"):
        read_table(tmp_path / "absent", format)
    with pytest.raises(UnreadableFile, match=r"^it is a folder, not a file$"):
        read_table(tmp_path, format)


def test_a_quote_inside_of_a_field_costs_no_row(tmp_path: Path) -> None:
    rows = ['5" pipe,y', *['"x\nx",y'] * 12]
    path = tmp_path / "a.csv"
    path.write_text("\n".join(["a,b", *rows]))
    frame = read_table(path, CSV)
    assert list(frame["a"]) == ['5" pipe', *["x\nx"] * 12]


def test_types_that_do_not_last_are_inferred_over_all_rows(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    # More than Arrow reads at once, so that the first types are settled.
    path.write_text("a,b\n" + "1,2\n" * 300_000 + "1.5,x\n")
    frame = read_table(path, CSV)
    assert frame["a"].iloc[-1] == 1.5
    assert list(frame["b"].iloc[[0, -1]]) == ["2", "x"]
