"""The arguments of a tool as the rows of a table, from their JSON schema.

Schemas of MCP servers are foreign: they may be anything, refer to themselves, and have no end.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from api.web.filters import clip

MAX_ROWS = 200
MAX_DEPTH = 4
_MAX_CHARACTERS = 500
_BOUNDS = {
    "minimum": "at least {}",
    "maximum": "at most {}",
    "exclusiveMinimum": "more than {}",
    "exclusiveMaximum": "less than {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {} of them",
    "maxItems": "at most {} of them",
    "pattern": "like {}",
    "format": "a {}",
    "default": "{} unless given",
}


@dataclass(frozen=True, slots=True)
class Row:
    """``depth`` counts what it is in; ``rules`` are in words."""

    name: str
    type: str
    is_required: bool
    description: str
    rules: str
    depth: int


def rows_of(schema: Mapping[str, Any]) -> list[Row]:
    """A row for each argument, and for what is in it: ``MAX_ROWS`` and ``MAX_DEPTH`` at most."""
    return list(islice(_rows(schema, schema, 0), MAX_ROWS))


def _rows(schema: Mapping[str, Any], root: Mapping[str, Any], depth: int) -> Iterator[Row]:
    fields = schema.get("properties")
    if depth >= MAX_DEPTH or not isinstance(fields, Mapping):
        return
    required = schema.get("required")
    names = required if isinstance(required, list) else []
    for name, given in fields.items():
        field = _resolved(given, root)
        yield Row(
            name=clip(name, _MAX_CHARACTERS),
            type=clip(_type(field, root), _MAX_CHARACTERS),
            is_required=name in names,
            description=clip(_said(given, field), _MAX_CHARACTERS),
            rules=clip(_rules(field), _MAX_CHARACTERS),
            depth=depth,
        )
        inner = field
        if isinstance(items := field.get("items"), Mapping):
            inner = _resolved(items, root)
        yield from _rows(inner, root, depth + 1)


def _resolved(given: object, root: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a reference stands for; of several possibilities, the one that is not null."""
    for _ in range(MAX_DEPTH):
        if not isinstance(given, Mapping):
            return {}
        others = [each for each in _choices(given) if each != {"type": "null"}]
        if len(others) == 1:
            given = {**others[0], **{k: v for k, v in given.items() if k not in _CHOICES}}
        elif isinstance(path := given.get("$ref"), str):
            given = _at(path, root)
        else:
            return given
    return {}


_CHOICES = ("anyOf", "oneOf")


def _choices(schema: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found: list[Any] = next(
        (schema[key] for key in _CHOICES if isinstance(schema.get(key), list)), []
    )
    return [each for each in found if isinstance(each, Mapping)]


def _at(path: str, root: Mapping[str, Any]) -> object:
    if not path.startswith("#"):
        return None
    found: object = root
    for part in filter(None, path[1:].split("/")[: MAX_DEPTH + 1]):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _type(schema: Mapping[str, Any], root: Mapping[str, Any]) -> str:
    if isinstance(values := schema.get("enum"), list):
        return " | ".join(json.dumps(each, ensure_ascii=False) for each in values[:20])
    if "const" in schema:
        return json.dumps(schema["const"], ensure_ascii=False)
    if choices := _choices(schema):
        return " | ".join(_type(_resolved(each, root), {}) for each in choices[:10])
    given = schema.get("type", "any")
    if given == "array":
        items = schema.get("items")
        inner = _resolved(items, root).get("type", "any") if isinstance(items, Mapping) else "any"
        return f"list of {inner}"
    return " | ".join(map(str, given)) if isinstance(given, list) else str(given)


def _said(given: object, field: Mapping[str, Any]) -> str:
    own = given.get("description") if isinstance(given, Mapping) else None
    return str(own or field.get("description") or "")


def _rules(schema: Mapping[str, Any]) -> str:
    return "; ".join(
        words.format(json.dumps(schema[key], ensure_ascii=False))
        for key, words in _BOUNDS.items()
        if schema.get(key) is not None
    )
