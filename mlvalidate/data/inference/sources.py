"""Reads files of any declared format, without knowing a dataset: all rows, or a sample of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from mlvalidate.core.datasets import Compression, FileFormat
from mlvalidate.core.errors import UsageError
from mlvalidate.data.arrow_tables import to_frame
from mlvalidate.data.csv_files import reason
from mlvalidate.data.errors import UnreadableFile
from mlvalidate.data.files import guess_format, read_table
from mlvalidate.data.inference.sampling import RowSample
from mlvalidate.data.inference.sniffing import Sniffed, sniff
from mlvalidate.data.json_files import read_lines
from mlvalidate.data.packing import (
    BROKEN,
    find_compression,
    open_unpacked,
    promised_compression,
)
from mlvalidate.data.parquet_files import UNNAMED_INDEX
from mlvalidate.data.tables_in_folders import find_tables

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

SNIFFED_BYTES = 2**20
_BLOCK_BYTES = 2**24
_LINES_AT_ONCE = 10_000
_USUAL_DELIMITERS = {FileFormat.CSV: ",", FileFormat.TSV: "\t"}


@dataclass(frozen=True)
class Source:
    """What was read. ``dates`` are the columns that the format calls dates, None if it can't."""

    files: tuple[Path, ...]
    format: FileFormat
    frame: pd.DataFrame
    total: int
    sniffed: Sniffed | None = None
    compression: Compression | None = None
    dates: frozenset[str] | None = None

    @property
    def is_sampled(self) -> bool:
        return len(self.frame) < self.total


def read_source(path: Path, format: FileFormat | None, limit: int, seed: int) -> Source:
    """Read a file or the shards in a folder, at most ``limit`` rows drawn with ``seed``.

    UsageError, which names the file, when it can't be read as a table.
    """
    files = find_tables(path)
    found = format or guess_format(files[0])
    if found is None:
        raise UsageError(
            f"{path}: the name does not say what the file is", "say it, for example --format csv"
        )
    sample = RowSample(limit, seed)
    if found is FileFormat.PARQUET:
        return _read_parquet(files, sample)
    with _blaming(files[0]):
        compression = find_compression(files[0])
    if found is FileFormat.JSONL:
        source = _read_lines(files, sample, compression)
    elif found is FileFormat.JSON:
        source = _read_json(files, sample)
    else:
        source = _read_delimited(files, found, sample, compression)
    if compression is promised_compression(files[0]):
        return source
    return replace(source, compression=compression)


@contextmanager
def _blaming(file: Path) -> Iterator[None]:
    """Turn what goes wrong while a file is read into an error that names it."""
    import pyarrow as pa

    try:
        yield
    except UnreadableFile as error:
        raise UsageError(f"{file}: {error}") from None
    except (pa.ArrowException, UnicodeDecodeError, *BROKEN) as error:
        raise UsageError(f"{file}: it can't be read: {reason(error)}") from None


def _read_delimited(
    files: tuple[Path, ...], format: FileFormat, sample: RowSample, compression: Compression
) -> Source:
    sniffed = None
    for file in files:
        with _blaming(file):
            with open_unpacked(file, compression) as stream:
                start = stream.read(SNIFFED_BYTES)
            whole = len(start) < SNIFFED_BYTES
            found = sniff(start, whole, _USUAL_DELIMITERS[format])
            sniffed = sniffed or found
            if found.names != sniffed.names:
                raise UnreadableFile(f"it has other columns than {files[0].name}")
            try:
                _add_delimited(file, sniffed, sample, compression)
            except UnicodeDecodeError:
                raise UnreadableFile(f"not {sniffed.encoding} from end to end") from None
    assert sniffed is not None
    table = sample.rows()
    frame = _text_frame(table, sniffed.names)
    return Source(files, format, frame, sample.total, sniffed)


