"""Parses Python, in one thread at a time."""

from __future__ import annotations

import ast
import threading

# CPython up to 3.12 counts the depth of a tree for all threads together, and raises SystemError
# when two parse at once: https://github.com/python/cpython/issues/106905
_LOCK = threading.Lock()


def parse_python(source: str | bytes) -> ast.Module:
    """Return the tree of a module, see `ast.parse` for what it raises."""
    with _LOCK:
        return ast.parse(source)


def parse_python_expression(source: str) -> ast.Expression:
    """Return the tree of one expression, see `ast.parse` for what it raises."""
    with _LOCK:
        return ast.parse(source, mode="eval")


def evaluate_literal(source: str) -> object:
    """Return the value of a literal, see `ast.literal_eval` for what it raises."""
    with _LOCK:
        return ast.literal_eval(source)
