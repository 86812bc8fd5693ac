"""Files that are too large, or would be in memory: read within limits, or outlined."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mlvalidate.core.datasets import Dataset, FileFormat
from mlvalidate.data.files import UnreadableFile, guess_format, read_table
from mlvalidate.data.limits import LIMITS, Limits, Outline, TooLarge

SMALL = Limits(table=10_000, json=1_000, line=1_000, columns=50, counted=100_000)


def refused(path: Path, limits: Limits = SMALL, dataset: Dataset | None = None) -> TooLarge:
    """Read a file that is too large."""
    format = guess_format(path)
    assert format is not None
    with pytest.raises(TooLarge) as caught:
        read_table(path, format, dataset, limits)
    return caught.value


def outlined(path: Path, limits: Limits = SMALL) -> Outline:
    outline = refused(path, limits).outline
    assert outline is not None
    return outline


def write(path: Path, text: str) -> Path:
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


class TestDelimited:
    @pytest.mark.parametrize("name", ["a.csv", "a.csv.gz"])
    def test_columns_and_rows_of_a_large_file(self, tmp_path: Path, name: str) -> None:
        path = write(tmp_path / name, "id,text,\n" + 'id1,"two\nlines",7\n' * 1000)
        error = refused(path)
        assert str(error) == "its table takes more than 10.0kB of memory"
        assert error.outline == Outline(
            ("id", "text", "Unnamed: 2"), ("string", "string", "int64"), 1000
        )
        assert error.outline.as_frame().shape == (0, 3)

    def test_rows_are_not_counted_without_end(self, tmp_path: Path) -> None:
        bomb = write(tmp_path / "a.csv.gz", "a,b\n" + "1,2\n" * 1_000_000)
        assert bomb.stat().st_size < 20_000
        assert outlined(bomb).rows is None

    def test_types_that_change_after_the_first_block(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.csv", "a,b\n" + "1,\n" * 600_000 + "x,1\n")
        frame = read_table(path, FileFormat.CSV)
        assert frame.shape == (600_001, 2)
        assert frame["a"].tolist()[-1] == "x"
        assert frame["a"].iloc[0] == "1"
        assert frame["b"].dropna().tolist() == [1]
        assert outlined(path, replace(SMALL, counted=10**9)).rows == 600_001

    def test_too_many_columns(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.csv", ",".join(f"c{n}" for n in range(51)) + "\n")
        assert str(refused(path)) == "it has 51 columns, more than 50"

    def test_a_line_without_end(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("mlvalidate.data.csv_files.USUAL_BLOCK", 500)
        monkeypatch.setattr("mlvalidate.data.csv_files.LARGE_BLOCK", 1000)
        path = write(tmp_path / "a.csv", "a\n1\n" + "x" * 5000 + "\n")
        with pytest.raises(UnreadableFile, match=r"line 3 is longer than 1\.0kB"):
            read_table(path, FileFormat.CSV, None, SMALL)


class TestParquet:
    def test_a_file_whose_types_tell_its_size(self, tmp_path: Path) -> None:
        pq.write_table(pa.table({"a": [0] * 5000, "b": ["x"] * 5000}), tmp_path / "a.parquet")
        assert outlined(tmp_path / "a.parquet") == Outline(("a", "b"), ("int64", "string"), 5000)

    def test_long_texts_that_are_stored_once(self, tmp_path: Path) -> None:
        path = tmp_path / "a.parquet"
        pq.write_table(pa.table({"a": ["x" * 1000] * 2000}), path)
        assert path.stat().st_size * 100 < 2_000_000
        assert outlined(path).rows == 2000

    def test_a_file_that_grows_later(self, tmp_path: Path) -> None:
        path = tmp_path / "a.parquet"
        texts = ["x"] * 100 + ["y" * 1000] * 15
        pq.write_table(pa.table({"a": texts}), path)
        assert outlined(path).rows == 115

    def test_too_many_columns(self, tmp_path: Path) -> None:
        table = pa.table({f"c{number}": [1] for number in range(51)})
        pq.write_table(table, tmp_path / "a.parquet")
        assert str(refused(tmp_path / "a.parquet")) == "it has 51 columns, more than 50"

    @pytest.mark.parametrize("names", [["a", "b", "c"], ["a", "a", "b"], ["a", "a.b", "c"]])
    def test_row_groups_and_columns_come_together(
        self, tmp_path: Path, names: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("mlvalidate.data.parquet_files._ROWS_AT_ONCE", 7)
        monkeypatch.setattr("mlvalidate.data.parquet_files._COLUMNS_AT_ONCE", 2)
        columns: list[Any] = [range(20), [str(number) for number in range(20)], [[1], None] * 10]
        table = pa.table([pa.array(cells) for cells in columns], names=names)
        pq.write_table(table, tmp_path / "a.parquet", row_group_size=3)
        frame = read_table(tmp_path / "a.parquet", FileFormat.PARQUET)
        assert list(frame.columns) == names
        assert frame.iloc[:, 0].tolist() == list(range(20))
        assert frame.iloc[:, 1].tolist() == columns[1]
        assert frame.iloc[:, 2].isna().sum() == 10


@pytest.mark.parametrize("name", ["a.json", "a.jsonl", "a.json.gz"])
def test_large_json(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / name, json.dumps({"a": "x" * 2000}) + "\n")
    error = refused(path)
    assert str(error) == "it holds more than 1.0kB of JSON"
    assert error.outline is None


def test_what_is_within_the_limits_is_read(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "a,b\n" + "1,x\n" * 100)
    assert read_table(path, FileFormat.CSV, None, SMALL).shape == (100, 2)
    assert LIMITS.table == 512 * 10**6
