"""Finds the place of a key path in a tree of YAML."""

from __future__ import annotations

from dataclasses import dataclass

from mlvalidate.project.problems import KeyPath, Position
from mlvalidate.project.yaml_nodes import Listing, Mapping, Node, Scalar


@dataclass(frozen=True)
class Location:
    """The deepest place that exists on the way along a path, and the way to it."""

    path: KeyPath
    key_position: Position
    value_position: Position
    node: Node

    @property
    def position(self) -> Position:
        """Where to point: at the text, and at the key of what goes on for several lines."""
        if isinstance(self.node, Scalar) and (self.node.text or not self.node.is_plain):
            return self.value_position
        return self.key_position


def locate(root: Node, path: KeyPath) -> Location:
    """Return the deepest place in ``root`` on the way along ``path``.

    Parts that the text does not have are passed over: keys that are missing, and what pydantic
    puts between keys to tell the members of a union apart.
    """
    location = Location((), root.position, root.position, root)
    for part in path:
        location = _child(location, part) or location
    return location


def _child(parent: Location, part: str | int | float) -> Location | None:
    node, path = parent.node, (*parent.path, part)
    if isinstance(node, Mapping):
        entry = node.find(part)
        if entry is None:
            return None
        return Location(path, entry.key_position, entry.position, entry.node)
    if isinstance(node, Listing):
        if isinstance(part, int) and 0 <= part < len(node.items):
            item = node.items[part]
            return Location(path, item.position, item.position, item.node)
        return _named_item(parent, node, part)
    return None


def _named_item(parent: Location, listing: Listing, name: str | int | float) -> Location | None:
    """Find ``b`` in ``[a, b]`` and in ``[a, {b: ...}]``: a list that stands for a mapping."""
    for item in listing.items:
        if isinstance(item.node, Scalar) and item.node.text == name:
            return Location((*parent.path, name), item.position, item.position, item.node)
        if isinstance(item.node, Mapping) and item.node.find(name):
            return _child(Location(parent.path, item.position, item.position, item.node), name)
    return None
