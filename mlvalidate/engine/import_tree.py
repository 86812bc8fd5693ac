"""Arranges the imports of several scripts in a tree, so that what they share is imported once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

Modules = tuple[str, ...]


def arrange(wanted: Sequence[Modules]) -> dict[Modules, Modules]:
    """Return for each list of modules the order in which they are imported.

    What most scripts import comes first, otherwise the order stays.
    """
    counts = Counter(module for modules in wanted for module in dict.fromkeys(modules))
    first = {module: number for number, module in enumerate(counts)}
    return {
        modules: tuple(sorted(set(modules), key=lambda name: (-counts[name], first[name])))
        for modules in wanted
    }


def stages(paths: Sequence[Modules]) -> dict[Modules, Modules]:
    """Return the points of the tree at which a process is needed, each with the one before it.

    These are the ends of the paths and the points where paths part; the beginning `()` is left out.
    Earlier paths come first, and every point comes after the one that it goes on from.
    """
    following: dict[Modules, set[str]] = {}
    for path in paths:
        for depth, module in enumerate(path):
            following.setdefault(path[:depth], set()).add(module)
    kept = {*paths, *(start for start, modules in following.items() if len(modules) > 1)}
    found: dict[Modules, Modules] = {}
    for path in paths:
        before: Modules = ()
        for depth in range(1, len(path) + 1):
            if path[:depth] in kept:
                found.setdefault(path[:depth], before)
                before = path[:depth]
    return found
