"""Logs: whole up to a limit, then head and tail; no secret in either."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from mlvalidate.core.secrets import Redactor
from mlvalidate.engine.logs import _LONGEST_LINE, LogFile

SECRET = "hunter2-and-more"
MARK = re.compile(rb"\n\[mlvalidate: .* left out here\]\n")


def write_log(chunks: list[bytes], limit: int, *secrets: str) -> tuple[bytes, LogFile]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "x.log")
        log = LogFile(path, limit, Redactor(secrets))
        for chunk in chunks:
            log.feed(chunk)
        log.close()
        return path.read_bytes(), log


def split(data: bytes, sizes: list[int]) -> list[bytes]:
    """Cut data into pieces of these sizes, and a rest."""
    chunks = []
    for size in sizes:
        chunks.append(data[:size])
        data = data[size:]
    return [*chunks, data]


texts = st.text(st.sampled_from("ab \n"), max_size=300).map(str.encode)
sizes = st.lists(st.integers(0, 40), max_size=20)


@given(texts, sizes, st.integers(1, 400))
def test_head_and_tail(data: bytes, cuts: list[int], limit: int) -> None:
    content, log = write_log(split(data, cuts), limit)
    assert log.size == len(data)
    if len(data) <= limit:
        assert (content, log.dropped) == (data, 0)
        return
    assert log.dropped >= len(data) - limit
    head, tail = MARK.split(content, maxsplit=1)
    assert len(head) + len(tail) + log.dropped == len(data)
    assert len(head) <= limit // 2
    assert data.startswith(head)
    assert data.endswith(tail)


@given(texts, sizes, st.integers(1, 400))
def test_both_are_cut_between_lines(data: bytes, cuts: list[int], limit: int) -> None:
    content, log = write_log(split(data, cuts), limit)
    if not log.dropped:
        return
    head, tail = MARK.split(content, maxsplit=1)
    assert head == b"" or head.endswith(b"\n")
    before = data[: len(data) - len(tail)]
    # A tail without any other line begins where the limit says.
    assert before.endswith(b"\n") or b"\n" not in tail[:-1]


@given(st.lists(st.sampled_from([SECRET, "x", "noise ", "\n", "é"]), max_size=60), sizes,
       st.integers(200, 2000))  # fmt: skip
def test_secrets_split_over_chunks(words: list[str], cuts: list[int], limit: int) -> None:
    data = "".join(words).encode()
    content, log = write_log(split(data, cuts), limit, SECRET)
    assert SECRET.encode() not in content
    if not log.dropped:
        assert content.decode() == "".join(words).replace(SECRET, "***")


def test_a_secret_where_the_head_ends() -> None:
    for offset in range(len(SECRET) + 2):
        data = b"a" * (50 - offset) + SECRET.encode() + b"\n" + b"b" * 20
        content, log = write_log([data], 100, SECRET)
        assert content == b"a" * (50 - offset) + b"***\n" + b"b" * 20
        assert log.dropped == 0


def test_a_secret_where_the_tail_begins() -> None:
    line = b"password " + SECRET.encode() + b"\n"
    for limit in range(300, 330):
        content, _ = write_log([line * 100], limit, SECRET)
        lines = [text for text in content.splitlines() if text and b"left out" not in text]
        assert set(lines) == {b"password ***"}


@given(st.text(max_size=100), sizes)
def test_characters_split_over_chunks(text: str, cuts: list[int]) -> None:
    data = text.encode()
    content, _ = write_log(split(data, cuts), 10**6)
    assert content == data


@given(st.binary(max_size=200), sizes)
def test_bytes_that_are_no_text(data: bytes, cuts: list[int]) -> None:
    content, _ = write_log(split(data, cuts), 10**6)
    assert content == data.decode("utf-8", errors="replace").encode()


def test_very_long_lines() -> None:
    line = ("é" * 1000 + " ") * 200
    content, log = write_log(split(line.encode(), [999] * 500), 10**7)
    assert (content.decode(), log.dropped) == (line, 0)
    blob = "é" * 3 * _LONGEST_LINE
    content, log = write_log(split(blob.encode(), [4097] * 200), 10**7)
    assert (content.decode(), log.dropped) == (blob, 0)


def test_a_long_line_is_not_cut_in_a_secret() -> None:
    line = ("word " * 5 + SECRET + " ") * 4000
    content, _ = write_log(split(line.encode(), [1000] * 300), 10**7, SECRET)
    assert content.decode() == line.replace(SECRET, "***")


def test_the_head_is_on_disk_while_the_script_runs(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "x.log", 1000, Redactor())
    log.feed(b"one\ntwo")
    assert (tmp_path / "x.log").read_bytes() == b"one\n"
    log.close()
    assert (tmp_path / "x.log").read_bytes() == b"one\ntwo"


def test_what_was_left_out_is_said() -> None:
    content, log = write_log([b"x" * 9 + b"\n"] * 500, 1000)
    assert log.dropped == 4000
    assert b"\n[mlvalidate: 4.0kB left out here]\n" in content
