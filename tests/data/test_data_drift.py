"""Drift verdicts: few false alarms, and real shifts are found."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlvalidate.core.columns import DriftRule, DriftTest
from mlvalidate.core.datasets import Dataset, FileFormat
from mlvalidate.core.quality import ColumnDrift
from mlvalidate.data.drift import holm_limit, judge_drift, measure_column, measure_drift
from mlvalidate.data.table_samples import Role, prepare_frame


def verdict(
    reference: pd.Series, current: pd.Series, role: Role = Role.NUMBER, **rule: object
) -> ColumnDrift:
    measured = measure_column("x", reference, current, role, DriftRule.model_validate(rule))
    return judge_drift({"t": [measured]})["t"][0]


def normal(seed: int, n: int, mean: float = 0.0) -> pd.Series:
    return pd.Series(np.random.default_rng(seed).normal(mean, 1, n))


def texts(seed: int, n: int, shares: list[float]) -> pd.Series:
    names = np.array([f"v{i}" for i in range(len(shares))], dtype=object)
    return pd.Series(np.random.default_rng(seed).choice(names, n, p=shares))


@pytest.mark.parametrize("n", [1000, 10_000])
def test_a_shift_of_half_a_standard_deviation_is_found(n: int) -> None:
    assert verdict(normal(1, n), normal(2, n, 0.5)).drifted
    assert not verdict(normal(1, n), normal(2, n)).drifted


@pytest.mark.parametrize("n", [1000, 10_000])
def test_a_shift_of_shares_is_found(n: int) -> None:
    found = verdict(texts(1, n, [0.4, 0.6]), texts(2, n, [0.6, 0.4]), Role.CATEGORY)
    assert found.drifted
    assert not verdict(texts(1, n, [0.4, 0.6]), texts(2, n, [0.4, 0.6]), Role.CATEGORY).drifted


def test_a_certain_but_small_shift_is_none() -> None:
    found = verdict(normal(1, 10_000), normal(2, 10_000, 0.04))
    assert found.p_value is not None
    assert found.p_value < 1e-3
    assert not found.drifted


def test_a_large_distance_that_may_be_chance_is_none() -> None:
    shares = [1 / 500] * 500
    found = verdict(texts(1, 1500, shares), texts(2, 1500, shares), Role.CATEGORY)
    assert found.score is not None
    assert found.score > 0.1
    assert not found.drifted


def test_a_threshold_of_its_own_decides_alone() -> None:
    loose = verdict(normal(1, 1000), normal(2, 1000, 0.1), test="wasserstein", threshold=0.01)
    assert loose.drifted
    assert loose.p_value is None
    assert not verdict(normal(1, 1000), normal(2, 1000, 0.5), test="ks", threshold=1e-99).drifted


@pytest.mark.parametrize("test", list(DriftTest))
def test_every_test_can_be_chosen(test: DriftTest) -> None:
    # z is for two values, the others for more.
    shares = ([0.5, 0.5], [0.2, 0.8]) if test is DriftTest.Z else ([0.5, 0.3, 0.2], [0.2, 0.3, 0.5])
    if test in (DriftTest.KS, DriftTest.WASSERSTEIN, DriftTest.ANDERSON):
        found = verdict(normal(1, 500), normal(2, 500, 1.0), test=test)
    else:
        found = verdict(
            texts(1, 500, shares[0]), texts(2, 500, shares[1]), Role.CATEGORY, test=test
        )
    assert found.test == test
    assert found.drifted


def test_missing_values_drift_by_themselves() -> None:
    values = normal(1, 1000)
    gone = normal(2, 1000).where(np.arange(1000) % 5 > 0)
    found = verdict(values, gone)
    assert (found.drifted, found.nulls_drifted, found.null_shares) == (False, True, (0.0, 0.2))
    few = normal(2, 1000).where(np.arange(1000) >= 30)
    assert not verdict(values, few).nulls_drifted


def test_all_missing_is_drift_of_missing_values_only() -> None:
    found = verdict(normal(1, 1000), pd.Series([np.nan] * 1000))
    assert found.nulls_drifted
    assert found.score is None
    assert "insufficient data" in found.reason
    assert found.is_compared


def test_with_few_rows_nothing_is_said() -> None:
    found = verdict(normal(1, 49), normal(2, 5000, 9.0))
    assert not found.has_drifted
    assert found.reason == "insufficient data: 49 and 5000 values, at least 50 are needed"


def test_times_are_numbers() -> None:
    days = pd.Series(pd.date_range("2020-01-01", periods=1000, freq="h").astype("M8[s]"))
    later = days + pd.Timedelta(days=20)
    assert verdict(days, later, Role.TIME).drifted


def test_a_constant_column_has_a_finite_score() -> None:
    found = verdict(pd.Series([1.0] * 2000), pd.Series([2.0] * 2000))
    assert found.drifted
    assert found.score is not None
    assert np.isfinite(found.score)


@pytest.mark.slow
def test_equal_tables_are_quiet_whatever_their_shape() -> None:
    rng = np.random.default_rng(7)
    alarms = 0
    for _ in range(100):
        numbers = [
            rng.standard_cauchy,
            lambda n: rng.lognormal(0, 2, n),
            lambda n: rng.poisson(2, n),
        ]
        columns = []
        for draw in numbers:
            sides = [pd.Series(np.asarray(draw(200), dtype="float64")) for _ in range(2)]
            columns.append(measure_column("x", sides[0], sides[1], Role.NUMBER, DriftRule()))
        for size in (7, 50, 1000):
            sides = [pd.Series(rng.integers(0, size, 200)).astype(str) for _ in range(2)]
            columns.append(measure_column("x", sides[0], sides[1], Role.CATEGORY, DriftRule()))
        alarms += any(column.has_drifted for column in judge_drift({"t": columns})["t"])
    # One in a hundred runs may report drift; five or more would be such luck once in 300 times.
    assert alarms < 5


def test_columns_are_those_of_the_dataset() -> None:
    dataset = Dataset.model_validate(
        {
            "key": "id",
            "columns": {
                "id": {"type": "integer"},
                "x": {"type": "float"},
                "ignored": {"type": "float", "drift": {"ignore": True}},
                "gone": {"type": "float", "optional": True},
                "text": {"type": "string"},
            },
        }
    )
    frame = pd.DataFrame({"id": range(60), "x": 1.5, "ignored": 1.0, "text": "a"})
    prepared = prepare_frame([frame], FileFormat.PARQUET, dataset)

    found = {column.column: column.reason for column in measure_drift(prepared, prepared, dataset)}

    assert found == {
        "id": "identifies rows",
        "x": "",
        "ignored": "is left out by its drift rule",
        "gone": "is not in both",
        "text": "has no distribution to compare",
    }


@given(st.lists(st.floats(0, 1), max_size=30))
def test_holm_is_between_bonferroni_and_no_correction(p_values: list[float]) -> None:
    rejected = [p for p in p_values if p <= holm_limit(p_values, 0.05)]
    assert all(p <= 0.05 for p in rejected)
    assert all(p in rejected for p in p_values if p <= 0.05 / len(p_values))
