"""Shapes, correlations, order, signal and derived columns of synthetic tables."""

from __future__ import annotations

import datetime as dt
import hashlib
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlvalidate.core.datasets import Dataset, FileFormat
from mlvalidate.data.conformity import find_faults
from mlvalidate.data.dependence import cholesky
from mlvalidate.data.distributions import normal_scores
from mlvalidate.data.errors import UnsatisfiableSchema
from mlvalidate.data.synthesis import generate

ROWS = 20_000


def column(**keys: Any) -> pd.Series:
    dataset = Dataset.model_validate({"columns": {"c": {"type": "float", **keys}}})
    return generate(dataset, ROWS, 1, "d")["c"]


def table(columns: dict[str, Any], rows: int = ROWS, **keys: Any) -> pd.DataFrame:
    dataset = Dataset.model_validate({"format": "parquet", "columns": columns, **keys})
    frame = generate(dataset, rows, 1, "d")
    assert find_faults(frame, dataset, FileFormat.PARQUET) == ()
    return frame


@pytest.mark.parametrize(
    ("keys", "mean", "sd"),
    [
        ({"distribution": {"kind": "normal", "mean": 50, "sd": 2}}, 50, 2),
        ({"distribution": "normal", "min": 0, "max": 60}, 30, 9.87),  # cut off at three sd
        ({"distribution": {"kind": "lognormal", "mean": 1, "sd": 0.5}}, 3.08, 1.64),
        ({"distribution": {"kind": "exponential", "mean": 4}}, 4, 4),
        ({"distribution": "uniform", "min": -1, "max": 3}, 1, 1.155),
        ({"distribution": {"kind": "poisson", "mean": 3.5}, "type": "integer"}, 3.5, 1.87),
        ({"distribution": {"kind": "poisson", "mean": 9000}, "type": "integer"}, 9000, 94.9),
        ({"distribution": {"kind": "quantiles", "quantiles": [0, 1, 10]}}, 3, 3.09),
    ],
)
def test_shapes_have_their_mean_and_spread(keys: dict[str, Any], mean: float, sd: float) -> None:
    values = column(**keys)
    assert values.mean() == pytest.approx(mean, rel=0.03)
    assert values.std() == pytest.approx(sd, rel=0.05)


def test_zipf_prefers_the_first_ranks() -> None:
    values = column(type="integer", distribution={"kind": "zipf", "exponent": 2}, min=1, max=100)
    shares = values.value_counts(normalize=True)
    assert shares[1] == pytest.approx(1 / 1.635, rel=0.03)
    assert shares[2] == pytest.approx(shares[1] / 4, rel=0.1)
    assert values.max() <= 100


def test_times_have_shapes_too() -> None:
    days = ["2020-01-01", "2020-01-11", "2021-01-01"]
    frame = table(
        {
            "day": {"type": "date", "distribution": {"kind": "quantiles", "quantiles": days}},
            "at": {"type": "datetime", "min": "2020-01-01", "max": "2020-03-01",
                   "distribution": "normal"},
        }
    )  # fmt: skip
    assert (frame["day"] <= dt.date(2020, 1, 11)).mean() == pytest.approx(0.5, abs=0.02)
    middle = pd.Timestamp("2020-01-31")
    assert abs(frame["at"].mean() - middle) < pd.Timedelta(hours=12)


kinds = st.sampled_from(["uniform", "normal", "lognormal", "exponential", "zipf"])


@settings(max_examples=150, deadline=None)
@given(
    kind=kinds,
    type=st.sampled_from(["integer", "float"]),
    bounds=st.tuples(st.none() | st.integers(-50, 50), st.none() | st.integers(-50, 10**6)),
    null=st.sampled_from([0, 0.2]),
)
def test_no_value_is_out_of_bounds(
    kind: str, type: str, bounds: tuple[int | None, int | None], null: float
) -> None:
    low, high = bounds
    if low is not None and high is not None and low > high:
        return
    keys = {"type": type, "distribution": kind, "min": low, "max": high, "null": null}
    try:
        frame = table({"c": keys}, rows=200)
    except UnsatisfiableSchema as problem:
        assert "column 'c'" in problem.message
        return
    assert len(frame) == 200
    assert frame["c"].isna().sum() == round(200 * null)


def test_bounds_that_leave_nothing_are_refused() -> None:
    with pytest.raises(UnsatisfiableSchema, match="leave nothing of the distribution"):
        column(distribution={"kind": "normal", "mean": 0, "sd": 1}, min=50, max=60)


def test_normal_scores_are_exact() -> None:
    shares = np.array([1e-12, 1e-5, 0.01, 0.07, 0.3, 0.5, 0.77, 0.95, 0.999, 1 - 1e-9])
    expected = [NormalDist().inv_cdf(share) for share in shares]
    assert normal_scores(shares) == pytest.approx(expected, rel=1e-14)
    assert np.isfinite(normal_scores(np.array([0.0, 1.0]))).all()


CORRELATED = {
    "a": {"type": "float", "distribution": "lognormal", "min": 1, "max": 1000},
    "b": {"type": "integer", "min": 0, "max": 5000, "null": 0.3},
    "c": {"type": "date", "min": "2020-01-01", "max": "2024-01-01"},
    "d": {"type": "boolean", "rate": 0.3},
    "e": {"type": "float"},
}


