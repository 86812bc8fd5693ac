"""Whether texts have the form that a column declares."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mlvalidate.core.columns import Column, Likeness

if TYPE_CHECKING:
    import pandas as pd

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
    for form in filter(None, (column.pattern, FORMS.get(column.like) if column.like else None)):
        wrong |= _breaks(texts, form)
    if column.length is not None:
        least, greatest = column.length
        wrong |= np.array([not least <= len(text) <= greatest for text in texts], dtype=bool)
    return np.asarray(wrong[codes], dtype=bool)


def _breaks(texts: list[str], form: str) -> Mask:
    """Return which texts the form does not match from end to end.

    RE2 goes first: it takes linear time. It knows less than Python's `re`, which has the last word
    on what RE2 refuses.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    wrong = np.ones(len(texts), dtype=bool)
    try:
        matches = pc.match_substring_regex(pa.array(texts, pa.large_string()), f"^(?:{form})$")
    except (pa.ArrowException, UnicodeEncodeError):
        pass
    else:
        wrong = ~matches.to_numpy(zero_copy_only=False).astype(bool)
    compiled = re.compile(form)
    for index in np.flatnonzero(wrong):
        wrong[index] = compiled.fullmatch(texts[index]) is None
    return wrong
