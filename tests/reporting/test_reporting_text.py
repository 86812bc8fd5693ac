from __future__ import annotations

import pytest

from mlvalidate.reporting.text import count, one_line, plain


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b[2J\x1b[1;1Hgone", "gone"),
        ("\x1b]0;title\x07after", "after"),
        ("\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1bP1$r\x1b\\x", "x"),
        ("\x1b(Bx", "x"),
        ("\x1bcreset", "reset"),
        ("broken \x1b[", "broken \\x1b["),
        ("bell\x07 null\x00 back\x08", "bell\\x07 null\\x00 back\\x08"),
        ("c1 \x9b31m", "c1 \\x9b31m"),
        ("over\rwrite", "over\\x0dwrite"),
        ("dos\r\nlines", "dos\nlines"),
        ("rtl \u202etxt", "rtl \\u202etxt"),
        ("file \udcff", "file \\udcff"),
        ("a\tb", "a   b"),
        ("[bold]no markup[/] :smile: ünï", "[bold]no markup[/] :smile: ünï"),
    ],
)
def test_plain_leaves_nothing_that_a_terminal_obeys(text: str, shown: str) -> None:
    assert plain(text) == shown


def test_plain_takes_linear_time_on_unfinished_sequences() -> None:
    assert len(plain("\x1b]" * 100_000)) == 500_000


def test_one_line_joins_lines() -> None:
    assert one_line(" a\n  b\x1b[0m ") == "a b"


def test_count() -> None:
    assert [count(n, "row") for n in (0, 1, 12000)] == ["0 rows", "1 row", "12,000 rows"]
