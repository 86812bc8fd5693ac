"""Parses Python, in one thread at a time."""

from __future__ import annotations

import ast
import threading
from functools import lru_cache

# CPython up to 3.12 counts the depth of a tree for all threads together, and raises SystemError
# when two parse at once: https://github.com/python/cpython/issues/106905
_LOCK = threading.Lock()


def parse_python(source: bytes) -> ast.Module:
    """Return the tree of a module, see `ast.parse` for what it raises.

    It is not to be changed: whoever asks for the same module again is given the same tree.
    """
    with _LOCK:
        return _parse(source)


# What a script does at its start, its contract and its hash are all read off the same files.
@lru_cache(maxsize=32)
def _parse(source: bytes) -> ast.Module:
    return ast.parse(source)


def parse_python_expression(source: str) -> ast.Expression:
    """Return the tree of one expression, see `ast.parse` for what it raises."""
    with _LOCK:
        return ast.parse(source, mode="eval")


def evaluate_literal(source: str) -> object:
    """Return the value of a literal, see `ast.literal_eval` for what it raises."""
    with _LOCK:
        return ast.literal_eval(source)
