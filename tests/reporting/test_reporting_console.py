from __future__ import annotations

import io
import os

import pytest
from report_builders import Tty, console, printed
from rich.text import Text

from mlvalidate.reporting.console import can_redraw, make_console, write


def test_a_pipe_gets_long_lines_whole() -> None:
    pipe = console(40)
    write(pipe, Text("word " * 30), indent=2)
    assert printed(pipe) == "  " + " ".join(["word"] * 30) + "\n"


def test_a_terminal_wraps_with_a_hanging_indent_and_crops_nothing() -> None:
    screen = console(40, tty=True)
    write(screen, Text("first second third fourth fifth sixth " + "x" * 60), indent=2, hang=2)
    lines = printed(screen).splitlines()
    assert all(len(line) <= 40 for line in lines)
    assert lines[0] == "  first second third fourth fifth"
    assert all(line.startswith("    ") for line in lines[1:])
    assert "".join(lines).count("x") == 61


def test_what_is_copyable_stays_one_line_on_a_terminal() -> None:
    screen = console(40, tty=True)
    write(screen, Text("command " * 10), copyable=True)
    assert len(printed(screen).splitlines()) == 1


def test_nothing_is_markup() -> None:
    pipe = console()
    write(pipe, Text("[red]x[/] :warning: 'quoted' 12"))
    assert printed(pipe) == "[red]x[/] :warning: 'quoted' 12\n"


@pytest.mark.parametrize(
    ("name", "value", "colour"),
    [("NO_COLOR", "1", False), ("TERM", "dumb", False), ("LANG", "C.UTF-8", True)],
)
def test_colour_follows_the_environment(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, colour: bool
) -> None:
    monkeypatch.setenv(name, value)
    screen = console(tty=True)
    write(screen, Text("x", "red"))
    assert ("\x1b[31m" in printed(screen)) is colour


def test_no_colour_in_a_pipe() -> None:
    pipe = console()
    write(pipe, Text("x", "bold red"))
    assert printed(pipe) == "x\n"


@pytest.mark.parametrize(
    ("environment", "tty", "expected"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"CI": "true"}, True, False),
        ({"CI": "false"}, True, True),
        ({"TERM": "dumb"}, True, False),
    ],
)
def test_only_a_persons_terminal_is_redrawn(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], tty: bool, expected: bool
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert can_redraw(console(tty=tty)) is expected


def test_width_of_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "93")
    assert make_console(io.StringIO()).width == 93


def test_a_console_without_a_reader_falls_silent() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as stream:
        pipe = make_console(stream)
        write(pipe, Text("x"))
        write(pipe, Text("y"))
        assert pipe.quiet


def test_a_stream_without_descriptor_is_no_trouble() -> None:
    console().on_broken_pipe()
    assert isinstance(console(tty=True).file, Tty)
