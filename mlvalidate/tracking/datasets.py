"""The tables that a step read and wrote, as MLflow's dataset inputs.

Made from the summaries that the engine took: `mlflow.data.from_pandas` takes seconds for a large
table, and its digest overlooks changes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from mlvalidate.core.results import FileSummary, PortSummary, StepResult
from mlvalidate.tracking import limits

# What MLflow calls the types, by how pandas and Arrow name theirs.
_TYPES = (
    (re.compile(r"u?int(8|16|32)\b", re.IGNORECASE), "integer"),
    (re.compile(r"u?int", re.IGNORECASE), "long"),
    (re.compile(r"float(16|32)|^float$|halffloat", re.IGNORECASE), "float"),
    (re.compile(r"float|double|decimal", re.IGNORECASE), "double"),
    (re.compile(r"bool", re.IGNORECASE), "boolean"),
    (re.compile(r"date|timestamp", re.IGNORECASE), "datetime"),
    (re.compile(r"binary|bytes", re.IGNORECASE), "binary"),
)


@dataclass(frozen=True)
class DatasetUse:
    """One table in the hands of a step.

    The producer's output and the consumer's input are equal in name and digest, so that a search
    by them finds both ends.
    """

    name: str
    digest: str
    source: str
    schema: str
    profile: str
    context: str


def dataset_uses(result: StepResult) -> tuple[DatasetUse, ...]:
    """Return the tables of a step, each once: MLflow keeps one use per run of equal content."""
    uses: dict[tuple[str, str], DatasetUse] = {}
    for context, port, file in _tables(result):
        use = _use(context, port, file)
        known = uses.get((use.name, use.digest))
        if known and context not in known.context.split(","):
            use = replace(known, context=f"{known.context},{context}")
        elif known:
            continue
        uses[use.name, use.digest] = use
    return tuple(uses.values())


def _tables(result: StepResult) -> Iterator[tuple[str, PortSummary, FileSummary]]:
    for context, ports in (("input", result.inputs), ("output", result.outputs)):
        for port in ports:
            for file in port.files:
                if file.columns is not None and file.digest:
                    yield context, port, file


def _use(context: str, port: PortSummary, file: FileSummary) -> DatasetUse:
    columns = [(name, _mlflow_type(kind)) for name, kind in (file.columns or {}).items()]
    return DatasetUse(
        name=limits.dataset_name(file.dataset or f"{port.port}/{file.name}"),
        digest=limits.dataset_digest(file.digest),
        source=json.dumps({"uri": limits.clean_text(f"{port.path}/{file.name}")}),
        schema=limits.dataset_schema(columns),
        profile=json.dumps({"num_rows": file.rows, "size_bytes": file.size_bytes}),
        context=context,
    )


def _mlflow_type(kind: str) -> str:
    return next((name for pattern, name in _TYPES if pattern.search(kind)), "string")
