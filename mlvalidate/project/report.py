"""Collects the problems of one project file."""

from __future__ import annotations

from collections.abc import Iterable

from mlvalidate.core.secrets import Redactor
from mlvalidate.project.problems import Fault, KeyPath, Problem, ProjectError, key_text
from mlvalidate.project.yaml_nodes import Node
from mlvalidate.project.yaml_positions import Location, locate


class Report:
    """What is wrong with the file that ``root`` was read from, so far."""

    def __init__(self, file: str, root: Node, redactor: Redactor) -> None:
        self._file = file
        self._root = root
        self._redactor = redactor
        self._faults: list[Fault] = []

    def locate(self, path: KeyPath) -> Location:
        """Return the deepest place in the file on the way along ``path``."""
        return locate(self._root, path)

    def add(self, path: KeyPath, message: str, hint: str = "") -> None:
        """Note what is wrong with the value at ``path``, or with the nearest that is there."""
        self._faults.append(Fault(self.locate(path).position, path, message, hint))

    def add_at_key(self, path: KeyPath, message: str, hint: str = "") -> None:
        """Note what is wrong with the key at the end of ``path``, not with its value."""
        self._faults.append(Fault(self.locate(path).key_position, path, message, hint))

    def extend(self, faults: Iterable[Fault]) -> None:
        """Note faults whose place is known."""
        self._faults.extend(faults)

    def is_faulty(self, path: KeyPath) -> bool:
        """Tell whether something is wrong with the value at ``path`` already."""
        return any(fault.path == path for fault in self._faults)

    def raise_if_any(self) -> None:
        """Raise ProjectError with all problems when there are any."""
        if self._faults:
            # A value that aliases repeat is wrong once.
            unique: dict[object, Fault] = {}
            for fault in self._faults:
                unique.setdefault((fault.position, fault.path[-1:], fault.message), fault)
            in_order = sorted(unique.values(), key=lambda f: (f.position.line, f.position.column))
            raise ProjectError(problem_of(fault, self._file, self._redactor) for fault in in_order)


def problem_of(fault: Fault, file: str, redactor: Redactor) -> Problem:
    """Return the fault as a problem of ``file``, without secrets."""
    return Problem(
        file=file,
        line=fault.position.line,
        column=fault.position.column,
        key=key_text(fault.path),
        message=redactor.redact(fault.message),
        hint=redactor.redact(fault.hint),
    )
