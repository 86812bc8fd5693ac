"""Regular expressions turned round: what they generate, how many, and what they can't."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlvalidate.core.columns import Column
from mlvalidate.data.draws import Draws
from mlvalidate.data.errors import Impossible
from mlvalidate.data.languages import INNUMERABLE
from mlvalidate.data.patterns import parse_pattern
from mlvalidate.data.strings import distinct_strings, draw_strings, language_of

PATTERNS = [
    "abc",
    "C[0-9]{6}",
    r"\d{3}-\w{2,5}\s\D",
    "[a-z]+@[a-z]{3,8}\\.(com|org|net)",
    "(ab|c){2,4}x?",
    "^[^a-z]{5}$",
    r"\A(?:foo|ba[rz])*\Z",
    "(?i)[^abc]x[D-F]",
    "(?s).{3}",
    "(?P<year>19|20)[0-9]{2}",
    "[\\W\\d]{4}|[\\S]{2}",
    "[A-Za-z0-9+/]{40}==",
    "(?i:[^q]){3}(?-i:z)",
    "^(a|^b|c$)$",
    "x{0}y{1,}?",
    "[éüß€😀]{3}",
    "a??b*?",
    "[^\\x00-\\x40]",
]


def strings(pattern: str, size: int, **declared: object) -> list[str]:
    column = Column.model_validate({"type": "string", "pattern": pattern, **declared})
    return list(draw_strings(column, size, Draws(0, pattern)))


def distinct(size: int, **declared: object) -> list[str]:
    column = Column.model_validate({"type": "string", **declared})
    return list(distinct_strings(column, size, Draws(0, "x")))


@pytest.mark.parametrize("pattern", PATTERNS)
def test_every_string_matches(pattern: str) -> None:
    made = strings(pattern, 300)
    assert len(made) == 300
    assert [text for text in made if not re.fullmatch(pattern, text)] == []


@pytest.mark.parametrize("pattern", PATTERNS)
def test_distinct_strings_match_and_differ(pattern: str) -> None:
    made = distinct(200, pattern=pattern)
    assert len(set(made)) == len(made)
    assert len(made) <= min(200, parse_pattern(pattern).count)
    assert [text for text in made if not re.fullmatch(pattern, text)] == []


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_random_patterns_match(data: st.DataObject) -> None:
    atom = st.sampled_from(["a", "[bc]", r"\d", "(?:x|yz)", "[^0-9]", "."])
    quantifier = st.sampled_from(["", "?", "*", "+", "{2}", "{1,3}", "{0,2}?", "{2,}"])
    part = st.builds(str.__add__, atom, quantifier)
    pattern = "|".join(
        data.draw(st.lists(st.lists(part, max_size=4).map("".join), min_size=1, max_size=3))
    )
    for text in [*strings(pattern, 20), *distinct(20, pattern=pattern)]:
        assert re.fullmatch(pattern, text), (pattern, text)


def test_a_whole_language_comes_out() -> None:
    made = distinct(1000, pattern="C[0-9]{3}")
    assert sorted(made) == [f"C{number:03}" for number in range(1000)]
    assert made != sorted(made)
    assert len(distinct(1001, pattern="C[0-9]{3}")) == 1000


def test_an_ambiguous_language_is_counted_by_its_strings() -> None:
    assert sorted(distinct(10, pattern="a?a?")) == ["", "a", "aa"]
    assert sorted(distinct(10, pattern="(a|ab)(c|bc)")) == ["abbc", "abc", "ac"]


def test_a_large_language_needs_no_enumeration() -> None:
    assert len(distinct(5000, pattern="[0-9]{9}")) == 5000
    assert len(distinct(5000, pattern="[a-z]{40}")) == 5000
    assert parse_pattern("[a-z]{40}").count == INNUMERABLE


@pytest.mark.parametrize(
    ("pattern", "count"),
    [("[ab]{2}", 4), ("a|b[cd]", 3), ("[ab]{0,2}", 7), ("a{3,5}", 3), ("x*", 9), ("()", 1)],
)
def test_counts(pattern: str, count: int) -> None:
    assert parse_pattern(pattern).count == count


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        ("a(?=b)", "a lookahead"),
        ("a(?!b)", "a negative lookahead"),
        ("(?<=a)b", "a lookbehind"),
        ("(?<!a)b", "a negative lookbehind"),
        (r"(a)\1", "a backreference"),
        ("(a)?(?(1)b|c)", "a conditional group"),
        ("(?>a)b", "an atomic group"),
        ("a++b", "a possessive quantifier"),
        (r"\bword", "a word boundary"),
        ("a^b", "an anchor in the middle"),
        ("a$b", "an anchor in the middle"),
        ("(^a)+", "an anchor in the middle"),
        ("[a-z]{20000}", "strings of more than 10000 characters"),
        ("[a-z]{6000}[a-z]{6000}", "strings of more than 10000 characters"),
        (r"[^\x00-\xff]", "a class without any writable character"),
        (r"\x00", "a class without any writable character"),
    ],
)
def test_what_cannot_be_generated_is_named(pattern: str, problem: str) -> None:
    with pytest.raises(Impossible) as caught:
        parse_pattern(pattern)
    assert str(caught.value) == f"pattern {pattern!r} has {problem}, which can't be generated"


def test_strings_that_look_missing_are_avoided() -> None:
    assert "NA" not in strings("[NB][AB]", 500)
    assert "" not in strings("x?", 100)
    assert set(strings("NA", 5)) == {"NA"}
    assert distinct(9, pattern="NA|[a-c]")[-1] == "NA"
    assert "NA" in distinct(676, pattern="[A-Z]{2}")
    assert "NA" not in distinct(675, pattern="[A-Z]{2}")


@pytest.mark.parametrize(
    ("pattern", "length"),
    [
        ("[a-z]+", (20, 30)),
        ("[a-z]{1,4}", (1, 1)),
        ("(ab|c){0,9}", (3, 5)),
        (r"\w+@\w+\.(com|org)", (12, 14)),
        ("[a-z0-9]*", (3, 3)),
        ("a|bb|ccc", (2, 3)),
        ("()", (0, 0)),
        ("(?:a|bb|c?){3}", (4, 6)),
    ],
)
def test_pattern_and_length_hold_together(pattern: str, length: tuple[int, int]) -> None:
    made = [*strings(pattern, 50, length=length), *distinct(20, pattern=pattern, length=length)]
    for text in made:
        assert re.fullmatch(pattern, text)
        assert length[0] <= len(text) <= length[1]


def test_a_short_length_is_exhausted() -> None:
    assert sorted(distinct(30, pattern="[a-z]{1,4}", length=[1, 1])) == list(
        "abcdefghijklmnopqrstuvwxyz"
    )


def test_a_length_that_no_match_has() -> None:
    with pytest.raises(Impossible, match="no match of 'abc' has 4 to 5 characters"):
        strings("abc", 1, length=[4, 5])
    with pytest.raises(Impossible, match="more than 200 repetitions"):
        strings("(a|bb){0,300}", 1, length=[4, 5])


def test_lengths_without_a_pattern() -> None:
    plain = Column.model_validate({"type": "string"})
    assert all(re.fullmatch("[a-z0-9]{8}", text) for text in draw_strings(plain, 50, Draws(0)))
    sized = Column.model_validate({"type": "string", "length": [0, 3]})
    assert {len(text) for text in draw_strings(sized, 200, Draws(0))} == {1, 2, 3}
    empty = Column.model_validate({"type": "string", "length": [0, 0]})
    assert list(draw_strings(empty, 2, Draws(0))) == ["", ""]
    huge = Column.model_validate({"type": "string", "length": [5, 10**9]})
    assert language_of(huge).width == 10_000


def test_texts_are_sentences() -> None:
    plain = Column.model_validate({"type": "text"})
    for text in draw_strings(plain, 200, Draws(0)):
        assert 4 <= len(text.split()) <= 12
        assert text[0].isupper()
        assert text.endswith(".")
    assert len(set(distinct_strings(plain, 3000, Draws(0)))) == 3000


@pytest.mark.parametrize("length", [(0, 16), (30, 40), (200, 200), (1, 5), (0, 10**8)])
def test_texts_keep_their_length(length: tuple[int, int]) -> None:
    column = Column.model_validate({"type": "text", "length": length})
    for text in draw_strings(column, 60, Draws(0)):
        assert max(length[0], 1) <= len(text) <= length[1]
        assert text == text.strip()


def test_rows_of_long_strings_are_made_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = distinct(500, pattern="[a-z]{3}[0-9]")
    monkeypatch.setattr("mlvalidate.data.strings.CELLS", 40)
    assert distinct(500, pattern="[a-z]{3}[0-9]") == whole
    assert len(strings("[a-z]{3}", 100)) == 100
