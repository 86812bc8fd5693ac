"""Lists and JSON objects as cells."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from mlvalidate.core.columns import Column
from mlvalidate.data.draws import Draws, Values

DEFAULT_ELEMENTS = (0, 5)  # of a list

# Draws so many values of a column.
Draw = Callable[[Column, int, Draws], Values]


def draw_nested(column: Column, size: int, draws: Draws, draw: Draw) -> Values:
    """Return lists of `items` or mappings of `fields`, as Python objects that JSON knows."""
    found = np.empty(size, dtype=object)
    if column.fields is not None:
        members = {name: _cells(each, size, draws, draw) for name, each in column.fields.items()}
        for row in range(size):
            found[row] = {name: cells[row] for name, cells in members.items()}
        return found
    assert column.items is not None
    least, greatest = column.length or DEFAULT_ELEMENTS
    lengths = draws.below(greatest - least + 1, size).astype(np.intp) + least
    ends = np.cumsum(lengths).tolist()
    elements = _cells(column.items, int(lengths.sum()), draws, draw)
    for row, (end, length) in enumerate(zip(ends, lengths.tolist(), strict=True)):
        found[row] = elements[end - length : end]
    return found


def _cells(column: Column, size: int, draws: Draws, draw: Draw) -> list[Any]:
    """Return values as JSON knows them: times are texts, and nulls are None."""
    values = draw(column, size, draws)
    missing = draws.uniform(size) < column.null
    cells = np.datetime_as_string(values).tolist() if values.dtype.kind == "M" else values.tolist()
    return [None if gone else cell for cell, gone in zip(cells, missing, strict=True)]
