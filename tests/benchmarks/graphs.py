"""Random plans, and how long they take at the least."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from heapq import heappop, heappush

from workflows.schedule import Part, Schedule
from workflows.states import Size

# How many others a node depends on, on average: from hardly any to a few.
_MOST_DEPENDENCIES = 2.0
_LARGE = 0.3  # of all nodes


@dataclass(frozen=True, slots=True)
class Graph:
    """``seconds`` are those of each node, which the schedule does not know: it knows ``sizes``."""

    depends_on: Mapping[int, Sequence[int]]
    sizes: Mapping[int, Size]
    seconds: Mapping[int, float]
    parallel: int

    @classmethod
    def draw(cls, chance: random.Random, nodes: int, parallel: int) -> "Graph":
        """A node of a size takes from half to one and a half times as long as is usual for it."""
        numbers = range(1, nodes + 1)
        sizes = {n: Size.LARGE if chance.random() < _LARGE else Size.SMALL for n in numbers}
        edges = chance.uniform(0, _MOST_DEPENDENCIES) / nodes * 2
        return cls(
            {n: [m for m in range(1, n) if chance.random() < edges] for n in numbers},
            sizes,
            {n: sizes[n].weight * chance.uniform(0.5, 1.5) for n in numbers},
            parallel,
        )

    @property
    def least_seconds(self) -> float:
        """No schedule is quicker: the longest path, or all work shared out evenly."""

        @cache
        def until_end_of(node: int) -> float:
            before = map(until_end_of, self.depends_on[node])
            return self.seconds[node] + max(before, default=0.0)

        path = max(map(until_end_of, self.seconds))
        return max(path, sum(self.seconds.values()) / self.parallel)

    def simulated_seconds(self) -> float:
        """How long the plan takes in the order that nodes really run in, on a clock that takes no
        time itself."""
        parts = {
            node: Part(frozenset(before), self.sizes[node].weight)
            for node, before in self.depends_on.items()
        }
        schedule = Schedule(parts, self.parallel)
        now, ends = 0.0, list[tuple[float, int]]()
        while not schedule.is_over:
            for node in schedule.begin():
                heappush(ends, (now + self.seconds[node], node))
            now, ended = heappop(ends)
            schedule.end(ended, completed=True)
        return now


def graphs(count: int, seed: int) -> Iterator[Graph]:
    """Of 5 to 50 nodes, of which 2 to 8 run at once; the same for the same seed."""
    chance = random.Random(seed)
    for _ in range(count):
        yield Graph.draw(chance, chance.randint(5, 50), chance.randint(2, 8))
