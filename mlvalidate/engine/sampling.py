"""Writes samples of output tables into the run folder, for those who look at them later."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from mlvalidate.core.datasets import BASELINE
from mlvalidate.core.model import Model
from mlvalidate.core.run_folder import StepFolder
from mlvalidate.data.table_samples import TableSample, prepare_frame, write_sample
from mlvalidate.engine.output_tables import OutputTable


class SampledTable(Model):
    """A table of an output whose sample lies at ``stem``, as .parquet and .json."""

    node: str
    port: str
    table: str
    stem: Path
    sample: TableSample
    dataset_name: str = ""
    # Of the columns of the sample.
    null_shares: dict[str, float]


def sample_table(
    node: str, table: OutputTable, folder: StepFolder, redact: Callable[[str], str]
) -> SampledTable:
    """Write the sample of a table, and keep it as a baseline where its dataset asks for that."""
    frame, sample = prepare_frame(table.frames, table.format, table.dataset, redact)
    stem = folder.analysis / table.port / table.name
    write_sample(frame, sample, stem)
    if table.dataset is not None and table.dataset.reference == BASELINE:
        kept = folder.baseline / table.port / table.name
        kept.parent.mkdir(parents=True, exist_ok=True)
        for ending in (".parquet", ".json"):
            os.link(f"{stem}{ending}", f"{kept}{ending}")
    return SampledTable(
        node=node,
        port=table.port,
        table=table.name,
        stem=stem,
        sample=sample,
        dataset_name=table.dataset_name,
        null_shares={name: float(frame[name].isna().sum()) / max(len(frame), 1) for name in frame},
    )
