"""Seeded randomness: the stream itself, ranges, distinct numbers, exact shares."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlvalidate.data.draws import Draws, share_out


def test_the_stream_is_the_same_on_every_machine() -> None:
    draws = Draws(7, "customers", "tenure")
    assert draws.raw(2).tolist() == [3450334278800200957, 11730699133066654319]
    assert draws.below(10, 8).tolist() == [2, 9, 1, 9, 2, 4, 5, 0]
    assert draws.order(6).tolist() == [1, 2, 5, 3, 0, 4]
    assert draws.uniform(2).tolist() == [0.13185346323218983, 0.2985838587018548]


def test_names_are_not_run_together() -> None:
    assert Draws(1, "ab", "c").raw(1) != Draws(1, "a", "bc").raw(1)
    assert Draws(1, "a").raw(1) != Draws(2, "a").raw(1)


@pytest.mark.parametrize("limit", [1, 2, 10, 2**32, 2**32 + 1, 2**63, 2**64])
def test_below_stays_below(limit: int) -> None:
    drawn = [int(number) for number in Draws(0, "x").below(limit, 1000)]
    assert len(drawn) == 1000
    assert min(drawn) >= 0
    assert max(drawn) < limit
    if limit > 2**40:
        assert max(drawn) > limit * 0.9


def test_below_gives_every_number_as_often() -> None:
    counts = np.bincount(Draws(0, "x").below(5, 50_000).astype(int), minlength=5)
    assert counts.min() > 9_600
    assert counts.max() < 10_400


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 400), st.integers(0, 2000), st.integers(0, 10))
def test_distinct_numbers_are_distinct(count: int, more: int, seed: int) -> None:
    limit = count + more
    drawn = Draws(seed, "x").distinct(limit, count).tolist()
    assert len(set(drawn)) == len(drawn) == count
    assert all(0 <= number < limit for number in drawn)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0.001, 1), min_size=1, max_size=8), st.integers(0, 1000))
def test_shares_are_exact_to_the_row(weights: list[float], count: int) -> None:
    shares = [weight / sum(weights) for weight in weights]
    parts = share_out(shares, count)
    assert sum(parts) == count
    assert all(
        abs(part - share * count) < 1 + 1e-9 for part, share in zip(parts, shares, strict=True)
    )
