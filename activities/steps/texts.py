"""Values that take the place of references in the arguments of a tool, where it wants text."""

import json
from collections.abc import Mapping
from typing import Any

from pydantic import JsonValue

Schema = Mapping[str, Any]


def texts_where_wanted(named: Mapping[str, JsonValue], schema: Schema) -> dict[str, JsonValue]:
    """The arguments, with numbers and the like as text where the schema takes nothing but text.

    A reference that stands alone keeps the type of its value, and nobody can write it in quotes.
    """
    properties = schema.get("properties")
    if not isinstance(properties, dict):
        return dict(named)
    return {name: _fitting(value, properties.get(name)) for name, value in named.items()}


def _fitting(value: JsonValue, schema: object) -> JsonValue:
    if value is None or isinstance(value, str) or not isinstance(schema, dict):
        return value
    if _types(schema) - {"null"} == {"string"}:
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        return [_fitting(item, schema.get("items")) for item in value]
    return texts_where_wanted(value, schema) if isinstance(value, dict) else value


def _types(schema: Schema) -> set[str | None]:
    """The types that a value may have; None among them stands for any."""
    choices = schema.get("anyOf")
    if isinstance(choices, list):
        parts = (choice if isinstance(choice, dict) else {} for choice in choices)
        return {kind for part in parts for kind in _types(part)}
    kinds = schema.get("type")
    return {str(kind) for kind in kinds} if isinstance(kinds, list) else {kinds and str(kinds)}
