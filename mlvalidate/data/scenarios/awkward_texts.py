"""Texts that are right and that careless code breaks on."""

from __future__ import annotations

UNICODE = (
    "Zoë Łukasiewicz-Ó Súilleabháin",
    "ßtraße İstanbul",
    "数据管道 データ",
    "مرحبا بالعالم",
    "e\u0301te\u0301 nai\u0308ve",
    "🙂👩\u200d💻🏳️",
    "Ω≈ç√∫µ≤",
    "\U0001d518\U0001d52b\U0001d526",
)
PUNCTUATION = (
    "said \"yes\", then 'no'",
    "one,two;three\tfour|five",
    "first line\nsecond line",
    "windows line\r\nends here",
    'ends with a quote"',
    '"',
    "C:\\temp\\new",
    "=1+1",
    "100 %, {braces} [brackets] <tags/>",
    "  blanks around  ",
    "-- comment; drop table x; --",
    "#hash",
)


def fit_text(text: str, length: tuple[int, int] | None) -> str:
    """Return the text, repeated or cut to the declared length; it is empty only for length 0."""
    if length is None:
        return text
    least, greatest = length
    repeats = -(-least // len(text))
    return (text * max(repeats, 1))[: max(greatest, 0)]
