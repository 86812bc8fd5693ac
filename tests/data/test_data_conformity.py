"""What a table has other than its dataset declares, and what the file format excuses."""

from __future__ import annotations

import datetime as dt
import decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlvalidate.core.datasets import Dataset, FileFormat
from mlvalidate.data.conformity import Fault, FaultKind, find_faults
from mlvalidate.data.files import read_table, write_table

CSV, TSV, PARQUET, JSON, JSONL = FileFormat


def declare(**columns: Any) -> Dataset:
    """A dataset whose values may all be missing: these tests are about types."""
    return Dataset.model_validate(
        {
            "columns": {
                name: {"null": 1.0, **({"type": each} if isinstance(each, str) else each)}
                for name, each in columns.items()
            }
        }
    )


def faults_of(cells: Any, kind: Any, format: FileFormat) -> tuple[Fault, ...]:
    series = cells if isinstance(cells, pd.Series) else pd.Series(cells)
    return find_faults(pd.DataFrame({"x": series}), declare(x=kind), format)


def objects(*cells: Any) -> pd.Series:
    return pd.Series(cells, dtype=object)


def category(*values: Any) -> dict[str, Any]:
    return {"type": "category", "values": list(values)}


# --- columns ----------------------------------------------------------------------------------


def test_a_table_as_declared() -> None:
    frame = pd.DataFrame({"a": [1], "b": ["x"]})
    assert find_faults(frame, declare(a="integer", b="string")) == ()


def test_a_renamed_column() -> None:
    frame = pd.DataFrame({"CustomerId": [1], "tenure": [1], "extra": [1]})
    assert find_faults(frame, declare(customer_id="integer", tenure="integer")) == (
        Fault(
            kind=FaultKind.MISSING_COLUMN,
            column="customer_id",
            expected="integer",
            found="no such column",
            counterpart="CustomerId",
            suggestion="the file has 'CustomerId', which is not declared: renamed?",
        ),
        Fault(
            kind=FaultKind.UNDECLARED_COLUMN,
            column="CustomerId",
            expected="no such column",
            counterpart="customer_id",
            suggestion="did you mean 'customer_id'?",
        ),
        Fault(kind=FaultKind.UNDECLARED_COLUMN, column="extra", expected="no such column"),
    )


def test_each_undeclared_name_explains_one_missing_name() -> None:
    found = find_faults(pd.DataFrame({"amount": [1]}), declare(amount1="float", amount2="float"))
    assert [fault.suggestion for fault in found] == [
        "the file has 'amount', which is not declared: renamed?",
        "",
        "did you mean 'amount1'?",
    ]


def test_an_optional_column_may_be_absent() -> None:
    declared = declare(a="integer", b={"type": "integer", "optional": True})
    assert find_faults(pd.DataFrame({"a": [1]}), declared) == ()
    found = find_faults(pd.DataFrame({"a": [1], "b": ["x"]}), declared)
    assert [fault.column for fault in found] == ["b"]


