"""Files as datasets declare them: dialects, no header, compression."""

from __future__ import annotations

import bz2
import gzip
import lzma
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from mlvalidate.core.datasets import Compression, Dataset, FileFormat
from mlvalidate.data.conformity import find_faults
from mlvalidate.data.files import (
    UnreadableFile,
    guess_format,
    read_table,
    table_writer,
    write_table,
)
from mlvalidate.data.packing import find_compression
from mlvalidate.data.synthesis import generate

COLUMNS: dict[str, Any] = {
    "id": {"type": "string", "pattern": "00[0-9]{3}", "unique": True},
    "share": {"type": "float", "min": -5, "null": 0.2},
    "count": {"type": "integer", "null": 0.2},
    "yes": {"type": "boolean"},
    "at": {"type": "datetime"},
    "plan": {"type": "category", "values": ["größer", 'a "b"; c, d|e\tf', "'x'"], "null": 0.1},
}


def dataset(**keys: Any) -> Dataset:
    return Dataset.model_validate({"columns": COLUMNS, **keys})


dialects = st.fixed_dictionaries(
    {
        "delimiter": st.sampled_from([",", ";", "\t", "|", "^", "]", "\\"]),
        "quoting": st.sampled_from(["minimal", "all"]),
        "quote": st.sampled_from(['"', "'"]),
        "encoding": st.sampled_from(["utf-8", "utf-8-sig", "latin-1", "cp1252", "utf-16"]),
        "line_end": st.sampled_from(["lf", "crlf"]),
        "null": st.sampled_from(["", "NA", "\\N", "missing"]),
        "decimal": st.sampled_from([".", ","]),
    }
).filter(lambda d: d["decimal"] != d["delimiter"] and d["delimiter"] not in d["null"])


@settings(max_examples=80, deadline=None)
@given(dialects, st.booleans(), st.sampled_from(Compression), st.integers(0, 40))
def test_every_dialect_comes_back(
    tmp_path_factory: pytest.TempPathFactory,
    dialect: dict[str, Any],
    header: bool,
    compression: Compression,
    rows: int,
) -> None:
    declared = dataset(dialect=dialect, header=header, compression=compression.value)
    made = generate(declared, rows, 1, "d")
    path = tmp_path_factory.mktemp("dialect") / "t.csv"
    write_table(made, path, declared.format, declared)
    back = read_table(path, declared.format, declared)
    assert find_faults(back, declared, declared.format) == ()
    assert list(back.columns) == list(COLUMNS)
    assert back["id"].tolist() == made["id"].tolist()
    for name in ("share", "count", "plan"):
        got = [None if pd.isna(cell) else cell for cell in back[name]]
        assert got == [None if pd.isna(cell) else cell for cell in made[name]]


texts = st.text(st.characters(codec="latin-1", exclude_characters="\0"), max_size=6)


@settings(max_examples=80, deadline=None)
@given(dialects.filter(lambda d: d["encoding"] not in ("cp1252",)), st.lists(texts, max_size=6))
def test_any_text_survives_in_any_dialect(
    tmp_path_factory: pytest.TempPathFactory, dialect: dict[str, Any], cells: list[str]
) -> None:
    declared = Dataset.model_validate(
        {"columns": {"a": {"type": "text"}}, "dialect": dialect, "header": False}
    )
    path = tmp_path_factory.mktemp("dialect") / "t.csv"
    frame = pd.DataFrame({"a": pd.Series(cells, dtype=object)})
    write_table(frame, path, declared.format, declared)
    back = read_table(path, declared.format, declared)["a"]
    nulls = {"", dialect["null"]}
    assert [None if pd.isna(cell) else cell for cell in back] == [
        None if cell in nulls else cell for cell in cells
    ]


