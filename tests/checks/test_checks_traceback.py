"""Reading exceptions out of what a script wrote to stderr."""

from __future__ import annotations

from pathlib import Path

import pytest
from checks_evidence import run_alone
from hypothesis import given
from hypothesis import strategies as st

from mlvalidate.checks.traceback import Frame, PythonError, parse_python_error


def crash(folder: Path, text: str) -> PythonError:
    error = parse_python_error(run_alone(folder, text).stderr)
    assert error is not None
    return error


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        ("raise ValueError('a: b')", "ValueError", "a: b"),
        ("raise ValueError", "ValueError", ""),
        ("raise ValueError('one\\ntwo\\n\\nfour')", "ValueError", "one\ntwo"),
        ("{}['it']", "KeyError", "'it'"),
        ("import json\njson.loads('{')", "JSONDecodeError", None),
        ("class Bad(Exception): pass\nraise Bad('x')", "Bad", "x"),
        ("def f():\n  class Bad(Exception): pass\n  raise Bad('x')\nf()", "Bad", "x"),
        ("e = ValueError('bad')\ne.add_note('in row 7')\nraise e", "ValueError", "bad\nin row 7"),
        ("def f(): f()\nf()", "RecursionError", None),
        (
            "raise ExceptionGroup('all', [ValueError('one'), KeyError('two')])",
            "ExceptionGroup",
            "all (2 sub-exceptions)\nValueError: one\nKeyError: 'two'",
        ),
    ],
)
def test_type_and_message(tmp_path: Path, text: str, kind: str, message: str | None) -> None:
    error = crash(tmp_path, text)
    assert error.type == kind
    assert message is None or error.message == message
    assert error.location is not None
    assert error.location.startswith(f"{tmp_path}/alone.py:")


def test_the_members_of_a_task_group(tmp_path: Path) -> None:
    error = crash(
        tmp_path,
        """
        import asyncio
        async def bad(): raise ValueError("one")
        async def main():
            async with asyncio.TaskGroup() as group:
                group.create_task(bad())
        asyncio.run(main())
        """,
    )
    assert (error.type, error.location) == ("ExceptionGroup", f"{tmp_path}/alone.py:5")
    assert error.message.splitlines()[1:] == ["ValueError: one"]


@pytest.mark.parametrize("text", ["x = 1\ndef f(:\n", "x = 1\n  y = 2\n", "if x:\n\ty\n        z"])
def test_a_script_that_does_not_compile(tmp_path: Path, text: str) -> None:
    error = crash(tmp_path, text)
    assert error.type in ("SyntaxError", "IndentationError", "TabError")
    assert error.location is not None
    assert error.location.startswith(f"{tmp_path}/alone.py:")
    assert error.frames[0].function == ""


def test_an_import_that_does_not_compile(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("x = (\n")
    error = crash(tmp_path, f"import sys\nsys.path.insert(0, {str(tmp_path)!r})\nimport broken")
    assert (error.type, error.location) == ("SyntaxError", f"{tmp_path}/broken.py:1")


def test_chained_exceptions(tmp_path: Path) -> None:
    error = crash(
        tmp_path,
        """
        try:
            try:
                1 / 0
            except ZeroDivisionError:
                {}["x"]
        except KeyError as cause:
            raise RuntimeError("gave up") from cause
        """,
    )
    assert error.type == "RuntimeError"
    assert error.cause is not None
    assert error.cause.type == "KeyError"
    assert error.cause.cause is not None
    assert error.cause.cause.type == "ZeroDivisionError"
    assert error.cause.cause.cause is None


def test_an_earlier_exception_that_was_only_logged_is_no_cause(tmp_path: Path) -> None:
    error = crash(
        tmp_path,
        """
        import logging
        try:
            1 / 0
        except ZeroDivisionError:
            logging.exception("never mind")
        raise ValueError("real")
        """,
    )
    assert (error.type, error.cause, error.after) == ("ValueError", None, ())


def test_what_follows_a_logged_exception_is_kept_apart(tmp_path: Path) -> None:
    error = crash(
        tmp_path,
        """
        import logging, sys
        try:
            int("x")
        except ValueError:
            logging.exception("it failed")
        logging.error("giving up")
        sys.exit(1)
        """,
    )
    assert error.message == "invalid literal for int() with base 10: 'x'"
    assert error.after == ("ERROR:root:giving up",)


def test_what_follows_a_key_error_is_not_its_message(tmp_path: Path) -> None:
    error = crash(
        tmp_path,
        "import atexit, sys\natexit.register(lambda: print('bye', file=sys.stderr))\n{}['x']",
    )
    assert (error.message, error.after) == ("'x'", ("bye",))


def test_a_warning_after_the_traceback_is_not_the_message(tmp_path: Path) -> None:
    error = crash(
        tmp_path,
        "import atexit, warnings\natexit.register(lambda: warnings.warn('late'))\n"
        "raise ValueError('x')",
    )
    assert error.message == "x"


def test_a_script_that_only_says_goodbye(tmp_path: Path) -> None:
    assert parse_python_error(run_alone(tmp_path, "import sys\nsys.exit('no data')").stderr) is None


@pytest.mark.parametrize(
    ("file", "own"),
    [
        ("/project/train.py", True),
        ("train.py", True),
        ("/opt/ml/code/train.py", True),
        ("/usr/lib/python3.11/json/decoder.py", False),
        ("/home/me/.venv/lib/python3.11/site-packages/pandas/core/frame.py", False),
        ("/usr/lib/python3/dist-packages/numpy/x.py", False),
        ("<frozen os>", False),
        ("<string>", False),
        ("<__array_function__ internals>", False),
        ("pandas/_libs/parsers.pyx", False),
        ("pyarrow/error.pxi", False),
        ("/opt/mlvalidate/call_main.py", False),
        ("/runs/x/steps/y/harness/call_main.py", False),
        ("/runs/x/steps/y/harness/site/sitecustomize.py", False),
        ("/project/harness/train.py", True),
    ],
)
def test_whose_code_a_frame_is(file: str, own: bool) -> None:
    assert Frame(file, 1, "f").is_user_code is own


def test_no_location_without_a_frame_of_the_user() -> None:
    assert PythonError("KeyError", "", (Frame("<frozen os>", 1, "f"),)).location is None


def test_of_several_tracebacks_the_last_counts(tmp_path: Path) -> None:
    first, second = (
        run_alone(tmp_path, f"raise ValueError({name!r})").stderr for name in ("first", "second")
    )
    error = parse_python_error(first + "between\n" + second)
    assert error is not None
    assert error.message == "second"


def test_a_traceback_without_an_end() -> None:
    assert parse_python_error('Traceback (most recent call last):\n  File "x.py", line 1') is None
    torn = 'Traceback (most recent call last):\n  File "x.py", line 1, in f\nsome noise here\n'
    assert parse_python_error(torn) is None


@given(st.text(alphabet='Traceback (most recent call last):\n  File "x", line 1|+Error: ab'))
def test_any_text_can_be_read(text: str) -> None:
    parse_python_error(text)
    parse_python_error("Traceback (most recent call last):\n" + text)
    parse_python_error("  + Exception Group Traceback (most recent call last):\n" + text)
