"""Durations, sizes, gates, did-you-mean."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlvalidate.core.gates import Gate
from mlvalidate.core.suggest import did_you_mean, nearest
from mlvalidate.core.units import (
    format_count,
    format_duration,
    format_size,
    parse_count,
    parse_duration,
    parse_size,
)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90), (90, 90), (0.5, 0.5), ("90s", 90), ("10m", 600), ("1h30m", 5400),
        ("1h 30m", 5400), ("250ms", 0.25), (" 2 H ", 7200), ("1.5m", 90), ("1.5", 1.5),
    ],
)  # fmt: skip
def test_durations(text: str | float, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text",
    ["", "m", "10x", "10m!", "x10m", "-5", -1, 0, "0s", "1e3", True, None, [1], float("inf"),
     float("nan"), "nan", "inf", "10 m 5", "9" * 400],
)  # fmt: skip
def test_what_is_no_duration(text: object) -> None:
    with pytest.raises(ValueError, match="duration"):
        parse_duration(text)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "size"),
    [
        (1, 1), ("1", 1), ("2GB", 2 * 10**9), ("2 gb", 2 * 10**9), ("512MiB", 512 * 2**20),
        ("1.5kB", 1500), ("3b", 3), ("1TiB", 2**40), ("1TB", 10**12),
    ],
)  # fmt: skip
def test_sizes(text: str | int, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize(
    "text", ["", "GB", "2XB", "2G", "-2GB", 0, -1, "0GB", "0.1b", True, 1.5, None, "9" * 40, "1ib"]
)
def test_what_is_no_size(text: object) -> None:
    with pytest.raises(ValueError, match="size"):
        parse_size(text)  # type: ignore[arg-type]


@given(st.text())
def test_any_text_gives_a_value_or_a_value_error(text: str) -> None:
    for parse in (parse_duration, parse_size):
        try:
            assert parse(text) > 0
        except ValueError as error:
            assert str(error)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0ms"), (0.0851, "85ms"), (0.9, "900ms"), (1, "1.00s"), (1.239, "1.24s"), (10, "10.0s"),
        (59.94, "59.9s"), (60, "1m 00s"), (185, "3m 05s"), (3600, "1h 00m"), (7384, "2h 03m"),
    ],
)  # fmt: skip
def test_durations_for_people(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0B"), (812, "812B"), (1000, "1.0kB"), (3.44e6, "3.4MB"), (128e6, "128MB"),
        (2e9, "2.0GB"), (5e12, "5.0TB"),
    ],
)  # fmt: skip
def test_sizes_for_people(size: float, text: str) -> None:
    assert format_size(size) == text


@pytest.mark.parametrize(
    ("text", "metric", "operator", "threshold"),
    [
        ("findings.error == 0", "findings.error", "==", 0),
        (" evaluate.auc>=.70".replace(".70", "0.70"), "evaluate.auc", ">=", 0.7),
        ("a-b.rows.out < 1e3", "a-b.rows.out", "<", 1000),
        ("x.loss > -0.5", "x.loss", ">", -0.5),
        ("x.loss != +2.", "x.loss", "!=", 2),
        ("duration_s <= 30", "duration_s", "<=", 30),
        ("regression.duration <= 20%", "regression.duration", "<=", 0.2),
        ("pass_rate ( 50 ) >= 97.5 %", "pass_rate", ">=", 0.975),
    ],
)
def test_gates(text: str, metric: str, operator: str, threshold: float) -> None:
    gate = Gate.parse(text)
    assert (gate.metric, gate.operator, gate.threshold) == (metric, operator, threshold)
    assert gate.text == text.strip()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x % > 1",
        "pass_rate(0) > 1",
        "pass_rate() > 1",
        "x",
        "x >=",
        ">= 1",
        "x => 1",
        "x = 1",
        "x > y",
        "x > 1 2",
        "1 > x",
    ],
)
def test_what_is_no_gate(text: str) -> None:
    with pytest.raises(ValueError, match="expected `metric operator number`"):
        Gate.parse(text)


def test_a_pass_rate_is_over_some_runs() -> None:
    assert Gate.parse("pass_rate(50) >= 0.9").figure == "pass_rate(50)"
    assert Gate.parse("pass_rate >= 0.9").last == 20
    with pytest.raises(ValueError, match="only `pass_rate` is over a number of runs"):
        Gate.parse("x.auc(50) >= 0.9")


@pytest.mark.parametrize(
    ("metric", "is_about_history"),
    [("new_findings", True), ("x.new_findings", True), ("x.regression.memory", True),
     ("pass_rate", True), ("x.pass_rate", False), ("x.auc", False), ("findings.error", False)],
)  # fmt: skip
def test_gates_on_history(metric: str, is_about_history: bool) -> None:
    assert Gate.parse(f"{metric} > 0").is_about_history is is_about_history


@pytest.mark.parametrize(
    ("operator", "below", "equal", "above"),
    [
        ("<", True, False, False), ("<=", True, True, False), ("==", False, True, False),
        ("!=", True, False, True), (">=", False, True, True), (">", False, False, True),
    ],
)  # fmt: skip
def test_gates_hold_or_not(operator: str, below: bool, equal: bool, above: bool) -> None:
    gate = Gate.parse(f"x.y {operator} 2")
    assert [gate.holds(value) for value in (1, 2, 3)] == [below, equal, above]


@pytest.mark.parametrize(
    ("metric", "is_about_run", "node"),
    [
        ("findings.error", True, None), ("findings.info", True, None), ("duration_s", True, None),
        ("peak_rss_mb", True, None), ("evaluate.auc", False, "evaluate"),
        ("evaluate.findings.error", False, "evaluate"), ("findings.other", False, "findings"),
    ],
)  # fmt: skip
def test_what_a_gate_is_about(metric: str, is_about_run: bool, node: str | None) -> None:
    gate = Gate.parse(f"{metric} > 0")
    assert gate.is_about_run is is_about_run
    assert node is None or gate.node == node


def test_did_you_mean() -> None:
    assert did_you_mean("trian", ["train", "test"]) == "did you mean 'train'?"
    assert did_you_mean("TRAIN", ["train"]) == "did you mean 'train'?"
    assert did_you_mean("zzz", ["b", "a", "b"]) == "there is 'a', 'b'"
    assert did_you_mean("zzz", [str(n) for n in range(13)]) == ""
    assert did_you_mean("zzz", []) == ""
    assert nearest("charges", ["Charge", "plan"]) == "Charge"
    assert nearest("x", []) is None


@pytest.mark.parametrize(
    ("text", "number"),
    [("5000", 5000), (7, 7), ("5k", 5000), ("2.5M", 2_500_000), ("5_000", 5000), (" 1K ", 1000)],
)
def test_counts_are_read(text: str | int, number: int) -> None:
    assert parse_count(text) == number
    assert parse_count(format_count(number)) == number


@pytest.mark.parametrize("text", ["", "k", "-1", "0", "1.5", "1e3", "1G", True, 1.5, 10**13])
def test_odd_counts_are_refused(text: str | int) -> None:
    with pytest.raises(ValueError, match="number of rows"):
        parse_count(text)
