"""How a table stands in a file: what a dataset says about it, or what is usual."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mlvalidate.core.datasets import Compression, Dataset, Dialect, FileFormat
from mlvalidate.data.kinds import holds_text, is_delimited
from mlvalidate.data.packing import promised_compression

_DELIMITERS = {FileFormat.CSV: ",", FileFormat.TSV: "\t"}
_CODECS: dict[Compression | None, str] = {
    Compression.NONE: "none",
    Compression.GZIP: "gzip",
    Compression.ZSTD: "zstd",
}
_USUAL = Dialect()


@dataclass(frozen=True)
class Layout:
    """How one file is written and read. Parquet has a ``codec`` inside, and nothing of the rest.

    ``names`` are the columns of a file without a header, in order; ``texts`` those that are read
    as text.
    """

    format: FileFormat
    compression: Compression = Compression.NONE
    header: bool = True
    dialect: Dialect = _USUAL
    names: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    codec: str = "snappy"

    @property
    def delimiter(self) -> str:
        return self.dialect.delimiter or _DELIMITERS[self.format]

    @property
    def line_end(self) -> str:
        return "\r\n" if self.dialect.line_end == "crlf" else "\n"


def layout_of(path: Path, format: FileFormat, dataset: Dataset | None = None) -> Layout:
    """Return the layout of a file: as ``dataset`` declares, else by its name and as is usual."""
    declared = dataset.compression if dataset else None
    if format is FileFormat.PARQUET:
        return Layout(format, codec=_CODECS.get(declared, "snappy"))
    compression = declared or promised_compression(path)
    if dataset is None or not is_delimited(format):
        return Layout(format, compression)
    return Layout(
        format,
        compression,
        dataset.header,
        dataset.dialect,
        tuple(dataset.columns),
        tuple(name for name, column in dataset.columns.items() if holds_text(column)),
    )
