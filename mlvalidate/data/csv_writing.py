"""Writes delimited text: as pandas would, or in another dialect."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from mlvalidate.core.datasets import Dialect
from mlvalidate.data.arrow_tables import as_text, to_arrow
from mlvalidate.data.layout import Layout
from mlvalidate.data.packing import open_packed

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    import pyarrow as pa

    Append = Callable[[pd.DataFrame], None]

ROWS_AT_ONCE = 65_536


@contextmanager
def delimited_writer(path: Path, layout: Layout) -> Iterator[Append]:
    """Open a file and give a function that appends rows; the first call writes the header too.

    Nulls are the dialect's word for them, booleans `True`, times `2020-01-31 13:00:00`. What the
    encoding lacks becomes a question mark. Raises OSError.
    """
    encoder = codecs.getincrementalencoder(layout.dialect.encoding)("replace")
    plain = layout.dialect.encoding == "utf-8"
    with open_packed(path, layout.compression) as file:
        begun = False

        def append(frame: pd.DataFrame) -> None:
            nonlocal begun
            if not begun and layout.header:
                file.write(encoder.encode(_header(frame.columns, layout)))
            begun = True
            for start in range(0, len(frame) if len(frame.columns) else 0, ROWS_AT_ONCE):
                lines = _lines(frame.iloc[start : start + ROWS_AT_ONCE], layout)
                file.write(lines if plain else encoder.encode(str(lines, "utf-8")))

        yield append


def _header(names: Iterable[object], layout: Layout) -> str:
    text = io.StringIO()
    csv.writer(
        text,
        delimiter=layout.delimiter,
        quotechar=layout.dialect.quote,
        quoting=csv.QUOTE_ALL if layout.dialect.quoting == "all" else csv.QUOTE_MINIMAL,
        lineterminator=layout.line_end,
    ).writerow(list(names))
    return text.getvalue()


def _lines(frame: pd.DataFrame, layout: Layout) -> memoryview:
    import pyarrow as pa
    import pyarrow.compute as pc

    dialect = layout.dialect
    columns = [frame.iloc[:, index] for index in range(frame.shape[1])]
    fields = [_field(to_arrow(column), dialect, layout.delimiter) for column in columns]
    if len(fields) == 1:
        # A line without any character would be taken for no line at all.
        blank = pc.equal(fields[0], "")
        fields = [pc.if_else(blank, pa.scalar(dialect.quote * 2, pa.large_string()), fields[0])]
    separator, end, nothing = (
        pa.scalar(text, pa.large_string()) for text in (layout.delimiter, layout.line_end, "")
    )
    line = pc.binary_join_element_wise(*fields, separator)
    lines = pc.binary_join_element_wise(line, end, nothing)
    return memoryview(lines.buffers()[2])


def _field(array: pa.Array, dialect: Dialect, delimiter: str) -> pa.Array:
    """Return a column's cells as they stand between the delimiters."""
    import pyarrow as pa
    import pyarrow.compute as pc

    texts = as_text(array)
    if dialect.decimal != "." and (
        pa.types.is_floating(array.type) or pa.types.is_decimal(array.type)
    ):
        texts = pc.replace_substring(texts, ".", dialect.decimal)
    if dialect.quoting == "all":
        return _in_quotes(pc.fill_null(texts, dialect.null), dialect.quote)
    if _may_need_quotes(array.type, dialect):
        texts = _quoted(texts, dialect.quote, delimiter)
    return pc.fill_null(texts, dialect.null)


def _may_need_quotes(kind: pa.DataType, dialect: Dialect) -> bool:
    """Tell whether some cells may hold a delimiter, quote or line end: usual numbers do not."""
    import pyarrow as pa

    usual = dialect == Dialect()
    numeric = pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_boolean(kind)
    return not (usual and numeric)


def _quoted(texts: pa.Array, quote: str, delimiter: str) -> pa.Array:
    import pyarrow.compute as pc

    special = pc.match_substring_regex(texts, f"[{re.escape(quote + delimiter)}\r\n]")
    if not pc.any(special).as_py():
        return texts
    return pc.if_else(special, _in_quotes(texts, quote), texts)


def _in_quotes(texts: pa.Array, quote: str) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    mark, nothing = (pa.scalar(text, pa.large_string()) for text in (quote, ""))
    doubled = pc.replace_substring(texts, quote, quote * 2)
    return pc.binary_join_element_wise(mark, doubled, mark, nothing)
