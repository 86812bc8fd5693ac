"""What a caller can choose about the inference of a dataset."""

from __future__ import annotations

from dataclasses import dataclass

from mlvalidate.core.datasets import FileFormat


@dataclass(frozen=True)
class InferenceOptions:
    """How a dataset is inferred.

    At most ``rows`` rows are looked at, drawn with ``seed``. What fewer than ``rarest`` rows have
    is not repeated. ``format`` overrides what the name of the file says.
    """

    rows: int = 100_000
    rarest: int = 5
    correlations: bool = True
    seed: int = 0
    format: FileFormat | None = None