def test_the_bytes_of_a_dialect(tmp_path: Path) -> None:
    dialect = {"delimiter": ";", "encoding": "latin-1", "decimal": ",", "null": "NA"}
    declared = dataset(header=False, dialect={**dialect, "line_end": "crlf"})
    frame = pd.DataFrame({"share": [1.5, None], "plan": ["größer; als", 'a"b'], "count": [1, 2]})
    write_table(frame, tmp_path / "a.csv", FileFormat.CSV, declared)
    expected = '1,5;"größer; als";1\r\nNA;"a""b";2\r\n'
    assert (tmp_path / "a.csv").read_bytes() == expected.encode("latin-1")
    quoted = dataset(dialect={"quoting": "all"})
    write_table(frame, tmp_path / "b.csv", FileFormat.CSV, quoted)
    assert (tmp_path / "b.csv").read_text() == (
        '"share","plan","count"\n"1.5","größer; als","1"\n"","a""b","2"\n'
    )


def test_what_the_encoding_lacks_becomes_a_question_mark(tmp_path: Path) -> None:
    declared = dataset(dialect={"encoding": "latin-1"})
    write_table(pd.DataFrame({"a": ["5 €"]}), tmp_path / "a.csv", FileFormat.CSV, declared)
    assert (tmp_path / "a.csv").read_bytes() == b"a\n5 ?\n"


OPENERS: dict[str, Any] = {
    "gzip": gzip.decompress,
    "bz2": bz2.decompress,
    "xz": lzma.decompress,
}


@pytest.mark.parametrize(
    ("name", "compression", "packed"),
    [
        ("a.csv.gz", None, "gzip"),
        ("a.csv.bz2", None, "bz2"),
        ("a.csv.xz", None, "xz"),
        ("a.csv", "xz", "xz"),
        ("a.csv.gz", "bz2", "bz2"),
    ],
)
def test_compression_by_declaration_else_by_name(
    tmp_path: Path, name: str, compression: str | None, packed: str
) -> None:
    declared = Dataset.model_validate(
        {"columns": {"a": {"type": "integer"}}, "compression": compression}
    )
    frame = pd.DataFrame({"a": [1, 2]})
    for _ in range(2):
        write_table(frame, tmp_path / name, FileFormat.CSV, declared)
        assert OPENERS[packed]((tmp_path / name).read_bytes()) == b"a\n1\n2\n"
    assert read_table(tmp_path / name, FileFormat.CSV, declared)["a"].tolist() == [1, 2]


@pytest.mark.parametrize("name", ["a.csv.zst", "a.json.bz2", "a.jsonl.xz", "a.ndjson.zst"])
def test_names_of_packed_files(tmp_path: Path, name: str) -> None:
    format = guess_format(Path(name))
    assert format is not None
    write_table(pd.DataFrame({"a": [1, 2]}), tmp_path / name, format)
    assert read_table(tmp_path / name, format)["a"].tolist() == [1, 2]
    assert find_compression(tmp_path / name) is not Compression.NONE
    (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:-9] + b"\xff" * 5)
    with pytest.raises(UnreadableFile, match=r"^it can't be "):
        read_table(tmp_path / name, format)


@pytest.mark.parametrize(
    ("compression", "codec"), [(None, "SNAPPY"), ("none", "UNCOMPRESSED"), ("zstd", "ZSTD")]
)
def test_parquet_is_packed_inside(tmp_path: Path, compression: str | None, codec: str) -> None:
    declared = dataset(format="parquet", compression=compression)
    made = generate(declared, 5, 0)
    write_table(made, tmp_path / "a.parquet", FileFormat.PARQUET, declared)
    column = pq.ParquetFile(tmp_path / "a.parquet").metadata.row_group(0).column(0)
    assert column.compression == codec
    assert len(read_table(tmp_path / "a.parquet", FileFormat.PARQUET, declared)) == 5


def complaint(tmp_path: Path, content: bytes, declared: Dataset) -> str:
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(UnreadableFile) as caught:
        read_table(tmp_path / "a.csv", FileFormat.CSV, declared)
    return str(caught.value)


