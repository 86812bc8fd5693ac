"""What has become of the reports of a run: `reports/log.jsonl`, a line per report that is done."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from mlvalidate.core.model import Model


class ReportDone(Model):
    """One order is done: rendered, or given up for a reason."""

    node: str
    port: str
    table: str
    problem: str = ""


def append_done(log: Path, done: ReportDone) -> None:
    """Add a line; the files of the report are complete when it is there."""
    with log.open("ab") as file:
        file.write(done.model_dump_json().encode() + b"\n")


def read_done(log: Path) -> tuple[ReportDone, ...]:
    """Return what is done so far; a line that was torn by a crash is none."""
    try:
        lines = log.read_bytes().splitlines(keepends=True)
    except FileNotFoundError:
        return ()
    found = []
    for line in lines:
        try:
            found.append(ReportDone.model_validate_json(line))
        except ValidationError:
            continue
    return tuple(found)
