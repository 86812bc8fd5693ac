"""Reads YAML into a tree that knows where everything stands.

The tree is built from the parser's events, not by a PyYAML loader: so nothing is ever constructed
from a tag, a duplicate key is seen, and aliases can't grow without bound.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, NoReturn

from mlvalidate.project.problems import Fault, KeyPath, Position
from mlvalidate.project.yaml_nodes import Entry, Item, Listing, Mapping, Node, Scalar
from mlvalidate.project.yaml_scalars import resolve
from mlvalidate.project.yaml_syntax import excerpt, position_of, syntax_fault

if TYPE_CHECKING:
    import yaml

MOST_VALUES = 100_000
MOST_LEVELS = 50
_TEXT_TAGS = ("!", "tag:yaml.org,2002:str")
_NOT_PRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class YamlError(Exception):
    """The text can't be read as YAML at all."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.message)
        self.fault = fault


def parse_yaml(text: str) -> tuple[Node | None, list[Fault]]:
    """Return the tree of the only document in ``text`` and what is wrong with it all the same.

    The tree is None when there is nothing but comments. Raises YamlError for broken YAML, more
    than one document, unknown anchors, and nesting or aliases beyond all reason.
    """
    import yaml

    found = _NOT_PRINTABLE.search(text)
    if found:
        position = position_of(text, found.start())
        message = f"not valid YAML: the control character {found.group()!r}"
        raise YamlError(Fault(position, (), message + excerpt(text, position)))
    parser = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return _Composer(yaml.parse(text, Loader=parser)).compose()
    except yaml.MarkedYAMLError as error:
        raise YamlError(syntax_fault(text, error)) from None


class _Composer:
    """Makes one document of the parser's events."""

    def __init__(self, events: Iterator[yaml.Event]) -> None:
        self._events = events
        self._anchors: dict[str, Node] = {}
        self._faults: list[Fault] = []

    def compose(self) -> tuple[Node | None, list[Fault]]:
        import yaml

        root: Node | None = None
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                if root is not None:
                    _stop(event, (), "a second document: expected one, without `---` between")
                _, root = self._node(next(self._events), ())
        return root, self._faults

    def _node(self, event: yaml.Event, path: KeyPath) -> tuple[Position, Node]:
        import yaml

        position = _start(event)
        if len(path) > MOST_LEVELS:
            _stop(event, path[:3], f"nested deeper than {MOST_LEVELS} levels")
        if isinstance(event, yaml.AliasEvent):
            return position, self._aliased(event, path)
        assert isinstance(event, yaml.NodeEvent)
        self._refuse_tag(event, path)
        node: Node
        if isinstance(event, yaml.ScalarEvent):
            # `!` and !!str make a text of what would be a number.
            node = Scalar(position, event.value, is_plain=not event.style and not event.tag)
        elif isinstance(event, yaml.SequenceStartEvent):
            node = self._listing(position, path)
        else:
            node = self._mapping(position, path)
        if node.size > MOST_VALUES:
            _stop(event, path, f"its aliases stand for more than {MOST_VALUES} values")
        if event.anchor:
            self._anchors[event.anchor] = node
        return position, node

    def _aliased(self, event: yaml.AliasEvent, path: KeyPath) -> Node:
        # An anchor is known once its value is complete: so a value can't hold itself.
        if event.anchor not in self._anchors:
            hint = f'a text that starts with * needs quotes: "*{event.anchor}"'
            _stop(event, path, f"the alias *{event.anchor} has no anchor above it", hint)
        return self._anchors[event.anchor]

    def _refuse_tag(self, event: yaml.NodeEvent, path: KeyPath) -> None:
        tag = getattr(event, "tag", None)
        if tag and tag not in _TEXT_TAGS:
            shown = tag.replace("tag:yaml.org,2002:", "!!")
            self._add(_start(event), path, f"the tag {shown} is refused", "write the plain value")

    def _listing(self, position: Position, path: KeyPath) -> Listing:
        import yaml

        items: list[Item] = []
        size = 1
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            item = Item(*self._node(event, (*path, len(items))))
            size += item.node.size
            items.append(item)
        return Listing(position, tuple(items), size)

    def _mapping(self, position: Position, path: KeyPath) -> Mapping:
        import yaml

        entries: dict[str | int | float, Entry] = {}
        merged: list[Mapping] = []
        size = 1
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key_position, key_node = self._node(event, (*path, "?"))
            key = self._key(key_node, key_position, path)
            value_position, node = self._node(next(self._events), (*path, key))
            size += node.size
            if key == "<<" and isinstance(key_node, Scalar) and key_node.is_plain:
                merged += self._merged(node, value_position, path)
            elif key in entries:
                first = entries[key].key_position.line
                message = f"duplicate key: it is set in line {first} already"
                self._add(key_position, (*path, key), message)
            else:
                entries[key] = Entry(key, key_position, value_position, node)
        for source in merged:
            for entry in source.entries:
                entries.setdefault(entry.key, entry)
        return Mapping(position, tuple(entries.values()), size)

    def _key(self, node: Node, position: Position, path: KeyPath) -> str | int | float:
        if not isinstance(node, Scalar):
            self._add(position, path, "a key must be a text, not a list or a mapping")
            return "?"
        if not node.text:
            self._add(position, path, "a value without a key")
        # `null` is a key of ours: the share of missing values.
        return resolve(node.text) if node.is_plain else node.text

    def _merged(self, node: Node, position: Position, path: KeyPath) -> list[Mapping]:
        nodes = [item.node for item in node.items] if isinstance(node, Listing) else [node]
        mappings = [node for node in nodes if isinstance(node, Mapping)]
        if len(mappings) != len(nodes):
            self._add(position, (*path, "<<"), "expected mappings to merge, such as *anchor")
        return mappings

    def _add(self, position: Position, path: KeyPath, message: str, hint: str = "") -> None:
        self._faults.append(Fault(position, path, message, hint))


def _start(event: yaml.Event) -> Position:
    assert event.start_mark is not None  # both parsers set it
    return Position(event.start_mark.line + 1, event.start_mark.column + 1)


def _stop(event: yaml.Event, path: KeyPath, message: str, hint: str = "") -> NoReturn:
    raise YamlError(Fault(_start(event), path, message, hint))
