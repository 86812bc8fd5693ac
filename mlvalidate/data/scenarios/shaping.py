"""Makes the data of a case: a standard table, shaped, written to files, and perhaps damaged."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from mlvalidate.core.datasets import Dataset
from mlvalidate.core.scenarios import Case, Expectation, Scenario
from mlvalidate.data.family import Family

if TYPE_CHECKING:
    import pandas as pd

LARGE_FACTOR, LARGE_ROWS = 20, 100_000


def rows_of(case: Case, dataset: Dataset, rows: int | None) -> int:
    """Return how many rows a case has; ``rows`` is what the user wants, if anything."""
    if case.scenario is Scenario.EMPTY:
        return 0
    if case.name == "edge.one_row":
        return 1
    if case.scenario is Scenario.LARGE and rows is None:
        return max(LARGE_FACTOR * dataset.rows, LARGE_ROWS)
    wanted = dataset.rows if rows is None else rows
    # A fault needs a row to be in, and a key can't occur twice in one.
    least = {Scenario.DUPLICATE_KEYS: 2}.get(case.scenario, 1)
    return max(wanted, least) if case.usual_expectation is Expectation.REJECT else wanted


def family_of(case: Case, family: Family) -> Family:
    """Return the datasets to which foreign keys refer, with as many rows as they have in a case."""
    if case.name == "edge.one_row":
        return Family(family.datasets, 1)
    if case.scenario is not Scenario.LARGE or family.rows is not None:
        return family
    return Family(
        {
            name: dataset.model_copy(update={"rows": rows_of(case, dataset, None)})
            for name, dataset in family.datasets.items()
        }
    )


def shape(
    dataset: Dataset, name: str, *, case: Case, rows: int | None, seed: int, family: Family
) -> pd.DataFrame:
    """Return the table of a case, which is applicable to the dataset; files are not damaged yet.

    ``rows`` (default: as dataset and case say) and ``seed`` are those of standard data: but for
    what the case is about, and rows that would break a rule, it is the same table.

    Raises UnsatisfiableSchema.
    """
    from mlvalidate.data.draws import Draws
    from mlvalidate.data.scenarios.outside import break_table
    from mlvalidate.data.scenarios.within import shape_within
    from mlvalidate.data.synthesis import generate, mend

    size = rows_of(case, dataset, rows)
    draws = partial(Draws, seed, name, case.name)
    frame = generate(dataset, size, seed, name, family_of(case, family))
    shape_within(frame, dataset, case, draws)
    return break_table(mend(frame, dataset, seed, name), dataset, case, draws)


def write_case(
    dataset: Dataset,
    name: str,
    files: Sequence[Path],
    *,
    case: Case,
    rows: int | None,
    seed: int,
    family: Family,
) -> dict[Path, int]:
    """Write the table of a case into ``files``; return them with the rows that were put there.

    As `write_dataset`; of several files the last one is damaged.
    """
    from mlvalidate.data.generation import write_dataset, write_frame
    from mlvalidate.data.scenarios.corruption import corrupt_file

    if case.scenario in (Scenario.STANDARD, Scenario.LARGE):
        size, family = rows_of(case, dataset, rows), family_of(case, family)
        return write_dataset(dataset, name, files, rows=size, seed=seed, family=family)
    frame = shape(dataset, name, case=case, rows=rows, seed=seed, family=family)
    written = write_frame(frame, dataset, files)
    corrupt_file(files[-1], dataset, case)
    return written
