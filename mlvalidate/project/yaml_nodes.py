"""The tree of a YAML text: every key and value with its place."""

from __future__ import annotations

from dataclasses import dataclass

from mlvalidate.project.problems import Position
from mlvalidate.project.yaml_scalars import is_null


@dataclass(frozen=True)
class Scalar:
    """A text; ``is_plain`` when YAML may read it as a number, a boolean or nothing."""

    position: Position
    text: str
    is_plain: bool
    size: int = 1

    @property
    def is_null(self) -> bool:
        return self.is_plain and is_null(self.text)


@dataclass(frozen=True)
class Item:
    """A value of a list, and where it stands: an alias stands elsewhere than its anchor."""

    position: Position
    node: Node


@dataclass(frozen=True)
class Listing:
    """A YAML sequence."""

    position: Position
    items: tuple[Item, ...]
    size: int


@dataclass(frozen=True)
class Entry:
    """A key and its value."""

    key: str | int | float
    key_position: Position
    position: Position
    node: Node


@dataclass(frozen=True)
class Mapping:
    """A YAML mapping; its keys differ."""

    position: Position
    entries: tuple[Entry, ...]
    size: int

    def find(self, key: str | int | float) -> Entry | None:
        """Return the entry of this key, or the one whose key reads the same."""
        by_key = {entry.key: entry for entry in self.entries}
        by_text = {str(entry.key): entry for entry in self.entries}
        return by_key.get(key) or by_text.get(str(key))


Node = Scalar | Listing | Mapping
