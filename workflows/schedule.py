"""Which nodes of a plan run when: each as soon as those that it depends on are completed.

There are no levels and no barriers. Of those that could run and must wait for a place, the one goes
first that the longest path of work hangs on (Graham's list scheduling by critical path, 1969).
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter


@dataclass(frozen=True, slots=True)
class Part:
    """A node, as far as its place in the order is concerned. ``weight`` is its share of the work,
    in any unit; ``depends_on`` are the numbers of others."""

    depends_on: frozenset[int] = frozenset()
    weight: float = 1.0


class Schedule:
    """The order of the nodes of one plan; ``parallel`` run at once at most.

    Args:
        parts: by the number of the node, in the order of the plan. They have no cycle.
        parallel: places, at least 1.
        completed: nodes that were completed before.
        replaced: nodes that failed or were dropped, for which a revision of the plan makes up.
    """

    def __init__(
        self,
        parts: Mapping[int, Part],
        parallel: int,
        completed: Collection[int] = (),
        replaced: Collection[int] = (),
    ) -> None:
        self._parts = dict(parts)
        self._parallel = parallel
        self._completed = set(completed)
        self._replaced = frozenset(replaced)
        self._failed = set(replaced)
        self._running: set[int] = set()
        self._path_ahead = _paths_ahead(self._parts)

    @property
    def running(self) -> frozenset[int]:
        return frozenset(self._running)

    @property
    def size(self) -> int:
        """Of the plan, but for what was replaced."""
        return len(self._parts) - len(self._replaced)

    @property
    def completed(self) -> frozenset[int]:
        return frozenset(self._completed - self._replaced)

    @property
    def failed(self) -> Sequence[int]:
        """In the order of the plan."""
        return [node for node in self._parts if node in self._failed]

    @property
    def broken(self) -> frozenset[int]:
        """Those that failed, and for which nothing has made up yet."""
        return frozenset(self._failed - self._replaced)

    @property
    def pending(self) -> Sequence[int]:
        """Those that have not begun, in the order of the plan; some of them may never begin."""
        begun = self._completed | self._failed | self._running
        return [node for node in self._parts if node not in begun]

    @property
    def is_over(self) -> bool:
        """Nothing runs and nothing can begin."""
        return not self._running and next(self._ready(), None) is None

    @property
    def is_completed(self) -> bool:
        """All is done, but for what was replaced."""
        return self._completed >= self._parts.keys() - self._replaced

    def begin(self) -> Sequence[int]:
        """The nodes to start now, the most urgent first. They are running from here on."""
        ready = sorted(self._ready(), key=self._path_ahead.__getitem__, reverse=True)
        begun = ready[: self._parallel - len(self._running)]
        self._running.update(begun)
        return begun

    def put_back(self, nodes: Collection[int]) -> None:
        """Nodes that were to start could not yet: they may begin again."""
        self._running.difference_update(nodes)

    def end(self, node: int, *, completed: bool) -> None:
        """A running node has ended. What depends on one that failed does not begin."""
        self._running.remove(node)
        (self._completed if completed else self._failed).add(node)

    def _ready(self) -> Iterator[int]:
        return (node for node in self.pending if self._parts[node].depends_on <= self._completed)


def _paths_ahead(parts: Mapping[int, Part]) -> Mapping[int, float]:
    """For each node the weight of the heaviest path from it to an end, with its own."""
    order = TopologicalSorter({node: part.depends_on for node, part in parts.items()})
    longest = dict.fromkeys(parts, 0.0)
    for node in reversed([*order.static_order()]):
        longest[node] += parts[node].weight
        for before in parts[node].depends_on:
            longest[before] = max(longest[before], longest[node])
    return longest
