"""Where the nodes of a graph stand: in layers from top to bottom, with few crossings.

A node stands below all that it waits for (the longest path decides), and in its layer where its
neighbours are (their barycentre). An edge that passes through a layer has a place there as well, so
that no line runs through a box.
"""

from bisect import bisect_right, insort
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

BOX_WIDTH = 208
BOX_HEIGHT = 54
LAYER_GAP = 44
_BETWEEN = 24
_LANE_WIDTH = 12
_SWEEPS = 8

# A node by its number, or an edge in a layer: the numbers of its ends, and that of the layer.
_Slot = int | tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Point:
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Line:
    """An edge between two nodes, by their numbers: from the middle of the lower side of one, by
    places on the way, to the middle of the upper side of the other."""

    source: int
    target: int
    points: Sequence[Point]


@dataclass(frozen=True, slots=True)
class Layout:
    """``boxes`` are the upper left corners of the nodes, in the order in which these were given."""

    boxes: Sequence[Point]
    lines: Sequence[Line]
    width: float
    height: float


def layout(count: int, edges: Sequence[tuple[int, int]]) -> Layout:
    """Of nodes 0 to ``count``, and edges that lead from the first to the second. One that would
    close a circle is left out, and one that says only what others say together."""
    if not count:
        return Layout([], [], 0, 0)
    edges = _needed(_without_circles(edges))
    depths = _depths(count, edges)
    slots = _slots(depths, edges)
    above, below = _neighbours(depths, edges)
    _order(slots, above, below)
    places = _places(slots, above, below)
    left = min(places[node] - BOX_WIDTH / 2 for node in range(count))
    left = min(left, *(x - _LANE_WIDTH / 2 for x in places.values()))
    width = max(x + _width(slot) / 2 for slot, x in places.items()) - left
    boxes = [
        Point(places[node] - left - BOX_WIDTH / 2, _top(depths[node])) for node in range(count)
    ]
    lines = [_line(edge, depths, places, left) for edge in edges]
    return Layout(boxes, lines, width, _top(len(slots) - 1) + BOX_HEIGHT)


def _without_circles(edges: Sequence[tuple[int, int]]) -> Sequence[tuple[int, int]]:
    followers: defaultdict[int, set[int]] = defaultdict(set)
    kept = []
    for source, target in dict.fromkeys(edges):
        if source != target and not _leads(followers, target, source):
            followers[source].add(target)
            kept.append((source, target))
    return kept


def _needed(edges: Sequence[tuple[int, int]]) -> Sequence[tuple[int, int]]:
    """Without those between nodes that a longer way leads between."""
    followers: defaultdict[int, set[int]] = defaultdict(set)
    for source, target in edges:
        followers[source].add(target)
    return [
        (source, target)
        for source, target in edges
        if not any(_leads(followers, next_, target) for next_ in followers[source] - {target})
    ]


def _leads(followers: Mapping[int, set[int]], start: int, end: int) -> bool:
    seen, waiting = {start}, [start]
    while waiting:
        node = waiting.pop()
        if node == end:
            return True
        fresh = followers.get(node, set()) - seen
        seen |= fresh
        waiting.extend(fresh)
    return False


def _depths(count: int, edges: Sequence[tuple[int, int]]) -> Sequence[int]:
    """In which layer each node stands: one below the lowest that it waits for."""
    sources: defaultdict[int, list[int]] = defaultdict(list)
    for source, target in edges:
        sources[target].append(source)
    depths: dict[int, int] = {}
    waiting = list(range(count))
    while waiting:
        node = waiting[-1]
        unknown = [source for source in sources[node] if source not in depths]
        if unknown:
            waiting.extend(unknown)
            continue
        waiting.pop()
        depths[node] = max((depths[source] + 1 for source in sources[node]), default=0)
    return [depths[node] for node in range(count)]


def _slots(depths: Sequence[int], edges: Sequence[tuple[int, int]]) -> list[list[_Slot]]:
    """What stands in each layer, in the order in which it was given."""
    slots: list[list[_Slot]] = [[] for _ in range(max(depths) + 1)]
    for node, depth in enumerate(depths):
        slots[depth].append(node)
    for source, target in edges:
        for depth in range(depths[source] + 1, depths[target]):
            slots[depth].append((source, target, depth))
    return slots


def _neighbours(
    depths: Sequence[int], edges: Sequence[tuple[int, int]]
) -> tuple[Mapping[_Slot, list[_Slot]], Mapping[_Slot, list[_Slot]]]:
    above: defaultdict[_Slot, list[_Slot]] = defaultdict(list)
    below: defaultdict[_Slot, list[_Slot]] = defaultdict(list)
    for edge in edges:
        way = list(_way(edge, depths))
        for upper, lower in pairwise(way):
            above[lower].append(upper)
            below[upper].append(lower)
    return above, below


