"""Trees of Python, in one thread and in several."""

from __future__ import annotations

import ast
import gc
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from mlvalidate.core.python_source import evaluate_literal, parse_python, parse_python_expression


def test_what_ast_says() -> None:
    assert ast.dump(parse_python(b"x = 1")) == ast.dump(ast.parse("x = 1"))
    assert ast.dump(parse_python_expression("a < 2")) == ast.dump(ast.parse("a < 2", mode="eval"))
    assert evaluate_literal("{'a': [1]}") == {"a": [1]}
    with pytest.raises(SyntaxError):
        parse_python("x =")


def test_threads_parse_at_once() -> None:
    source = "\n".join(f"def f{n}(a, b=({n}, [{n}])): return [a for _ in b]" for n in range(30))
    limits = gc.get_threshold()

    def let_others_go_on(*_about: object) -> None:
        time.sleep(0)

    # A collection in the middle of making a tree is when another thread may run.
    gc.callbacks.append(let_others_go_on)
    gc.set_threshold(200)
    try:
        with ThreadPoolExecutor(4) as threads:
            trees = list(threads.map(parse_python, [source] * 40))
    finally:
        gc.set_threshold(*limits)
        gc.callbacks.remove(let_others_go_on)
    assert {len(tree.body) for tree in trees} == {30}
