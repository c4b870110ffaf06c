"""Where in a YAML document a value stands, by its JSON pointer."""

from collections.abc import Sequence
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
    root: yaml.Node | None = yaml.compose(text, Loader=yaml.CSafeLoader)
    return [_place(root, pointer.split("/")[1:]) for pointer in pointers]


def _place(node: yaml.Node | None, parts: Sequence[str]) -> Place:
    found = _TOP if node is None else _start(node)
    for part in map(unescaped, parts):
        match node:
            case yaml.MappingNode():
                pairs = ((key, value) for key, value in node.value if key.value == part)
                key, node = next(pairs, (None, None))
                found = found if key is None else _start(key)
            case yaml.SequenceNode() if part.isdecimal() and int(part) < len(node.value):
                node = node.value[int(part)]
                found = _start(node)
            case _:
                break
    return found


def _start(node: yaml.Node) -> Place:
    return Place(node.start_mark.line + 1, node.start_mark.column + 1)
