"""Files that no reader expects: each is read, or refused with a reason of one line."""

from __future__ import annotations

import datetime as dt
import decimal
import gzip
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mlvalidate.core.datasets import Dataset, FileFormat
from mlvalidate.data.conformity import find_faults
from mlvalidate.data.files import UnreadableFile, guess_format, read_table, table_summary


def read(path: Path, content: bytes) -> tuple[int, int]:
    """Write and read a file; return rows and columns."""
    path.write_bytes(content)
    format = guess_format(path)
    assert format is not None
    return read_table(path, format).shape


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.csv", bytes(range(256)) * 100, "binary data, not text"),
        ("a.csv", "a,b\n1,2\n".encode("utf-16"), "binary data, not text"),
        ("a.csv", b"a,b\n1\n", "line 2 has 1 fields, the header has 2"),
        ("a.csv.gz", gzip.compress(b"a,b\n" + b"1,2\n" * 999, mtime=0)[:-9], "it can't be .*"),
        ("a.parquet", b"PAR1 but nothing else PAR1", "not a parquet file: .*"),
        ("a.json", b"[" * 100_000, "not JSON: .*recursion.*"),
        ("a.jsonl", b'{"a": 1}\n{"a":\n{"a": 1}\n', "line 2 is not JSON: .*"),
    ],
)
def test_what_is_refused(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    with pytest.raises(UnreadableFile, match=f"^{reason}$"):
        read(tmp_path / name, content)


@pytest.mark.parametrize(
    ("content", "shape"),
    [
        (b"\xef\xbb\xbfa,b\n1,2\n", (1, 2)),
        (b"a,b\r\n1,2\n3,4\r5,6\n", (3, 2)),
        (b'a,b\n1,"2\n3,4\n', (1, 2)),
        (b"a,a\n1,2\n", (1, 2)),
        (b"a,b\n" + b"1,2\n" * 50_000 + b"1,\0\n", (50_001, 2)),
    ],
)
def test_what_is_read(tmp_path: Path, content: bytes, shape: tuple[int, int]) -> None:
    assert read(tmp_path / "a.csv", content) == shape


def test_parquet_of_every_type(tmp_path: Path) -> None:
    day = dt.datetime(2020, 1, 1)
    columns = {
        "struct": [{"x": 1}],
        "list": [[1, 2]],
        "map": pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int64())),
        "dictionary": pa.array(["a"]).dictionary_encode(),
        "decimal": [decimal.Decimal("1.5")],
        "zoned": pa.array([day], pa.timestamp("us", "Europe/Berlin")),
        "far": pa.array([dt.datetime(9999, 1, 1)], pa.timestamp("us")),
        "long": pa.array(["x"], pa.large_string()),
        "null": pa.nulls(1),
        "uuid": pa.ExtensionArray.from_storage(pa.uuid(), pa.array([b"0" * 16], pa.binary(16))),
        "bytes": [b"\xff"],
        "time": [dt.time(1)],
        "duration": [dt.timedelta(1)],
        "half": pa.array([1.5], pa.float16()),
    }
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    frame = read_table(tmp_path / "a.parquet", FileFormat.PARQUET)
    assert list(table_summary(frame)) == list(columns)
    dataset = Dataset(
        format=FileFormat.PARQUET, columns={name: {"type": "integer"} for name in columns}
    )
    wrong = {fault.column for fault in find_faults(frame, dataset) if fault.kind == "wrong_type"}
    assert wrong == columns.keys() - {"null"}