def _way(edge: tuple[int, int], depths: Sequence[int]) -> Iterator[_Slot]:
    source, target = edge
    yield source
    for depth in range(depths[source] + 1, depths[target]):
        yield (source, target, depth)
    yield target


def _order(
    slots: list[list[_Slot]],
    above: Mapping[_Slot, list[_Slot]],
    below: Mapping[_Slot, list[_Slot]],
) -> None:
    """Sort each layer by where the neighbours of its slots stand, downwards and upwards in turn."""
    best, fewest = [list(layer) for layer in slots], _crossings(slots, below)
    for sweep in range(_SWEEPS):
        if not fewest:
            break
        is_down = sweep % 2 == 0
        layers = range(1, len(slots)) if is_down else range(len(slots) - 2, -1, -1)
        for number in layers:
            fixed = slots[number - 1] if is_down else slots[number + 1]
            _sort(slots[number], fixed, above if is_down else below)
        if (found := _crossings(slots, below)) < fewest:
            best, fewest = [list(layer) for layer in slots], found
    slots[:] = best


def _sort(
    layer: list[_Slot], fixed: Sequence[_Slot], neighbours: Mapping[_Slot, list[_Slot]]
) -> None:
    ranks = {slot: rank for rank, slot in enumerate(fixed)}
    own = {slot: rank for rank, slot in enumerate(layer)}

    def barycentre(slot: _Slot) -> float:
        found = [ranks[each] for each in neighbours.get(slot, ())]
        return sum(found) / len(found) if found else float(own[slot])

    layer.sort(key=barycentre)


def _crossings(slots: Sequence[Sequence[_Slot]], below: Mapping[_Slot, list[_Slot]]) -> int:
    total = 0
    for upper, lower in pairwise(slots):
        ranks = {slot: rank for rank, slot in enumerate(lower)}
        seen: list[int] = []
        for slot in upper:
            ends = sorted(ranks[each] for each in below.get(slot, ()))
            total += sum(len(seen) - bisect_right(seen, end) for end in ends)
            for end in ends:
                insort(seen, end)
    return total


def _places(
    slots: Sequence[Sequence[_Slot]],
    above: Mapping[_Slot, list[_Slot]],
    below: Mapping[_Slot, list[_Slot]],
) -> dict[_Slot, float]:
    """The middle of each slot, in pixels. Slots go where their neighbours are, as far as their
    order and their widths allow."""
    places: dict[_Slot, float] = {}
    for layer in slots:
        places.update(_packed(layer, dict.fromkeys(layer, 0.0)))
    for sweep in range(_SWEEPS):
        neighbours = above if sweep % 2 == 0 else below
        for layer in slots if sweep % 2 == 0 else reversed(slots):
            wanted = {
                slot: _mean([places[each] for each in neighbours.get(slot, ())], places[slot])
                for slot in layer
            }
            places.update(_packed(layer, wanted))
    return places


def _packed(layer: Sequence[_Slot], wanted: Mapping[_Slot, float]) -> dict[_Slot, float]:
    """As near to what is wanted as can be without overlaps: slots that would overlap form a block,
    whose middle is the mean of what they want."""
    blocks: list[tuple[list[_Slot], float]] = []
    for slot in layer:
        block, centre = [slot], wanted[slot]
        while blocks and blocks[-1][1] + _span(blocks[-1][0]) / 2 > centre - _span(block) / 2:
            block = blocks.pop()[0] + block
            centre = _centre(block, wanted)
        blocks.append((block, centre))
    places = {}
    for block, centre in blocks:
        x = centre - _span(block) / 2
        for slot in block:
            places[slot] = x + (_width(slot) + _BETWEEN) / 2
            x += _width(slot) + _BETWEEN
    return places


def _centre(block: Sequence[_Slot], wanted: Mapping[_Slot, float]) -> float:
    """Where the middle of a block is if its slots are, on the whole, where they want to be."""
    whole, x = _span(block), 0.0
    centres = []
    for slot in block:
        centres.append(wanted[slot] - (x + (_width(slot) + _BETWEEN) / 2) + whole / 2)
        x += _width(slot) + _BETWEEN
    return sum(centres) / len(centres)


def _span(block: Sequence[_Slot]) -> float:
    return sum(_width(slot) + _BETWEEN for slot in block)


def _width(slot: _Slot) -> float:
    return BOX_WIDTH if isinstance(slot, int) else _LANE_WIDTH


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def _top(depth: int) -> float:
    return depth * (BOX_HEIGHT + LAYER_GAP)


def _line(
    edge: tuple[int, int], depths: Sequence[int], places: Mapping[_Slot, float], left: float
) -> Line:
    points = []
    for slot in _way(edge, depths):
        x = places[slot] - left
        depth = depths[slot] if isinstance(slot, int) else slot[2]
        if slot != edge[0]:
            points.append(Point(x, _top(depth)))
        if slot != edge[1]:
            points.append(Point(x, _top(depth) + BOX_HEIGHT))
    return Line(*edge, points)
