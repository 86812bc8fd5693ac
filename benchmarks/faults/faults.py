"""The seeded faults: what each of them is, and how it gets into a copy of the example."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import Field

from mlvalidate.core.model import Model
from mlvalidate.core.results import PipelineResult

CATALOGUE = Path(__file__).parent / "catalogue"
EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "churn"


class Edit(Model):
    """One text of a file that is replaced. ``old`` occurs in it exactly once."""

    file: str
    old: str = Field(min_length=1)
    new: str


class Fault(Model):
    """One mistake, and what has to be reported.

    One of ``codes`` must be found, with the blame on a node that runs ``step`` and, where it is
    given, on ``column``.
    """

    name: str
    happened: str
    edits: tuple[Edit, ...] = Field(min_length=1)
    step: str
    codes: tuple[str, ...] = Field(min_length=1)
    column: str | None = None
    # Why it is known to go undetected.
    missed: str = ""


@dataclass(frozen=True)
class Outcome:
    """What a run with one fault reported.

    ``expected`` are the acceptable codes that were found, ``right`` those of them with the blame
    where it belongs, ``elsewhere`` the other steps that have an error.
    """

    fault: Fault
    expected: tuple[str, ...]
    right: tuple[str, ...]
    others: tuple[str, ...]
    elsewhere: tuple[str, ...]


def load_faults(folder: Path = CATALOGUE) -> tuple[Fault, ...]:
    """Return all faults, in the order of the files; ValueError when two share a name."""
    faults = [
        Fault.model_validate(each)
        for path in sorted(folder.glob("*.yaml"))
        for each in yaml.safe_load(path.read_text(encoding="utf-8"))
    ]
    names = [fault.name for fault in faults]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ValueError(f"several faults are called {', '.join(repeated)}")
    return tuple(faults)


def copy_example(target: Path) -> Path:
    """Copy the example without what runs left in it, and return the folder."""
    left_out = shutil.ignore_patterns(".mlvalidate", "__pycache__")
    shutil.copytree(EXAMPLE, target, ignore=left_out)
    return target


def apply_fault(fault: Fault, project: Path) -> None:
    """Edit the files of a copy; ValueError when a text does not occur exactly once."""
    for edit in fault.edits:
        path = project / edit.file
        text = path.read_text(encoding="utf-8")
        if text.count(edit.old) != 1:
            raise ValueError(
                f"{fault.name}: {edit.file} has {text.count(edit.old)} times {edit.old!r}, not once"
            )
        path.write_text(text.replace(edit.old, edit.new), encoding="utf-8")


def compare(fault: Fault, result: PipelineResult) -> Outcome:
    """Return what of the expected a run reported."""
    step_of = {each.node: each.step for each in result.steps}
    findings = result.all_findings
    expected = [finding for finding in findings if finding.code in fault.codes]
    right = [
        finding
        for finding in expected
        if step_of.get(finding.step or "") == fault.step and fault.column in (None, finding.column)
    ]
    blamed = {step_of[f.step] for f in findings if f.step in step_of and f.severity == "error"}
    return Outcome(
        fault=fault,
        expected=_codes(finding.code for finding in expected),
        right=_codes(finding.code for finding in right),
        others=_codes(finding.code for finding in findings if finding not in expected),
        elsewhere=tuple(sorted(blamed - {fault.step})),
    )


def _codes(codes: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(codes)))