def test_files_that_are_not_as_declared(tmp_path: Path) -> None:
    two = {"a": {"type": "string"}, "b": {"type": "integer"}}
    bare = dataset(columns=two, header=False)
    assert complaint(tmp_path, b"x,1\ny,2,3\n", bare) == ("line 2 has 3 fields, the dataset has 2")
    assert complaint(tmp_path, b"x\n", bare) == "line 1 has 1 fields, the dataset has 2"
    ascii_only = dataset(columns=two, dialect={"encoding": "ascii"})
    assert complaint(tmp_path, b"a,b\nx\xe9,1\n", ascii_only) == (
        "not ascii: line 2 holds the byte 0xe9"
    )
    wide = dataset(columns=two, dialect={"encoding": "utf-16"})
    assert complaint(tmp_path, "a,b\nx,1\ny\n".encode("utf-16"), wide) == (
        "line 3 has 1 fields, the header has 2"
    )
    assert complaint(tmp_path, b"a,b\nx,1", wide).startswith("not utf-16: ")
    packed = dataset(columns=two, compression="gzip")
    assert complaint(tmp_path, b"a,b\nx,1\n", packed) == "it is not packed with gzip"
    assert complaint(tmp_path, gzip.compress(b"a,b\n"), bare) == (
        "it is packed with gzip, and neither its name nor `compression` says so"
    )


def test_numbers_with_commas_beside_texts(tmp_path: Path) -> None:
    declared = dataset(
        columns={"a": {"type": "float"}, "b": {"type": "text"}},
        dialect={"delimiter": ";", "decimal": ","},
    )
    (tmp_path / "a.csv").write_text("a;b\n1,5;1,5\nodd;x\n")
    read = read_table(tmp_path / "a.csv", FileFormat.CSV, declared)
    assert read["a"].tolist() == ["1.5", "odd"]
    assert read["b"].tolist() == ["1,5", "x"]
    (fault,) = find_faults(read, declared, FileFormat.CSV)
    assert (fault.column, fault.count) == ("a", 1)


@pytest.mark.parametrize("format", FileFormat)
@pytest.mark.parametrize("sizes", [(3, 0, 2), (0, 4), (0,)])
def test_rows_are_appended(tmp_path: Path, format: FileFormat, sizes: tuple[int, ...]) -> None:
    whole = generate(dataset(), sum(sizes), 0)
    write_table(whole, tmp_path / "whole", format)
    start = 0
    with table_writer(tmp_path / "parts", format) as append:
        for size in sizes:
            append(whole.iloc[start : start + size])
            start += size
    if format is FileFormat.PARQUET:
        assert pq.read_table(tmp_path / "parts").equals(pq.read_table(tmp_path / "whole"))
    else:
        assert (tmp_path / "parts").read_bytes() == (tmp_path / "whole").read_bytes()


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        ({"format": "parquet", "compression": "xz"}, "parquet has no `compression: xz`"),
        ({"dialect": {"decimal": ","}}, "`dialect` needs a `delimiter` other than ','"),
        ({"format": "tsv", "dialect": {"null": "\t"}}, "needs a `delimiter` other than '\\t'"),
        ({"dialect": {"delimiter": ";", "null": "a;b"}}, "`null` must hold no `delimiter`"),
        ({"dialect": {"encoding": "ascii"}}, "column 'plan': the encoding ascii of the `dialect`"),
        ({"dialect": {"encoding": "rot13"}}, "there is no encoding 'rot13'"),
        ({"dialect": {"delimiter": "¦"}}, "expected one ASCII character"),
        ({"dialect": {"null": "'x'"}}, "column 'plan': \"'x'\" is one of its `values`, and"),
    ],
)
def test_declarations_that_contradict_themselves(keys: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValidationError) as caught:
        dataset(**keys)
    assert problem in str(caught.value)
