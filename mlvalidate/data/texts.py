"""Whether texts have the form that a column declares."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mlvalidate.core.columns import Column, Likeness

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from mlvalidate.data.kinds import Mask

# The likenesses that have a form; a name or a city may be any text.
FORMS = {
    Likeness.EMAIL: r"[^@\s]+@[^@\s]+\.[^@\s.]+",
    Likeness.UUID: r"[0-9A-Fa-f]{8}-([0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}",
    Likeness.URL: r"[a-z][a-z0-9+.-]*://\S+",
    Likeness.IPV4: r"((25[0-5]|2[0-4]\d|1?\d?\d)(\.|$)){4}",
}


def malformed(cells: pd.Series, column: Column) -> Mask:
    """Return which texts break the `pattern`, `length` or `like` of their column; none is null.

    Each different text is looked at once.
    """
    import numpy as np
    import pandas as pd

    codes, found = pd.factorize(cells.astype(object))
    texts = [str(text) for text in found]
    wrong = np.zeros(len(texts), dtype=bool)
    for form in _forms(column):
        wrong |= _breaks(texts, form)
    if column.length is not None:
        least, greatest = column.length
        wrong |= np.array([not least <= len(text) <= greatest for text in texts], dtype=bool)
    return np.asarray(wrong[codes], dtype=bool)


def surely_well_formed(texts: pa.ChunkedArray, column: Column) -> bool:
    """Return whether all texts surely have the form of their column; False says nothing."""
    import pyarrow.compute as pc

    for form in _forms(column):
        matches = _match(texts, form)
        if matches is None or not pc.all(matches).as_py():
            return False
    if column.length is not None:
        least, greatest = pc.min_max(pc.utf8_length(texts)).as_py().values()
        return bool(column.length[0] <= least and greatest <= column.length[1])
    return True


def _forms(column: Column) -> list[str]:
    """Return the expressions that texts must match from end to end."""
    forms = (column.pattern, FORMS.get(column.like) if column.like else None)
    return [form for form in forms if form]


def _match(texts: pa.Array | pa.ChunkedArray, form: str) -> pa.Array | pa.ChunkedArray | None:
    """Return which texts RE2 matches from end to end; None where it can't read the form."""
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        return pc.match_substring_regex(texts, f"^(?:{form})$")
    except pa.ArrowException:
        return None


def _breaks(texts: list[str], form: str) -> Mask:
    """Return which texts the form does not match from end to end.

    RE2 goes first: it takes linear time. It knows less than Python's `re`, which has the last word
    on what RE2 refuses.
    """
    import numpy as np
    import pyarrow as pa

    wrong = np.ones(len(texts), dtype=bool)
    try:
        matches = _match(pa.array(texts, pa.large_string()), form)
    except UnicodeEncodeError:
        matches = None
    if matches is not None:
        wrong = ~matches.to_numpy(zero_copy_only=False).astype(bool)
    compiled = re.compile(form)
    for index in np.flatnonzero(wrong):
        wrong[index] = compiled.fullmatch(texts[index]) is None
    return wrong
