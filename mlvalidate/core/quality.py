"""What the tables of an output port look like, and how far they are from a reference.

Figures take their names from here: `quality.<port>.<name>` and `drift.<port>.<name>`, and with
`column_figures` of a dataset also `quality.<port>.null_share.<column>` and
`drift.<port>.score.<column>`.
"""

from __future__ import annotations

from pydantic import Field

from mlvalidate.core.columns import DriftTest
from mlvalidate.core.model import Model

QUALITY_FIGURES = ("columns", "null_share", "duplicate_share", "constant_columns")
DRIFT_FIGURES = ("share", "columns")


class Quality(Model):
    """The tables of a port, summed up; shares are from 0 to 1.

    ``columns`` counts each name once, however many files have it. ``duplicate_share`` is that of
    rows that repeat an earlier row of their file, ``constant_columns`` counts the columns that
    hold one value, or none, in all rows of a file. ``null_shares`` has the columns of datasets
    that ask for figures of their columns.
    """

    columns: int
    null_share: float
    duplicate_share: float
    constant_columns: int
    null_shares: dict[str, float] = Field(default_factory=dict)

    @property
    def figures(self) -> dict[str, float]:
        """Every number by its name."""
        return {
            **{name: float(getattr(self, name)) for name in QUALITY_FIGURES},
            **{f"null_share.{column}": share for column, share in self.null_shares.items()},
        }


class ColumnDrift(Model):
    """One column against its reference.

    ``score`` is what ``test`` came to, a p-value or a distance, against ``threshold``. ``p_value``
    says how easily chance alone makes such a difference; None where the column has a threshold of
    its own, which then decides alone. ``null_shares`` are those of the reference and of the output.
    ``reason`` says why values were not compared.
    """

    column: str
    dataset: str = ""
    test: str = ""
    score: float | None = None
    threshold: float | None = None
    p_value: float | None = None
    drifted: bool = False
    null_shares: tuple[float, float] = (0.0, 0.0)
    null_p_value: float | None = None
    nulls_drifted: bool = False
    reason: str = ""

    @property
    def is_compared(self) -> bool:
        """True when its values were compared, or its share of missing ones has drifted."""
        return self.score is not None or self.nulls_drifted

    @property
    def is_p_value(self) -> bool:
        """True when ``score`` is a p-value, and no distance."""
        return bool(self.test) and DriftTest(self.test).is_p_value

    @property
    def has_drifted(self) -> bool:
        """True when its values have drifted, or its share of missing values."""
        return self.drifted or self.nulls_drifted


class Drift(Model):
    """A port against the references that its datasets declare.

    ``problems`` has a line for each table that was not compared at all, ``fault`` says what kept
    mlvalidate from comparing.
    """

    references: tuple[str, ...] = ()
    columns: tuple[ColumnDrift, ...] = ()
    problems: tuple[str, ...] = ()
    fault: str = ""
    scores_shown: bool = False

    @property
    def compared(self) -> tuple[ColumnDrift, ...]:
        """The columns about which something can be said."""
        return tuple(column for column in self.columns if column.is_compared)

    @property
    def drifted(self) -> tuple[ColumnDrift, ...]:
        return tuple(column for column in self.columns if column.has_drifted)

    @property
    def share(self) -> float | None:
        """Share of the compared columns that have drifted; None when none was compared."""
        return len(self.drifted) / len(self.compared) if self.compared else None

    @property
    def figures(self) -> dict[str, float]:
        """Every number by its name; none when nothing was compared."""
        if self.share is None:
            return {}
        scores = {f"score.{c.column}": c.score for c in self.compared if c.score is not None}
        return {
            "share": self.share,
            "columns": float(len(self.drifted)),
            **(scores if self.scores_shown else {}),
        }
