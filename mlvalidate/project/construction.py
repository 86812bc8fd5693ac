"""Makes plain Python values of a tree of YAML, with the environment put in."""

from __future__ import annotations

from collections.abc import Mapping as EnvironmentMapping

from mlvalidate.project.interpolation import (
    InterpolationError,
    interpolate,
    referenced_names,
    refers,
)
from mlvalidate.project.problems import Fault, KeyPath, Position
from mlvalidate.project.yaml_nodes import Listing, Mapping, Node, Scalar
from mlvalidate.project.yaml_scalars import resolve


class Constructor:
    """Builds values and keeps what went wrong: ``faults``, and the variables that were ``used``."""

    def __init__(self, environ: EnvironmentMapping[str, str]) -> None:
        self._environ = environ
        self.faults: list[Fault] = []
        self.used: dict[str, str] = {}

    def construct(self, node: Node) -> object:
        """Return the value of ``node``; a text that can't be interpolated stays as it is."""
        return self._value(node, node.position, ())

    def _value(self, node: Node, position: Position, path: KeyPath) -> object:
        if isinstance(node, Mapping):
            return {
                entry.key: self._value(entry.node, entry.position, (*path, entry.key))
                for entry in node.entries
            }
        if isinstance(node, Listing):
            return [
                self._value(item.node, item.position, (*path, index))
                for index, item in enumerate(node.items)
            ]
        return None if node.is_null else self._scalar(node, position, path)

    def _scalar(self, node: Scalar, position: Position, path: KeyPath) -> object:
        text = node.text
        if refers(text):
            names = referenced_names(text) & self._environ.keys()
            self.used.update({name: self._environ[name] for name in names})
            try:
                text = interpolate(text, self._environ)
            except InterpolationError as error:
                self.faults.append(Fault(position, path, error.message, error.hint))
                return text
        return resolve(text) if node.is_plain and not _is_environment_value(path) else text


def _is_environment_value(path: KeyPath) -> bool:
    """Tell whether a value goes into an environment, as it is written: `1.10` is no 1.1 there."""
    if len(path) < 3 or path[-2] != "env":
        return False
    if path[0] == "pipelines":  # one level more where the nodes are a list
        return len(path) in (6, 7) and path[2] == "nodes"
    return (path[0], len(path)) in (("defaults", 3), ("steps", 4))
