"""The tests that are computed here say what Evidently's own say."""

from __future__ import annotations

import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlvalidate.core.columns import DriftRule, DriftTest
from mlvalidate.data.drift_tests import FEWEST_ROWS, compare_columns

NUMBERS = st.lists(
    st.one_of(st.integers(-5, 5).map(float), st.floats(-1e6, 1e6)),
    min_size=FEWEST_ROWS,
    max_size=120,
).map(pd.Series)
WORDS = st.lists(st.sampled_from("abcd"), min_size=FEWEST_ROWS, max_size=120).map(
    lambda words: pd.Series(words, dtype=object)
)
PAIRS = st.lists(st.sampled_from("ab"), min_size=FEWEST_ROWS, max_size=120).map(
    lambda words: pd.Series(words, dtype=object)
)


def evidently(
    test: DriftTest, reference: pd.Series, current: pd.Series, *, numerical: bool
) -> float:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from evidently.legacy.calculations.stattests import get_stattest
        from evidently.legacy.core import ColumnType

        kind = ColumnType.Numerical if numerical else ColumnType.Categorical
        function = get_stattest(reference, current, kind, test.value)
        return float(function.func(reference, current, kind, 0.1)[0])


def assert_equal(
    test: DriftTest, reference: pd.Series, current: pd.Series, *, numerical: bool
) -> None:
    ours = compare_columns(reference, current, DriftRule(test=test), numerical=numerical)
    assert ours is not None
    theirs = evidently(test, reference, current, numerical=numerical)
    assert ours.score == pytest.approx(theirs, rel=1e-9, abs=1e-12, nan_ok=True)


@pytest.mark.parametrize("test", [DriftTest.KS, DriftTest.WASSERSTEIN, DriftTest.JENSENSHANNON])
@given(NUMBERS, NUMBERS)
@settings(max_examples=40, deadline=None)
def test_numbers(test: DriftTest, reference: pd.Series, current: pd.Series) -> None:
    assert_equal(test, reference, current, numerical=True)


@pytest.mark.parametrize("test", [DriftTest.CHISQUARE, DriftTest.JENSENSHANNON])
@given(WORDS, WORDS)
@settings(max_examples=40, deadline=None)
def test_categories(test: DriftTest, reference: pd.Series, current: pd.Series) -> None:
    assert_equal(test, reference, current, numerical=False)


@given(PAIRS, PAIRS)
@settings(max_examples=40, deadline=None)
def test_two_categories(reference: pd.Series, current: pd.Series) -> None:
    assert_equal(DriftTest.Z, reference, current, numerical=False)


@pytest.mark.parametrize("test", [DriftTest.PSI, DriftTest.ANDERSON])
def test_the_others_are_its_own(test: DriftTest) -> None:
    draws = np.random.default_rng(3)
    sides = [pd.Series(draws.integers(0, 2, 200).astype(float)) for _ in range(2)]
    assert_equal(test, *sides, numerical=True)


def test_the_usual_tests_do_not_import_evidently() -> None:
    code = """
import sys, pandas as pd
from mlvalidate.core.columns import DriftRule
from mlvalidate.data.drift_tests import compare_columns
for values in ([1.5, 2.5, 9.0], ["a", "b"], ["a", "b", "c"]):
    for size in (200, 2000):
        column = pd.Series(values * size)
        assert compare_columns(column, column, DriftRule(), numerical=values[0] == 1.5)
sys.exit("evidently" in sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True)
