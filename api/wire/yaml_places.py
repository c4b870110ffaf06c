"""Where in a YAML document a value stands, by its JSON pointer."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import yaml

from workflows.pointers import unescaped


@dataclass(frozen=True, slots=True)
class Place:
    """Both count from 1."""

    line: int
    column: int


_TOP = Place(1, 1)


def places_in(text: str, pointers: Sequence[str]) -> list[Place]:
    """The place of each pointer, in a text that ``parse_yaml`` reads.

    A value in an object is where its key is. Of what is not there, it is that of the nearest value
    around it.
    """
    paths = [tuple(map(unescaped, pointer.split("/")[1:])) for pointer in pointers]
    found = _Walk(text).found(_tree(paths))
    return [next(found[at] for at in _upwards(path) if at in found) for path in paths]


_Path = tuple[str, ...]
_Tree = dict[str, "_Tree"]


def _tree(paths: Iterable[_Path]) -> _Tree:
    root: _Tree = {}
    for path in paths:
        at = root
        for part in path:
            at = at.setdefault(part, {})
    return root


def _upwards(path: _Path) -> Iterator[_Path]:
    for length in range(len(path), -1, -1):
        yield path[:length]


class _Walk:
    """Through the events of a text, one by one: to compose a document of it is a single long call,
    which keeps all other threads waiting."""

    def __init__(self, text: str) -> None:
        self._events: Iterator[yaml.Event] = yaml.parse(text, Loader=yaml.CSafeLoader)
        self._found: dict[_Path, Place] = {(): _TOP}

    def found(self, wanted: _Tree) -> Mapping[_Path, Place]:
        """The places of what is wanted, as far as it is there."""
        for event in self._events:
            if isinstance(event, yaml.NodeEvent):
                self._found[()] = _start(event)
                self._value(event, wanted, ())
                break
        return self._found

    def _value(self, event: yaml.Event, wanted: _Tree, path: _Path) -> None:
        left = dict(wanted)
        if isinstance(event, yaml.MappingStartEvent):
            while not isinstance(key := next(self._events), yaml.MappingEndEvent):
                self._pass(key)
                part = key.value if isinstance(key, yaml.ScalarEvent) else None
                self._child(key, next(self._events), left, (*path, part or ""))
        elif isinstance(event, yaml.SequenceStartEvent):
            number = 0
            while not isinstance(item := next(self._events), yaml.SequenceEndEvent):
                self._child(item, item, left, (*path, str(number)))
                number += 1

    def _child(self, where: yaml.Event, value: yaml.Event, left: _Tree, path: _Path) -> None:
        below = left.pop(path[-1], None)  # Of keys that are alike, the first counts.
        if below is None:
            self._pass(value)
            return
        self._found[path] = _start(where)
        self._value(value, below, path)

    def _pass(self, event: yaml.Event) -> None:
        """Over all that is in a value."""
        depth = int(isinstance(event, yaml.CollectionStartEvent))
        while depth:
            inner = next(self._events)
            depth += isinstance(inner, yaml.CollectionStartEvent)
            depth -= isinstance(inner, yaml.CollectionEndEvent)


def _start(event: yaml.Event) -> Place:
    mark = event.start_mark
    return _TOP if mark is None else Place(mark.line + 1, mark.column + 1)
