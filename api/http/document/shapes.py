"""What all parts of the document are made of."""

from collections.abc import Iterator
from typing import Any

Schema = dict[str, Any]

SCHEMAS = "#/components/schemas/"
REF_TEMPLATE = f"{SCHEMAS}{{model}}"

METHODS = ("get", "head", "post", "put", "patch", "delete")


def ref(name: str) -> Schema:
    """The schema of that name."""
    return {"$ref": f"{SCHEMAS}{name}"}


def calls_of(document: Schema) -> Iterator[tuple[str, str, Schema]]:
    """Each call of the document with its path and method."""
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield path, method, item[method]


def parts_of(value: Any) -> Iterator[Schema]:
    """Each object within a value, the outer ones first."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            yield item
            waiting += item.values()
        elif isinstance(item, list):
            waiting += item
