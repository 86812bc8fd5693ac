"""Metrics out of the JSON files that a step wrote."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlvalidate.checks.evidence import FileContent, PortContent
from mlvalidate.core.contracts import Port
from mlvalidate.engine import metrics
from mlvalidate.engine.metrics import read_metrics


def make_port(folder: Path, content: str | bytes | None, **fields: object) -> PortContent:
    files: tuple[FileContent, ...] = ()
    if content is not None:
        path = folder / "m.json"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        size = path.stat().st_size
        files = (FileContent("m.json", path, size, **fields),)  # type: ignore[arg-type]
    return PortContent("out", "/opt/ml/out", Port(), files)


def read(folder: Path, content: str | bytes | None, pointer: str, **fields: object) -> float | str:
    """Return the value, or why there is none."""
    port = make_port(folder, content, **fields)
    values, reasons = read_metrics({"m": f"out/m.json#{pointer}"}, (port,))
    assert len(values) + len(reasons) == 1
    return values["m"] if values else reasons["m"]


@pytest.mark.parametrize(
    ("content", "pointer", "value"),
    [
        ('{"auc": 0.5}', "auc", 0.5),
        ('{"a": {"b": {"c": 3}}}', "a.b.c", 3.0),
        ('{"a": [1, {"b": 2}]}', "a[1].b", 2.0),
        ("[[1, 2], [3]]", "[0][1]", 2.0),
        ('{"binary_classification_metrics": {"auc": {"value": 1e-3}}}',
         "binary_classification_metrics.auc.value", 0.001),
        ('{"f1 score": 1}', "f1 score", 1.0),
        (b'\xef\xbb\xbf{"a": 1}', "a", 1.0),
    ],
)  # fmt: skip
def test_values(tmp_path: Path, content: str, pointer: str, value: float) -> None:
    assert read(tmp_path, content, pointer) == value


@pytest.mark.parametrize(
    ("content", "pointer", "reason"),
    [
        (None, "auc", "output out has no file m.json"),
        ('{"AUC": 1}', "auc", "there is no 'auc' on the way to auc; there is AUC"),
        ('{"a": 1}', "a.b", "there is no 'b' on the way to a.b; there is int"),
        ('{"a": [1]}', "a[1]", "there is no element [1] on the way to a[1]"),
        ('{"a": {}}', "a[0]", "there is no element [0] on the way to a[0]"),
        ('{"a": true}', "a", "a in m.json is true, not a number"),
        ('{"a": "0.5"}', "a", 'a in m.json is "0.5", not a number'),
        ('{"a": null}', "a", "a in m.json is null, not a number"),
        ('{"a": NaN}', "a", "a in m.json is nan"),
        ('{"a": -Infinity}', "a", "a in m.json is -inf"),
        ('{"a": 1' + "0" * 400 + "}", "a", "a in m.json is too large for a number"),
        ("{'a': 1}", "a", "m.json is no JSON: "),
        ("", "a", "m.json is no JSON: "),
        ("[" * 100_000, "a", "m.json is no JSON: "),
        (b"\xff\xfe\x00", "a", "m.json is no JSON: "),
    ],
)
def test_reasons(tmp_path: Path, content: str | None, pointer: str, reason: str) -> None:
    found = read(tmp_path, content, pointer)
    assert isinstance(found, str)
    assert found.startswith(reason)


def test_a_file_that_is_not_safe_is_not_opened(tmp_path: Path) -> None:
    found = read(tmp_path, '{"a": 1}', "a", problem="is a link to /etc/passwd")
    assert found == "output out has no file m.json"


def test_a_file_that_is_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "_MOST_BYTES", 3)
    assert read(tmp_path, '{"a": 1}', "a") == "m.json is too large to look for metrics"


def test_some_found_and_some_not(tmp_path: Path) -> None:
    port = make_port(tmp_path, '{"a": 1}')
    declared = {"a": "out/m.json#a", "b": "out/m.json#b", "c": "out/deep/m.json#a"}
    values, reasons = read_metrics(declared, (port,))
    assert values == {"a": 1.0}
    assert set(reasons) == {"b", "c"}


@given(st.text(max_size=20))
def test_any_pointer(pointer: str) -> None:
    for value in ({"a": [1, {"b": 2}]}, [1], 3):
        try:
            metrics._walk(value, pointer)
        except ValueError as error:
            assert str(error)
