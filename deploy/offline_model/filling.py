"""Values for a JSON schema, by simple rules: from what was printed and made, else neutral ones."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

# Schemas may point to themselves, and ask for as much as they like.
_MAX_VALUES = 10_000
_MAX_DEPTH = 20
_MAX_ITEMS = 100
_FILE_WORDS = ("file", "path", "url", "link", "artifact", "report", "chart", "image")
_TITLE_WORDS = ("title", "name", "subject")
_URL_WORDS = ("url", "link")

Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Facts:
    """What there is to fill with. ``pairs`` is a text in which ``name=value`` may stand."""

    prompt: str = ""
    summary: str = ""
    names: Sequence[str] = ()
    urls: Sequence[str] = ()
    printed: Mapping[str, Any] = field(default_factory=dict)
    pairs: str = ""
    is_success: bool = True

    def value_of(self, name: str) -> Any:
        """What a script printed under this name, or what the text says after ``name=``."""
        if name in self.printed:
            return self.printed[name]
        if name and self.pairs:
            form = rf"(?<!\w){re.escape(name)}\s*[=:]\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s,;]+))"
            if found := re.search(form, self.pairs):
                return next(group for group in found.groups() if group is not None)
        return None


def fill(schema: Schema, facts: Facts, *, is_whole: bool = False) -> dict[str, Any]:
    """An object with the required properties of a schema, or with all of them."""
    filling = _Filling(schema, facts, is_whole, iter(range(_MAX_VALUES)))
    value = filling.value("", {"type": "object", **schema}, 0)
    return value if isinstance(value, dict) else {}


def untold_numbers(schema: Schema, facts: Facts) -> Sequence[str]:
    """The required numbers that nothing gave a value: they get a neutral one."""
    properties = schema.get("properties", {})
    required = ((name, properties.get(name)) for name in schema.get("required", ()))
    return tuple(
        name
        for name, inner in required
        if isinstance(inner, Mapping)
        and inner.get("type") in ("number", "integer")
        and facts.value_of(name) is None
    )


@dataclass(frozen=True, slots=True)
class _Filling:
    root: Schema
    facts: Facts
    is_whole: bool
    left: Iterator[int]

    def value(self, name: str, schema: Any, depth: int) -> Any:
        if depth > _MAX_DEPTH or next(self.left, None) is None:
            return None
        schema = self._one_of(schema)
        for fixed in ("const", "default"):
            if fixed in schema:
                return schema[fixed]
        if choices := schema.get("enum"):
            value = self.facts.value_of(name)
            return value if value in choices else choices[0]
        kind = schema.get("type", "object" if "properties" in schema else "string")
        match kind[0] if isinstance(kind, list) else kind:
            case "object":
                result: Any = self._object(schema, depth)
            case "array":
                result = self._list(name, schema, depth)
            case "string":
                result = self._text(name, schema)
            case "integer" | "number" as number:
                result = self._number(name, schema, is_whole_number=number == "integer")
            case "boolean":
                result = self._boolean(name)
            case _:
                result = None
        return result

    def _one_of(self, schema: Any) -> Schema:
        """The schema itself, or the first that it offers or points to."""
        for _ in range(_MAX_DEPTH):
            if not isinstance(schema, Mapping):  # `true` is one, too
                return {}
            if reference := schema.get("$ref"):
                schema = self._pointed_to(str(reference))
            elif offered := schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf"):
                schema = offered[0]
            else:
                return schema
        return {}

    def _pointed_to(self, reference: str) -> Schema:
        found: Any = self.root
        for part in reference.removeprefix("#").strip("/").split("/"):
            found = found.get(part, {}) if isinstance(found, Mapping) else {}
        return found if isinstance(found, Mapping) else {}

    def _object(self, schema: Schema, depth: int) -> dict[str, Any]:
        return {name: self.value(name, inner, depth + 1) for name, inner in self._wanted(schema)}

    def _wanted(self, schema: Schema) -> Iterator[tuple[str, Any]]:
        properties = schema.get("properties", {})
        required = schema.get("required", ())
        for name in dict.fromkeys([*required, *(properties if self.is_whole else ())]):
            yield name, properties.get(name)

    def _list(self, name: str, schema: Schema, depth: int) -> list[Any]:
        items, facts = self._one_of(schema.get("items")), self.facts
        if _is_of(name, _FILE_WORDS) and items.get("type", "string") == "string" and facts.names:
            return list(facts.urls if _is_of(name, _URL_WORDS) else facts.names)
        value = facts.value_of(name)
        if isinstance(value, list):
            return value
        least = min(schema.get("minItems", 0), _MAX_ITEMS)
        return [self.value(name, items, depth + 1) for _ in range(least)]

    def _text(self, name: str, schema: Schema) -> str:
        value = self.facts.value_of(name)
        if isinstance(value, str | int | float):
            text = str(value)
        elif schema.get("format") in {"uri", "url"} or _is_of(name, _URL_WORDS):
            text = self.facts.urls[-1] if self.facts.urls else ""
        elif _is_of(name, _FILE_WORDS) and self.facts.names:
            text = self.facts.names[-1]
        else:
            text = self.facts.prompt if _is_of(name, _TITLE_WORDS) else self.facts.summary
        return text[: schema.get("maxLength", len(text))]

    def _number(self, name: str, schema: Schema, *, is_whole_number: bool) -> int | float:
        try:
            number = float(self.facts.value_of(name))
        except (TypeError, ValueError):
            number = 0.0
        number = max(number, float(schema.get("minimum", number)))
        number = min(number, float(schema.get("maximum", number)))
        return math.ceil(number) if is_whole_number else number

    def _boolean(self, name: str) -> bool:
        value = self.facts.value_of(name)
        if isinstance(value, str):
            return value.lower() == "true"
        return value if isinstance(value, bool) else self.facts.is_success


def _is_of(name: str, words: Sequence[str]) -> bool:
    return any(word in name.lower() for word in words)
