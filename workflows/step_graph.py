"""Which steps of a pipeline, and which items of its steps, run when.

A step begins once all that it needs is completed. One with ``foreach`` is opened first, which
tells its items; then these run, and when the last is completed it is closed. Steps go before
items, which are many, and else what is first in the pipeline goes first.
"""

from collections import Counter, deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice

from workflows.item_names import item_name


class Part(StrEnum):
    """What of a step runs: all of it, or of one with ``foreach`` its opening, an item, its end."""

    WHOLE = "whole"
    OPENING = "opening"
    ITEM = "item"
    CLOSING = "closing"


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of work; ``item`` is the number of an item, from 0 on."""

    step: str
    part: Part = Part.WHOLE
    item: int | None = None

    @property
    def name(self) -> str:
        return self.step if self.item is None else item_name(self.step, self.item)


@dataclass(frozen=True, slots=True)
class GraphStep:
    """A step as far as its place is concerned; ``parallel`` of its items run at once at most."""

    id: str
    needs: frozenset[str] = frozenset()
    has_items: bool = False
    parallel: int | None = None


class StepGraph:
    """The order of the steps of one pipeline; ``parallel`` pieces run at once at most. They have
    no cycle. Those of ``completed`` were completed before."""

    def __init__(
        self, steps: Iterable[GraphStep], parallel: int, completed: Collection[str] = ()
    ) -> None:
        self._steps = {step.id: step for step in steps}
        self._parallel = parallel
        self._completed = {name for name in self._steps if name in completed}
        self._begun = set(self._completed)
        self._running: set[Piece] = set()
        self._waiting: dict[str, deque[int]] = {}
        self._unfinished: dict[str, int] = {}
        self._is_stopped = False

    @property
    def completed(self) -> Sequence[str]:
        """In the order of the pipeline."""
        return [name for name in self._steps if name in self._completed]

    @property
    def running(self) -> frozenset[Piece]:
        return frozenset(self._running)

    @property
    def is_completed(self) -> bool:
        return self._completed == self._steps.keys()

    def begin(self) -> Sequence[Piece]:
        """The pieces to start now. They are running from here on."""
        begun: list[Piece] = []
        ready = self._ready()
        while len(self._running) < self._parallel and (piece := next(ready, None)) is not None:
            self._running.add(piece)
            begun.append(piece)
            if piece.part is Part.ITEM:
                self._waiting[piece.step].popleft()
            else:
                self._begun.add(piece.step)
        return begun

    def open(self, step: str, items: Iterable[int]) -> None:
        """What was opened has these items to run; those that it has beside are completed."""
        self._waiting[step] = deque(items)
        self._unfinished[step] = len(self._waiting[step])

    def end(self, piece: Piece, *, completed: bool) -> None:
        """A running piece has ended. What needs a step that failed does not begin."""
        self._running.remove(piece)
        if not completed:
            return
        match piece.part:
            case Part.ITEM:
                self._unfinished[piece.step] -= 1
            case Part.WHOLE | Part.CLOSING:
                self._completed.add(piece.step)
                self._unfinished.pop(piece.step, None)
            case Part.OPENING:
                assert piece.step in self._waiting

    def stop(self) -> None:
        """Nothing more begins: what runs is waited for."""
        self._is_stopped = True

    def _ready(self) -> Iterator[Piece]:
        """All that could run, the first first. What is given counts as begun before the next."""
        if self._is_stopped:
            return
        for step in self._steps.values():
            if step.id in self._begun:
                if self._is_to_close(step.id):
                    yield Piece(step.id, Part.CLOSING)
            elif step.needs <= self._completed:
                yield Piece(step.id, Part.OPENING if step.has_items else Part.WHOLE)
        running = Counter(piece.step for piece in self._running)
        for name, items in self._waiting.items():
            most = self._steps[name].parallel or self._parallel
            for item in tuple(islice(items, max(0, most - running[name]))):
                yield Piece(name, Part.ITEM, item)

    def _is_to_close(self, step: str) -> bool:
        return self._unfinished.get(step) == 0 and Piece(step, Part.CLOSING) not in self._running