def test_ranks_correlate_as_declared_and_marginals_stay() -> None:
    correlations = {"a": {"b": 0.8, "d": -0.4}, "b": {"c": 0.3}}
    frame = table(CORRELATED, correlations=correlations)
    plain = table(CORRELATED)
    ranked = frame.assign(c=pd.to_datetime(frame["c"])).rank()
    found = ranked.corr()
    assert found.loc["a", "b"] == pytest.approx(0.8, abs=0.03)
    assert found.loc["b", "c"] == pytest.approx(0.3, abs=0.03)
    assert found.loc["a", "d"] == pytest.approx(-0.4 * 0.86, abs=0.1)  # two values tie
    assert abs(found.loc["a", "e"]) < 0.03
    for name in frame:
        assert sorted(frame[name].dropna()) == sorted(plain[name].dropna())


def test_impossible_correlations_are_weakened() -> None:
    matrix = [[1.0, 0.9, -0.9], [0.9, 1.0, 0.9], [-0.9, 0.9, 1.0]]
    lower = np.array(cholesky(matrix))
    square = lower @ lower.T
    assert np.diag(square) == pytest.approx(1.0)
    assert square[0, 1] == pytest.approx(0.5, abs=0.02)


def test_a_monotone_column_and_one_that_follows_it() -> None:
    frame = table(
        {
            "at": {"type": "datetime", "monotone": "increasing"},
            "left": {"type": "integer", "monotone": "decreasing", "null": 0.1},
            "price": {"type": "float"},
        },
        correlations={"at": {"price": 0.9}},
    )
    assert frame["at"].is_monotonic_increasing
    assert frame["left"].dropna().is_monotonic_decreasing
    assert frame["price"].corr(pd.Series(range(ROWS)), method="spearman") > 0.85


@pytest.mark.parametrize(("signal", "least", "most"), [(0.0, 0.45, 0.55), (0.8, 0.75, 0.95)])
def test_a_label_can_be_foretold_as_far_as_declared(
    signal: float, least: float, most: float
) -> None:
    frame = table(
        {
            "id": {"type": "string", "unique": True},
            "x": {"type": "float"},
            "y": {"type": "category", "values": {"low": 0.5, "mid": 0.3, "high": 0.2}},
            "label": {"type": "boolean", "label": True, "rate": 0.25, "signal": signal},
        }
    )
    assert frame["label"].mean() == 0.25
    x = frame["x"].rank()
    y = frame["y"].map({"low": 0, "mid": 1, "high": 2}).rank()
    found = []
    for sign in (1, -1):
        ranks = (x + sign * y).rank()
        positive = ranks[frame["label"]]
        count = len(positive)
        area = (positive.sum() - count * (count + 1) / 2) / (count * (ROWS - count))
        found.append(max(area, 1 - area))
    assert least <= max(found) <= most


def test_a_label_is_foretold_by_the_columns_that_its_signal_names() -> None:
    signal = {"x": 0.6, "z": -0.5}
    frame = table(
        {
            "label": {"type": "float", "label": True, "signal": signal},
            **{name: {"type": "float"} for name in ("x", "y", "z")},
        }
    )
    found = frame.corr(method="spearman")["label"]
    for name, weight in {**signal, "y": 0.0}.items():
        assert found[name] == pytest.approx(weight, abs=0.06)


def test_derived_columns_are_computed_in_any_order() -> None:
    frame = table(
        {
            "total": {"type": "float", "derived": "round(net * 1.2, 2)", "null": 0.1},
            "net": {"type": "integer", "derived": "price * amount", "null": 0.1},
            "price": {"type": "integer", "min": 1, "max": 9},
            "amount": {"type": "integer", "min": 1, "max": 9, "null": 0.1},
            "large": {"type": "boolean", "derived": "coalesce(net, 0) > 20"},
            "kind": {"type": "category", "values": ["a", "b"],
                     "derived": "'a' if price > 5 else 'b'"},
        },
        rows=300,
    )  # fmt: skip
    assert list(frame) == ["total", "net", "price", "amount", "large", "kind"]
    net = frame["price"] * frame["amount"]
    assert (frame["net"].isna() == net.isna()).all()
    assert (frame["net"].dropna() == net.dropna()).all()
    assert (frame["total"].dropna() == (net.dropna() * 1.2).round(2)).all()
    assert set(frame["kind"]) == {"a", "b"}


def test_columns_that_derive_from_each_other_are_refused() -> None:
    columns = {"a": {"type": "float", "derived": "b"}, "b": {"type": "float", "derived": "a"}}
    with pytest.raises(UnsatisfiableSchema, match="leads back"):
        generate(Dataset.model_validate({"columns": columns}), 5, 0, "d")


def test_the_same_table_on_every_machine() -> None:
    columns = {
        **CORRELATED,
        "n": {"type": "integer", "distribution": {"kind": "poisson", "mean": 8}},
        "z": {"type": "integer", "distribution": "zipf"},
        "g": {"type": "float", "distribution": {"kind": "normal", "mean": 5, "sd": 2}},
        "y": {"type": "boolean", "label": True, "rate": 0.2, "signal": 0.7},
    }
    frame = table(columns, rows=500, correlations={"a": {"b": 0.8, "d": -0.4}, "g": {"a": 0.5}})
    digest = hashlib.sha256(frame.to_csv(index=False).encode()).hexdigest()[:16]
    assert digest == "8a8d6d40a7603585"
