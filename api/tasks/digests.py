"""What tells a request that is repeated from another with the same idempotency key."""

import hashlib
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from workflows.definitions.pipeline import Pipeline, Step
from workflows.definitions.task_request import TaskRequest

# Digests that older versions wrote down are compared with those of today. A field that is new
# belongs here: where a request says nothing in it, the digest is what it was without it.
_NEWER: Mapping[type[BaseModel], frozenset[str]] = {
    TaskRequest: frozenset({"cache", "callbacks"}),
    Pipeline: frozenset({"parallel"}),
    Step: frozenset({"cache", "needs", "foreach", "parallel"}),
}


def digest_of(request: TaskRequest) -> str:
    """The same for requests that mean the same, however they are written."""
    said = request.model_dump_json(exclude=_unused(request))
    return hashlib.sha256(said.encode()).hexdigest()


def _unused(value: object) -> dict[Any, Any]:
    """Where in a model newer fields have their defaults, as pydantic wants to have it said."""
    newer = _newer(value)
    found: dict[Any, Any] = {}
    for place, inner in _parts(value):
        if place in newer and inner == newer[place]:
            found[place] = True
        elif below := _unused(inner):
            found[place] = below
    return found


def _newer(value: object) -> dict[str, object]:
    """Newer fields of a model, with their defaults."""
    if not isinstance(value, BaseModel):
        return {}
    kind = type(value)
    return {name: kind.model_fields[name].default for name in _NEWER.get(kind, ())}


def _parts(value: object) -> list[tuple[Any, object]]:
    if isinstance(value, BaseModel):
        return [*value]
    if isinstance(value, list | tuple):
        return [*enumerate(value)]
    return []
