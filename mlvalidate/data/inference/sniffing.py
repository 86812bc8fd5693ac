"""Finds out how delimited text is written, from its first lines."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from mlvalidate.data.errors import UnreadableFile
from mlvalidate.data.kinds import NULL_WORDS

MOST_LINES = 300
_DELIMITERS = (",", ";", "\t", "|")
# Words for a missing value that a file may use in place of an empty field.
_MISSING_WORDS = (*filter(None, NULL_WORDS), "?", "-", ".", "\\N", "missing")
_NUMBER = re.compile(r"\s*[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?\s*")
_YEAR = re.compile(r"(?:19|20)\d\d")
_COMMA_NUMBER = re.compile(r"\s*-?\d+,\d+\s*")
_DATE = re.compile(r"\s*\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}\b.*")
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

Rows = list[list[str]]


@dataclass(frozen=True)
class Sniffed:
    """How a file is written; ``names`` are those of its header, or made up without one."""

    names: tuple[str, ...]
    header: bool
    dialect: dict[str, str] = field(default_factory=dict)
    delimiter: str = ","
    encoding: str = "utf-8"

    @property
    def quote(self) -> str:
        return self.dialect.get("quote", '"')

    @property
    def null(self) -> str:
        return self.dialect.get("null", "")

    @property
    def decimal(self) -> str:
        return self.dialect.get("decimal", ".")


def sniff(start: bytes, whole: bool, usual: str) -> Sniffed:
    """Return how the text that begins with ``start`` is written.

    ``whole`` says that nothing follows, ``usual`` is the delimiter that the format promises. Raises
    UnreadableFile when this is no delimited text.
    """
    if not start.strip():
        raise UnreadableFile("the file is empty: not even a header")
    encoding = find_encoding(start, whole)
    text = start.decode(encoding, "replace").removeprefix("\ufeff")
    if "\0" in text:
        raise UnreadableFile("binary data, not text")
    lines = text.splitlines(keepends=True)
    # The last line may be cut off.
    text = "".join((lines if whole or len(lines) < 2 else lines[:-1])[:MOST_LINES])
    quote = _find_quote(text)
    delimiter, rows = _find_delimiter(text, quote, usual)
    header = has_header(rows)
    names = _names(rows[0]) if header else [f"column_{i + 1}" for i in range(len(rows[0]))]
    repeated = [name for name, times in Counter(names).items() if times > 1]
    if repeated:
        raise UnreadableFile(f"the column {repeated[0]!r} occurs twice in the header")
    body = rows[1:] if header else rows
    dialect = _dialect(text, body, delimiter, quote)
    if delimiter != usual:
        dialect["delimiter"] = delimiter
    if encoding != "utf-8":
        dialect["encoding"] = encoding
    return Sniffed(tuple(names), header, dialect, delimiter, encoding)


def find_encoding(start: bytes, whole: bool = True) -> str:
    """Return the codec of a text: by its mark, else UTF-8 if it can be, else that of Windows."""
    for mark, name in _BOMS:
        if start.startswith(mark):
            return name
    try:
        codecs.getincrementaldecoder("utf-8")().decode(start, final=whole)
    except UnicodeDecodeError:
        pass
    else:
        return "utf-8"
    try:
        start.decode("cp1252")
    except UnicodeDecodeError:
        return "latin-1"
    return "cp1252"


def _find_quote(text: str) -> str:
    double = len(re.findall(r'(?:^|[,;\t|])"', text, re.MULTILINE))
    single = len(re.findall(r"(?:^|[,;\t|])'[^'\n]*'(?=[,;\t|\r\n]|$)", text, re.MULTILINE))
    return "'" if single > 3 and not double else '"'


def _find_delimiter(text: str, quote: str, usual: str) -> tuple[str, Rows]:
    """Return the delimiter that splits the lines most evenly, and the lines as it splits them."""
    found: dict[str, tuple[tuple[float, ...], Rows]] = {}
    for delimiter in dict.fromkeys((usual, *_DELIMITERS)):
        rows = _split(text, delimiter, quote)
        widths = Counter(len(row) for row in rows)
        width, times = widths.most_common(1)[0] if widths else (1, 0)
        if width > 1:
            found[delimiter] = ((times / len(rows), delimiter == usual, width), rows)
    if not found:
        return usual, _split(text, usual, quote)
    delimiter = max(found, key=lambda each: found[each][0])
    return delimiter, found[delimiter][1]


def _split(text: str, delimiter: str, quote: str) -> Rows:
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quotechar=quote)
        return [row for row in reader if row]
    except csv.Error:
        return []


def has_header(rows: Sequence[Sequence[str]]) -> bool:
    """Tell whether the first row names the columns that the others fill."""
    first, body = rows[0], rows[1:]
    if list(first) == [str(number) for number in range(len(first))] and len(first) > 1:
        return True  # what pandas writes for columns without names
    columns = [[row[i] for row in body if i < len(row)] for i in range(len(first))]
    named = [(cell, cells) for cell, cells in zip(first, columns, strict=True) if cell.strip()]
    words = [(cell, cells) for cell, cells in named if not _is_typed(cell)]
    if not words:
        return False
    # A year may be a name, but not above other years.
    others = [(cell, cells) for cell, cells in named if _is_typed(cell)]
    if any(not _YEAR.fullmatch(cell) or _are_mostly(_YEAR, cells) for cell, cells in others):
        return False
    if not body or any(_is_mostly_typed(cells) for _, cells in words):
        return True
    if len(named) < len(first) - (first[0] == ""):  # pandas' index has no name
        return False
    # All are texts: a name is hardly ever a value of its own column.
    repeated = any(cell in cells for cell, cells in named)
    return not repeated and len(set(first)) == len(first)


def _are_mostly(pattern: re.Pattern[str], cells: Sequence[str]) -> bool:
    filled = [cell for cell in cells if cell.strip()]
    return sum(bool(pattern.fullmatch(cell)) for cell in filled) > len(filled) / 2


def _is_typed(cell: str) -> bool:
    return bool(_NUMBER.fullmatch(cell) or _COMMA_NUMBER.fullmatch(cell) or _DATE.fullmatch(cell))


def _is_mostly_typed(cells: Sequence[str]) -> bool:
    filled = [cell for cell in cells if cell.strip() and cell not in _MISSING_WORDS]
    return bool(filled) and sum(map(_is_typed, filled)) > 0.9 * len(filled)


def _names(header: Sequence[str]) -> list[str]:
    return [name or f"Unnamed: {index}" for index, name in enumerate(header)]


def _dialect(text: str, body: Rows, delimiter: str, quote: str) -> dict[str, str]:
    dialect: dict[str, str] = {}
    if quote != '"':
        dialect["quote"] = quote
    if text.partition("\n")[0].endswith("\r"):
        dialect["line_end"] = "crlf"
    fields = [cell for row in body for cell in row]
    if _all_quoted(text, body, delimiter, quote):
        dialect["quoting"] = "all"
    commas = sum(bool(_COMMA_NUMBER.fullmatch(cell)) for cell in fields)
    points = sum("." in cell and bool(_NUMBER.fullmatch(cell)) for cell in fields)
    if delimiter != "," and commas and not points:
        dialect["decimal"] = ","
    null = _null_word(body)
    if null:
        dialect["null"] = null
    return dialect


def _all_quoted(text: str, body: Rows, delimiter: str, quote: str) -> bool:
    if not body or any("\n" in cell or "\r" in cell for row in body for cell in row):
        return False
    lines = [line for line in text.splitlines() if line][-len(body) :]
    return all(
        line.count(f"{quote}{delimiter}{quote}") >= len(row) - 1
        and line.startswith(quote)
        and line.endswith(quote)
        for line, row in zip(lines, body, strict=False)
    )


def _null_word(body: Rows) -> str:
    """Return the word for a missing value, where the file has no empty fields for that."""
    width = max(map(len, body), default=0)
    columns = [[row[i].strip() for row in body if i < len(row)] for i in range(width)]
    if any("" in cells for cells in columns):
        return ""
    votes: Counter[str] = Counter()
    for cells in columns:
        for word in set(cells) & set(_MISSING_WORDS):
            others = [cell for cell in cells if cell != word]
            votes[word] += 2 if others and all(map(_is_typed, others)) else 1
    word, count = votes.most_common(1)[0] if votes else ("", 0)
    return word if count > 1 else ""