def test_duplicate_columns(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a,b,a,a\n1,2,x,y\n")
    declared = declare(a="integer", b="integer")
    assert find_faults(read_table(path, CSV, declared), declared) == (
        Fault(
            kind=FaultKind.DUPLICATE_COLUMN,
            column="a",
            expected="one column of this name",
            found="3 columns of this name",
        ),
    )


def test_the_index_in_a_csv_file(tmp_path: Path) -> None:
    pd.DataFrame({"a": [1]}).to_csv(tmp_path / "a.csv")
    declared = declare(a="integer")
    (fault,) = find_faults(read_table(tmp_path / "a.csv", CSV, declared), declared)
    assert fault.kind is FaultKind.UNDECLARED_COLUMN
    assert fault.suggestion == (
        "pandas writes its index like this: to_csv(..., index=False) leaves it out"
    )


@pytest.mark.parametrize(
    ("frame", "kinds"),
    [
        (pd.DataFrame(), ["missing_column"]),
        (pd.DataFrame(index=range(3)), ["missing_column"]),
        (pd.DataFrame({"x": []}), []),
        (pd.DataFrame({"x": pd.Series([], dtype="M8[ns]")}), []),
        (pd.DataFrame({"x": [None, np.nan]}), []),
        (pd.DataFrame({"x": [pd.NaT]}), []),
        (pd.DataFrame({"x": pd.Categorical([None])}), []),
        (pd.DataFrame({"x": [1]}, index=["x"]), []),
        (pd.DataFrame({"x": [1, 2]}, index=[5, 5]), []),
        (pd.DataFrame({0: [1], "x": [2]}), ["undeclared_column"]),
        (pd.DataFrame({("x", "y"): [1]}), ["missing_column", "undeclared_column"]),
        (pd.DataFrame({"x": [[1]]}), ["wrong_type"]),
        (pd.DataFrame({"x": [{"a": 1}]}), ["wrong_type"]),
    ],
)
def test_awkward_frames(frame: pd.DataFrame, kinds: list[str]) -> None:
    for format in FileFormat:
        found = find_faults(frame, declare(x="integer"), format)
        assert [fault.kind.value for fault in found] == kinds


def test_ten_thousand_undeclared_columns() -> None:
    frame = pd.DataFrame(np.zeros((1, 10_000)), columns=[f"f{i}" for i in range(10_000)])
    found = find_faults(frame, declare(a="integer", f5="float"))
    assert len(found) == 1 + 9_999


# --- types ------------------------------------------------------------------------------------

TIMES = pd.to_datetime(pd.Series(["2020-01-31 13:00:00", None]))
DAYS = pd.to_datetime(pd.Series(["2020-01-31", None]))


@pytest.mark.parametrize(
    ("cells", "kind", "formats"),
    [
        # integers
        ([1, 2], "integer", "csv tsv parquet json jsonl"),
        ([1.0, None], "integer", "csv tsv parquet json jsonl"),
        (pd.array([1, None], "Int64"), "integer", "csv tsv parquet json jsonl"),
        (pd.array([1.0, None], "Float64"), "integer", "csv tsv parquet json jsonl"),
        ([2**63, 2**64 - 1], "integer", "csv tsv parquet json jsonl"),
        (objects(2**70, 1), "integer", "csv tsv parquet json jsonl"),
        (objects(decimal.Decimal(5)), "integer", "csv tsv parquet json jsonl"),
        (["1", " 2 ", "1e3", "NaN"], "integer", "csv tsv"),
        (["1", "x"], "integer", ""),
        ([1.5, 2], "integer", ""),
        ([np.inf], "integer", ""),
        ([True], "integer", ""),
        # floats
        ([1, 2], "float", "csv tsv parquet json jsonl"),
        ([0.5, np.inf, None], "float", "csv tsv parquet json jsonl"),
        (objects(decimal.Decimal("1.5"), None), "float", "csv tsv parquet json jsonl"),
        (objects(1, 1.5), "float", "csv tsv parquet json jsonl"),
        (["0.5", "NA"], "float", "csv tsv"),
        (["1,5"], "float", ""),
        ([True], "float", ""),
        (objects(1.5, True), "float", ""),
        # booleans
        ([True, False], "boolean", "csv tsv parquet json jsonl"),
        (objects(True, None), "boolean", "csv tsv parquet json jsonl"),
        (pd.array([True, None], "boolean"), "boolean", "csv tsv parquet json jsonl"),
        ([0, 1], "boolean", "csv tsv json jsonl"),
        ([0.0, 1.0, None], "boolean", "csv tsv json jsonl"),
        (["True", "false", None], "boolean", "csv tsv json jsonl"),
        (objects(True, "false", 0), "boolean", "csv tsv json jsonl"),
        ([0, 2], "boolean", ""),
        (["yes"], "boolean", ""),
        (TIMES, "boolean", ""),
        # texts
        (["x", None], "string", "csv tsv parquet json jsonl"),
        (pd.array(["x", None], "string"), "text", "csv tsv parquet json jsonl"),
        (pd.Categorical(["x", None]), "string", "csv tsv parquet json jsonl"),
        ([1, 2], "string", "csv tsv"),
        (objects("x", 1), "text", "csv tsv"),
        (objects(b"x"), "string", "csv tsv"),
        (objects(["x"]), "string", ""),
        # categories
        (["a", "z"], category("a"), "csv tsv parquet json jsonl"),
        (pd.Categorical(["a", None]), category("a"), "csv tsv parquet json jsonl"),
        ([1, 2], category("a"), "csv tsv"),
        ([1, 2], category(1, 5), "csv tsv parquet json jsonl"),
        (pd.Categorical([1, None]), category(1, 5), "csv tsv parquet json jsonl"),
        ([1.5], category(1, 5), ""),
        (["x"], category(1, 5), ""),
        ([1.5, 2], category(1, 2.5), "csv tsv parquet json jsonl"),
        ([True], category(True, False), "csv tsv parquet json jsonl"),
        (objects(1, "a"), category(1, "a"), "csv tsv parquet json jsonl"),
        (objects(1, 1.5), category(1, "a"), "csv tsv"),
        # datetimes
        (TIMES, "datetime", "csv tsv parquet json jsonl"),
        (TIMES.dt.tz_localize("UTC"), "datetime", "csv tsv parquet json jsonl"),
        (objects(dt.datetime(2020, 1, 1), None), "datetime", "csv tsv parquet json jsonl"),
        (objects(dt.date(2020, 1, 1)), "datetime", "csv tsv parquet json jsonl"),
        (["2020-01-31T13:00:00Z", "2020-01-31", None], "datetime", "csv tsv json jsonl"),
        (["31/12/2020 10:00", "2020-01-31"], "datetime", "csv tsv json jsonl"),
        (["Jan 5 2020", "31/12/2020", "12/31/2020"], "datetime", "csv tsv json jsonl"),
        ([1_580_475_600_000, None], "datetime", "json jsonl"),
        ([1_580_475_600_000], "datetime", "json jsonl"),
        ([20200131], "datetime", ""),
        (["soon", "2020-01-31"], "datetime", ""),
        (["x", "31/12/2020"], "datetime", ""),
        ([True], "datetime", ""),
        # dates
        (DAYS, "date", "csv tsv parquet json jsonl"),
        (DAYS.dt.tz_localize("Europe/Berlin"), "date", "csv tsv parquet json jsonl"),
        (objects(dt.date(2020, 1, 1), None), "date", "csv tsv parquet json jsonl"),
        (
            objects(dt.date(2020, 1, 1), dt.datetime(2020, 1, 1)),
            "date",
            "csv tsv parquet json jsonl",
        ),
        (["2020-01-31", None], "date", "csv tsv json jsonl"),
        (TIMES, "date", ""),
        (["2020-01-31 13:00:00"], "date", ""),
        (objects(dt.datetime(2020, 1, 1, 5, tzinfo=dt.UTC)), "date", ""),
        (objects(dt.datetime(2020, 1, 1), None, np.nan), "date", "csv tsv parquet json jsonl"),
        # others
        (pd.to_timedelta(["1s"]), "float", ""),
        (pd.period_range("2020-01", periods=2, freq="M"), "date", ""),
        ([1 + 2j], "float", ""),
        (objects(np.array([1, 2]), None), "float", ""),
    ],
)
def test_what_fits_in_which_format(cells: Any, kind: Any, formats: str) -> None:
    fitting = [
        format.value
        for format in FileFormat
        if not any(fault.kind is FaultKind.WRONG_TYPE for fault in faults_of(cells, kind, format))
    ]
    assert fitting == formats.split()


@pytest.mark.parametrize(
    ("cells", "kind", "format", "fault"),
    [
        (
            [1.0, None, 1.5, 2.5],
            "integer",
            CSV,
            ("integer", "float", 2, ("row 3: 1.5", "row 4: 2.5")),
        ),
        (
            ["1", "x", "2.5"],
            "integer",
            CSV,
            ("integer", "string", 2, ("row 2: 'x'", "row 3: '2.5'")),
        ),
        (["1", "2.5"], "integer", CSV, ("integer", "float", 1, ("row 2: '2.5'",))),
        (["2020-01-01"], "float", CSV, ("float", "datetime", 1, ("row 1: '2020-01-01'",))),
        (["2020-01-01"], "datetime", PARQUET, ("datetime", "string", 1, ("row 1: '2020-01-01'",))),
        ([7], "string", JSON, ("string", "integer", 1, ("row 1: 7",))),
        (
            objects("a", [1], 2),
            "string",
            JSON,
            ("string", "integer or list", 2, ("row 2: [1]", "row 3: 2")),
        ),
        (pd.Categorical(["x"]), "integer", PARQUET, ("integer", "string", 1, ("row 1: 'x'",))),
        (
            ["x"],
            category(1, 2.5),
            CSV,
            ("category of integer or float", "string", 1, ("row 1: 'x'",)),
        ),
        (
            range(9),
            "boolean",
            CSV,
            ("boolean", "integer", 7, tuple(f"row {i}: {i - 1}" for i in range(3, 8))),
        ),
        (["x" * 99], "float", CSV, ("float", "string", 1, ("row 1: '" + "x" * 58 + "…",))),
    ],
)
def test_what_a_fault_says(cells: Any, kind: Any, format: FileFormat, fault: Any) -> None:
    (found,) = faults_of(cells, kind, format)
    assert found.kind is FaultKind.WRONG_TYPE
    assert (found.expected, found.found, found.count, found.examples) == fault
    assert found.rows == len(cells)
    assert found.suggestion == ""


def test_every_wrong_column_is_found_in_the_order_of_the_dataset() -> None:
    frame = pd.DataFrame({"c": ["x"], "b": [0.5], "a": [True]})
    declared = declare(a="integer", b="integer", c="integer")
    assert [fault.column for fault in find_faults(frame, declared)] == ["a", "b", "c"]


def test_text_that_pandas_would_take_for_numbers(tmp_path: Path) -> None:
    declared = declare(id="string", zip=category("01234", "99999"))
    frame = pd.DataFrame({"id": ["00123", "7"], "zip": ["01234", "99999"]})
    for format in FileFormat:
        write_table(frame, tmp_path / "a", format)
        back = read_table(tmp_path / "a", format, declared)
        assert find_faults(back, declared, format) == ()
        assert back["id"].tolist() == ["00123", "7"]
    write_table(frame.astype(int), tmp_path / "a", PARQUET)
    back = read_table(tmp_path / "a", PARQUET, declared)
    assert [fault.found for fault in find_faults(back, declared, PARQUET)] == ["integer", "integer"]


def test_large_tables_are_judged_by_the_column() -> None:
    values = np.arange(200_000) / 2
    frame = pd.DataFrame({f"c{i}": values for i in range(50)})
    declared = declare(**{f"c{i}": "integer" if i % 2 else "float" for i in range(50)})
    found = find_faults(frame, declared)
    assert len(found) == 25
    assert {fault.count for fault in found} == {100_000}


def test_a_bug_of_ours_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_: object) -> None:
        raise ZeroDivisionError("ours")

    monkeypatch.setattr("mlvalidate.data.conformity.fits", crash)
    with pytest.raises(ZeroDivisionError, match="ours"):
        find_faults(pd.DataFrame({"a": ["x"]}), declare(a="integer"))