def _add_delimited(
    file: Path, sniffed: Sniffed, sample: RowSample, compression: Compression
) -> None:
    import pyarrow as pa
    import pyarrow.csv as pa_csv

    names = [str(index) for index in range(len(sniffed.names))]
    with open_unpacked(file, compression) as stream:
        try:
            reader = pa_csv.open_csv(
                stream,
                read_options=pa_csv.ReadOptions(
                    block_size=_BLOCK_BYTES,
                    encoding=sniffed.encoding,
                    column_names=names,
                    skip_rows_after_names=int(sniffed.header),
                ),
                parse_options=pa_csv.ParseOptions(
                    delimiter=sniffed.delimiter, quote_char=sniffed.quote, newlines_in_values=True
                ),
                convert_options=pa_csv.ConvertOptions(
                    column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
                ),
            )
        except pa.ArrowInvalid as error:
            if "Empty CSV file" in str(error):  # nothing but a header
                return
            raise
        for batch in reader:
            sample.add(pa.Table.from_batches([batch]))


def _text_frame(table: pa.Table | None, names: tuple[str, ...]) -> pd.DataFrame:
    import pandas as pd

    if table is None:
        return pd.DataFrame({name: pd.Series([], dtype=object) for name in names})
    columns = [column.to_pandas().astype(object) for column in table.columns]
    frame = pd.concat(columns, axis="columns")
    return frame.set_axis(list(names), axis="columns")


def _read_parquet(files: tuple[Path, ...], sample: RowSample) -> Source:
    import pyarrow as pa
    import pyarrow.parquet as pq

    dates: frozenset[str] = frozenset()
    first: pa.Schema | None = None
    for file in files:
        with _blaming(file), pq.ParquetFile(file) as reader:
            schema = reader.schema_arrow
            first = first or schema
            if schema.names != first.names:
                raise UnreadableFile(f"it has other columns than {files[0].name}")
            dates |= {field.name for field in schema if pa.types.is_date(field.type)}
            for batch in reader.iter_batches():
                sample.add(pa.Table.from_batches([batch]))
    assert first is not None
    with _blaming(files[0]):
        table = sample.rows()
        frame = to_frame(table if table is not None else first.empty_table())
    kept = [name for name in frame.columns if not UNNAMED_INDEX.fullmatch(str(name))]
    return Source(files, FileFormat.PARQUET, frame[kept], sample.total, dates=dates)


def _read_lines(files: tuple[Path, ...], sample: RowSample, compression: Compression) -> Source:
    import pandas as pd
    import pyarrow as pa

    for file in files:
        with _blaming(file), open_unpacked(file, compression) as stream:
            while lines := list(islice(stream, _LINES_AT_ONCE)):
                filled = [line for line in lines if line.strip()]
                sample.add(pa.table({"line": pa.array(filled, pa.binary())}))
    table = sample.rows()
    with _blaming(files[0]):
        texts = [] if table is None else table["line"].to_pylist()
        records = read_lines(b"\n".join(text.strip() for text in texts).decode("utf-8-sig"))
        frame = pd.DataFrame(records)
    return Source(files, FileFormat.JSONL, _named(frame, files[0]), sample.total)


def _read_json(files: tuple[Path, ...], sample: RowSample) -> Source:
    import pandas as pd
    import pyarrow as pa

    frames = []
    for file in files:
        with _blaming(file):
            frames.append(read_table(file, FileFormat.JSON))
    frame = pd.concat(frames, ignore_index=True)
    sample.add(pa.table({"row": range(len(frame))}))
    table = sample.rows()
    assert table is not None
    chosen = frame.take(table["row"].to_numpy()).reset_index(drop=True)
    return Source(files, FileFormat.JSON, _named(chosen, files[0]), sample.total)


def _named(frame: pd.DataFrame, file: Path) -> pd.DataFrame:
    if not len(frame.columns):
        raise UsageError(f"{file}: it has no columns")
    return frame.set_axis([str(name) for name in frame.columns], axis="columns")
