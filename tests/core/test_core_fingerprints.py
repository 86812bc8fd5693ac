"""Fingerprints of exceptions: the same fault in two runs, and no other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlvalidate.core.findings import Finding, Severity
from mlvalidate.core.fingerprints import normalise_error

WORDS = st.sampled_from(["can't", "read", "expected", "columns", "of", "file", "at", "row", "got"])
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
NUMBERS = st.one_of(st.integers(-(10**12), 10**12).map(str), FLOATS.map(repr))
NAMES = st.text("abcdefghij_", min_size=1, max_size=8)
QUOTED = st.builds("{0}{1}{0}".format, st.sampled_from("'\"`"), st.text("ab 1/-é.:", max_size=9))
PATHS = st.builds(
    "{}{}/{}.csv".format,
    st.sampled_from(["/", "/tmp/tmp1x9_/", "/home/me/", "data/", "../", "s3://bucket/", "C:\\x\\"]),
    NAMES,
    NAMES,
)
UUIDS = st.uuids().map(str)
ADDRESSES = st.integers(0, 2**48).map(hex)
MOMENTS = st.one_of(
    st.datetimes().map(lambda moment: moment.isoformat()),
    st.datetimes().map(lambda moment: moment.isoformat(" ", "seconds")),
    st.dates().map(str),
)
VALUES = (NUMBERS, QUOTED, PATHS, UUIDS, ADDRESSES, MOMENTS)


def crash(**fields: object) -> Finding:
    usual = {
        "code": "X201",
        "severity": Severity.ERROR,
        "message": "ValueError: no rows",
        "step": "train",
        "location": "scripts/train.py:12",
        "function": "main",
    }
    return Finding.model_validate({**usual, **fields})


@st.composite
def same_fault_twice(draw: st.DrawFn) -> tuple[str, str]:
    """Return two messages with the same words and other values of the same sorts."""
    one, two = [], []
    for _ in range(draw(st.integers(1, 6))):
        word = draw(WORDS)
        sort = draw(st.sampled_from(VALUES))
        one += [word, draw(sort)]
        two += [word, draw(sort)]
    return " ".join(one), " ".join(two)


@given(same_fault_twice())
def test_values_do_not_count(messages: tuple[str, str]) -> None:
    one, two = (crash(message=f"ValueError: {message}") for message in messages)
    assert one.fingerprint == two.fingerprint, [normalise_error(f.message) for f in (one, two)]


@given(same_fault_twice(), st.lists(WORDS, min_size=1, max_size=3))
def test_words_count(messages: tuple[str, str], more: list[str]) -> None:
    one, two = messages[0], " ".join([messages[1], *more])
    assert crash(message=f"E: {one}").fingerprint != crash(message=f"E: {two}").fingerprint


@given(st.text())
def test_any_text_is_normalised_once_and_for_all(text: str) -> None:
    once = normalise_error(f"ValueError: {text}")
    assert once.startswith("ValueError: ") or not text.strip()
    assert len(normalise_error(once)) <= len(once)


@pytest.mark.parametrize(
    "change",
    [
        {"message": "KeyError: no rows"},
        {"message": "Error2: no rows"},
        {"function": "load"},
        {"location": "scripts/evaluate.py:12"},
        {"column": "age"},
        {"step": "evaluate"},
    ],
    ids=str,
)
def test_another_exception_place_or_column_is_another_fault(change: dict[str, str]) -> None:
    assert crash(**change).fingerprint != crash(message="Error1: no rows").fingerprint
    assert crash(**change).fingerprint != crash().fingerprint


def test_neither_the_line_nor_the_folder_of_the_checkout_counts() -> None:
    assert crash(location="/home/me/shop/train.py:80").fingerprint == crash().fingerprint


@pytest.mark.parametrize(
    ("message", "normalised"),
    [
        ("KeyError: 'age'", "KeyError: '…'"),
        ("E: can't find it, don't ask", "E: can't find it, don't ask"),
        ("E: took 1.5e-3 s, not -2", "E: took # s, not #"),
        ("E: int64 against float32", "E: int# against float#"),
        ("E: <Model at 0x7f00aa>", "E: <Model at #>"),
        ("E: run 4f2a91bc77 of decade", "E: run # of decade"),
        ("E: no /tmp/tmpab12/x.csv: gone", "E: no <path>: gone"),
        ("E: s3://bucket/key (404)", "E: <path> (#)"),
        ("E: at 2024-05-01T10:00:00Z", "E: at #"),
        ("E: at 10:02:11,5", "E: at #"),
        ("E: (3, 4) and [1 2\n 3]", "E: (#, #) and [# # #]"),
        ("ZeroDivisionError", "ZeroDivisionError"),
    ],
)
def test_what_is_left_of_a_message(message: str, normalised: str) -> None:
    assert normalise_error(message) == normalised
