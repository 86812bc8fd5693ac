"""A layered layout of a graph without cycles: each node stands to the right of what it reads."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Point = tuple[float, float]
# A node by its name, or the place where an edge passes a layer: its ends and that layer.
_Slot = str | tuple[str, str, int]


@dataclass(frozen=True)
class Layout:
    """Places of nodes, and for each edge the points through which it goes, its ends included.

    x is the number of the layer from the left, y the place within it, around 0.
    """

    nodes: dict[str, Point] = field(default_factory=dict)
    edges: dict[tuple[str, str], tuple[Point, ...]] = field(default_factory=dict)

    @property
    def layers(self) -> int:
        """Number of layers; 0 of an empty graph."""
        return len({x for x, _ in self.nodes.values()})

    @property
    def height(self) -> float:
        """Places in the fullest layer, those that edges take included."""
        ys = [y for points in self.edges.values() for _, y in points]
        ys += [y for _, y in self.nodes.values()]
        return max(ys) - min(ys) + 1 if ys else 0


def lay_out(reads: Mapping[str, Sequence[str]]) -> Layout:
    """Return places for nodes that are given with the nodes that each reads, in any order.

    An edge over several layers gets a place in each, so that it never runs through a node.
    ValueError when the graph has a cycle.
    """
    depths = _depths(reads)
    sources: dict[_Slot, list[_Slot]] = {}
    paths: dict[tuple[str, str], list[_Slot]] = {}
    for node, producers in reads.items():
        sources.setdefault(node, [])
        for producer in dict.fromkeys(producers):
            between = range(depths[producer] + 1, depths[node])
            path: list[_Slot] = [producer, *((producer, node, d) for d in between), node]
            paths[producer, node] = path
            for before, after in itertools.pairwise(path):
                sources.setdefault(after, []).append(before)
    places = _place(sources, {slot: _depth(slot, depths) for slot in sources})
    return Layout(
        nodes={node: places[node] for node in reads},
        edges={edge: tuple(places[slot] for slot in path) for edge, path in paths.items()},
    )


def _depths(reads: Mapping[str, Sequence[str]]) -> dict[str, int]:
    depths: dict[str, int] = {}
    while len(depths) < len(reads):
        ready = [n for n in reads if n not in depths and all(p in depths for p in reads[n])]
        if not ready:
            raise ValueError(f"a cycle, or an unknown node, among {sorted(set(reads) - {*depths})}")
        for node in ready:
            depths[node] = max((depths[p] + 1 for p in reads[node]), default=0)
    return depths


def _depth(slot: _Slot, depths: Mapping[str, int]) -> int:
    return depths[slot] if isinstance(slot, str) else slot[2]


def _place(sources: Mapping[_Slot, list[_Slot]], depths: Mapping[_Slot, int]) -> dict[_Slot, Point]:
    """Place layer by layer; in each, what reads from further up stands further up."""
    places: dict[_Slot, Point] = {}
    layers: dict[int, list[_Slot]] = {}
    for slot, depth in depths.items():
        layers.setdefault(depth, []).append(slot)

    def middle(slot: _Slot) -> float:
        heights = [places[source][1] for source in sources[slot]]
        return sum(heights) / len(heights) if heights else 0.0

    for depth in sorted(layers):
        # The sort is stable: what is level keeps the order in which it was declared.
        ordered = sorted(layers[depth], key=middle, reverse=True)
        for number, slot in enumerate(ordered):
            places[slot] = (float(depth), (len(ordered) - 1) / 2 - number)
    return places
