"""Reads delimited text with Arrow, part by part, in one of two ways."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import IO, TYPE_CHECKING, Any

from mlvalidate.data.kinds import NULL_WORDS
from mlvalidate.data.layout import Layout

if TYPE_CHECKING:
    import pyarrow as pa

Parts = Callable[[IO[bytes], Layout, int, dict[str, Any]], "Iterator[pa.Table]"]

_CUT_BYTES = 2**25
_BLOCKS_AT_ONCE = 32


class UncutError(Exception):
    """The bytes of a text don't tell where its rows end."""


def cut_parts(
    file: IO[bytes], layout: Layout, block: int, types: dict[str, Any]
) -> Iterator[pa.Table]:
    """Yield tables of whole rows; the columns have ``types``, or else those of the first part.

    Arrow reads a part on all cores, where it streams on one. Raises UncutError, and ArrowInvalid
    also for a file that can be streamed: one with a quote inside of a field may be cut in a row.
    """
    import pyarrow as pa
    import pyarrow.csv as pa_csv

    quote = _one_byte(layout, layout.dialect.quote)
    _one_byte(layout, "\n")
    options = arrow_options(layout, block, types)
    is_first, rest = True, b""
    while (text := file.read(_CUT_BYTES)) or rest:
        is_last = len(text) < _CUT_BYTES
        text = rest + text
        end = len(text) if is_last else _end_of_rows(text, quote)
        text, rest = text[:end], text[end:]
        if not (is_first or text.strip(b"\r\n")):
            continue
        options["parse_options"].newlines_in_values = quote in text
        table = pa_csv.read_csv(pa.BufferReader(text), **options)
        yield table
        if is_first and not is_last:
            options = _options_after(table.schema, layout, block)
            is_first = False


def _one_byte(layout: Layout, mark: str) -> bytes:
    encoded = mark.encode(layout.dialect.encoding)
    if len(encoded) != 1:
        raise UncutError
    return encoded


def _end_of_rows(text: bytes, quote: bytes) -> int:
    """Return where the last whole row ends: before it is an even number of quotes."""
    quotes, end = text.count(quote), len(text)
    while (at := text.rfind(b"\n", 0, end)) > 0:
        quotes -= text.count(quote, at, end)
        if quotes % 2 == 0:
            return at + 1
        end = at
    raise UncutError


def _options_after(schema: pa.Schema, layout: Layout, block: int) -> dict[str, Any]:
    """Return how the parts after the first are read."""
    # Columns that share a name can't have types of their own. A row of one column may be cut in
    # two that look like rows.
    if len(set(schema.names)) < max(len(schema.names), 2):
        raise UncutError
    options = arrow_options(layout, block, dict(zip(schema.names, schema.types, strict=True)))
    options["read_options"].column_names = schema.names
    return options


def streamed_parts(
    file: IO[bytes], layout: Layout, block: int, types: dict[str, Any]
) -> Iterator[pa.Table]:
    """Yield tables as `cut_parts` does, of any text that Arrow can read at all."""
    import pyarrow as pa
    import pyarrow.csv as pa_csv

    reader = pa_csv.open_csv(file, **arrow_options(layout, block, types))
    yield reader.schema.empty_table()
    while batches := list(islice(reader, _BLOCKS_AT_ONCE)):
        yield pa.Table.from_batches(batches)


def arrow_options(layout: Layout, block: int, types: dict[str, Any]) -> dict[str, Any]:
    """Return how Arrow reads a file; columns without a type in ``types`` are inferred."""
    import pyarrow.csv as pa_csv

    dialect = layout.dialect
    return {
        "read_options": pa_csv.ReadOptions(
            block_size=block,
            encoding=dialect.encoding,
            column_names=None if layout.header else list(layout.names),
        ),
        "parse_options": pa_csv.ParseOptions(
            delimiter=layout.delimiter, quote_char=dialect.quote, newlines_in_values=True
        ),
        "convert_options": pa_csv.ConvertOptions(
            column_types=types,
            null_values=[*NULL_WORDS, dialect.null],
            strings_can_be_null=False,
            decimal_point=dialect.decimal,
        ),
    }
