"""Delimited text in parts: however it is cut, the table is the one that Arrow streams."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlvalidate.core.datasets import Dataset, FileFormat
from mlvalidate.data import csv_parts
from mlvalidate.data.csv_parts import UncutError, cut_parts, streamed_parts
from mlvalidate.data.files import read_table
from mlvalidate.data.layout import Layout, layout_of

BLOCK = 2**20


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_parts, "_CUT_BYTES", 40)


def layout(**dialect: Any) -> Layout:
    columns = {name: {"type": "string"} for name in "ab"}
    dataset = Dataset.model_validate({"columns": columns, "dialect": dialect})
    return layout_of(Path("a.csv"), FileFormat.CSV, dataset)


def cut(text: bytes, how: Layout) -> Iterator[pa.Table]:
    return cut_parts(io.BytesIO(text), how, BLOCK, dict.fromkeys(how.texts, pa.string()))


def streamed(text: bytes, how: Layout) -> pa.Table:
    types = dict.fromkeys(how.texts, pa.string())
    return pa.concat_tables(streamed_parts(io.BytesIO(text), how, BLOCK, types))


def quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"'


CELLS = st.text(st.sampled_from('ab,"\n é'), max_size=12).map(quoted) | st.text("abé", max_size=9)


@given(
    rows=st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=40),
    end=st.sampled_from(["\n", "\r\n"]),
    is_ended=st.booleans(),
)
def test_well_formed_text_is_cut_between_rows(
    rows: list[tuple[str, str]], end: str, is_ended: bool
) -> None:
    # An empty line is no row for Arrow, so no row is one.
    lines = ["a,b", *(f"x{one},{other}" if one[:1] != '"' else f"{one},{other}"
                      for one, other in rows)]  # fmt: skip
    text = (end.join(lines) + end * is_ended).encode()
    try:
        tables = list(cut(text, layout()))
    except (UncutError, pa.ArrowInvalid):
        # A row that is longer than a part is left to the other way.
        assert max(len(line) for line in lines) > 10
        return
    assert pa.concat_tables(tables).equals(streamed(text, layout()))


def test_parts_have_the_types_of_the_first() -> None:
    text = b"a,b,n\n" + b"x,y,1\n" * 20
    tables = list(cut(text, layout()))
    assert len(tables) > 2
    assert {table.schema.field("n").type for table in tables} == {pa.int64()}
    assert sum(table.num_rows for table in tables) == 20


@pytest.mark.parametrize(
    ("text", "dialect"),
    [
        ("a,b\n" + "x,y\n" * 20, {"encoding": "utf-16"}),
        ("a,a\n" + "x,y\n" * 20, {}),
        ("a\n" + "x\n" * 40, {}),
        ("a,b\n" + '"x' + "\n" * 80 + '",y\n', {}),
    ],
)
def test_text_whose_rows_are_not_to_be_told_is_not_cut(text: str, dialect: dict[str, str]) -> None:
    how = layout(**dialect)
    with pytest.raises(UncutError):
        list(cut(text.encode(how.dialect.encoding), how))


def test_a_quote_inside_of_a_field_costs_no_row(tmp_path: Path) -> None:
    rows = ['5" pipe,y', *['"x\nx",y'] * 12]
    path = tmp_path / "a.csv"
    path.write_text("\n".join(["a,b", *rows]))
    frame = read_table(path, FileFormat.CSV)
    assert list(frame["a"]) == ['5" pipe', *["x\nx"] * 12]


def test_types_that_do_not_last_are_inferred_over_all_rows(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a,b\n" + "1,2\n" * 30 + "1.5,x\n")
    frame = read_table(path, FileFormat.CSV)
    assert frame["a"].iloc[-1] == 1.5
    assert list(frame["b"].iloc[[0, -1]]) == ["2", "x"]


def test_a_last_row_without_an_end_is_not_lost_where_parts_end_with_the_file() -> None:
    text = b"a,b\n" + b"x,y\n" * 8 + b"xx,y"
    assert len(text) == csv_parts._CUT_BYTES
    assert sum(table.num_rows for table in cut(text, layout())) == 9
