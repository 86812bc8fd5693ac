"""Figures on the quality of tables."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlvalidate.core.datasets import Dataset, FileFormat
from mlvalidate.core.quality import Quality
from mlvalidate.data.quality import Table, count_duplicates, measure_quality


def table(frame: pd.DataFrame, **dataset: object) -> Table:
    declared = Dataset.model_validate(dataset) if dataset else None
    return Table(frame, FileFormat.CSV, declared)


def test_shares_count_cells_and_rows() -> None:
    frame = pd.DataFrame({"a": [1, 1, 2, 3], "b": [None, None, "x", "y"], "c": [0, 0, 0, 0]})

    found = measure_quality([table(frame)])

    assert found == Quality(
        columns=3, null_share=2 / 12, duplicate_share=0.25, constant_columns=1, null_shares={}
    )


def test_a_port_without_tables_has_no_figures() -> None:
    assert measure_quality([]) is None
    assert measure_quality([table(pd.DataFrame())]) is None


def test_files_of_a_port_are_summed_up() -> None:
    first = pd.DataFrame({"a": [1, 2]})
    second = pd.DataFrame({"a": [1, None], "b": [5, 5]})

    found = measure_quality([table(first), table(second)])

    assert found is not None
    assert (found.columns, found.null_share, found.duplicate_share) == (2, 1 / 6, 0)
    assert found.constant_columns == 1


def test_columns_are_told_on_request_with_csv_words_for_nulls() -> None:
    frame = pd.DataFrame({"a": ["1", "NaN", "x", "4"], "b": [1.0, 2.0, 3.0, np.nan]})
    columns = {"a": {"type": "integer"}, "b": {"type": "float"}}

    quiet = measure_quality([table(frame, columns=columns)])
    told = measure_quality([table(frame, columns=columns, column_figures=True)])

    assert quiet is not None
    assert told is not None
    assert quiet.null_shares == {}
    assert told.null_shares == {"a": 0.25, "b": 0.25}
    assert told.figures["null_share.a"] == 0.25


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame({"a": [[1], [1], None, {"x": 1}, {1}]}),
        pd.DataFrame({"a": [np.array([1]), b"x", 1j, np.nan, "x"]}),
        pd.DataFrame(np.zeros((3, 2)), columns=["a", "a"]),
        pd.DataFrame({"a": pd.array([1, None], dtype="Int64")}),
        pd.DataFrame({"a": pd.Categorical(["x", None])}),
        pd.DataFrame({"a": []}),
        pd.DataFrame({"a": [pd.NaT, pd.Timestamp("2020-01-01", tz="UTC")]}),
    ],
    ids=str,
)
def test_no_frame_is_too_odd(frame: pd.DataFrame) -> None:
    assert measure_quality([table(frame)]) is not None


@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from([0, 1, 2]),
            st.sampled_from(["x", "y", None]),
            st.sampled_from([0.5, float("nan")]),
        ),
        max_size=30,
    )
)
@settings(deadline=None)
def test_duplicates_are_those_of_pandas(rows: list[tuple[object, ...]]) -> None:
    frame = pd.DataFrame(rows, columns=["a", "b", "c"])

    assert count_duplicates(frame) == int(frame.duplicated().sum())
