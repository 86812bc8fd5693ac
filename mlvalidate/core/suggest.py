"""Did-you-mean: the nearest of the names that exist."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(name: str, candidates: Iterable[str]) -> str | None:
    """Return the candidate that ``name`` most likely stands for, or None."""
    by_folded = {candidate.lower(): candidate for candidate in candidates}
    found = difflib.get_close_matches(name.lower(), by_folded, n=1, cutoff=0.6)
    return by_folded[found[0]] if found else None


def did_you_mean(name: str, candidates: Iterable[str]) -> str:
    """Return ``did you mean 'x'?``, or the list of what exists, or an empty text."""
    known = sorted(set(candidates))
    found = nearest(name, known)
    if found:
        return f"did you mean {found!r}?"
    if known and len(known) <= 12:
        return "there is " + ", ".join(repr(candidate) for candidate in known)
    return ""
