"""Examples: of bodies as they were written down, of answers as they are put together."""

from collections.abc import Mapping
from typing import Any

from api.http.bodies import JSON_TYPE
from api.http.document.content_files import content
from api.http.document.shapes import SCHEMAS, Schema, calls_of

_EVERYWHERE = "Everywhere"
_MOST_NESTED = 6
_KINDS: Mapping[type[Any], tuple[str, ...]] = {
    bool: ("boolean",),
    int: ("integer", "number"),
    float: ("number",),
    str: ("string",),
    list: ("array",),
    dict: ("object",),
    type(None): ("null",),
}


def add_examples(document: Schema) -> None:
    """Give every body of a request its examples, and every answer in JSON one."""
    written = content("examples")
    samples = Samples(document["components"]["schemas"], content("samples"))
    for _, _, call in calls_of(document):
        if examples := written.get(call["operationId"]):
            _add_bodies(call["requestBody"]["content"], examples)
        for answer in call["responses"].values():
            for kind, media in answer.get("content", {}).items():
                if kind == JSON_TYPE and "schema" in media:
                    media.setdefault("example", samples.of(media["schema"]))


def _add_bodies(media: Schema, examples: Mapping[str, Schema]) -> None:
    for one in media.values():
        one["examples"] = {
            name: {"summary": example["summary"], "value": example["value"]}
            for name, example in examples.items()
        }


class Samples:
    """Values such as answers have, by the name of a schema and a property, or of a property alone.

    What has no sample is left out where it may be, and null where it may be that.
    """

    def __init__(self, schemas: Schema, samples: Mapping[str, Mapping[str, Any]]) -> None:
        self._schemas = schemas
        self._samples = samples

    def of(self, schema: Schema, depth: int = 0) -> Any:
        """A value that matches the schema."""
        if target := schema.get("$ref"):
            return self._named(target.removeprefix(SCHEMAS), depth)
        if variants := schema.get("anyOf") or schema.get("oneOf"):
            return self._of_variants(variants, depth)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return schema["enum"][0]
        return self._of_type(schema, depth)

    def _named(self, name: str, depth: int) -> Any:
        schema = self._schemas[name]
        own = self._samples.get(name, {})
        if "properties" not in schema:
            return own.get("_", self.of(schema, depth)) if own else self.of(schema, depth)
        everywhere = self._samples[_EVERYWHERE]
        made: dict[str, Any] = {}
        for key, part in schema["properties"].items():
            if key in own:
                made[key] = own[key]
            elif key in everywhere and _fits(part, everywhere[key]):
                made[key] = everywhere[key]
            elif key in schema.get("required", ()):
                made[key] = self.of(part, depth + 1)
        return made

    def _of_variants(self, variants: list[Schema], depth: int) -> Any:
        is_nullable = any(variant.get("type") == "null" for variant in variants)
        return None if is_nullable else self.of(variants[0], depth)

    def _of_type(self, schema: Schema, depth: int) -> Any:
        match schema.get("type"):
            case "array":
                return [] if depth > _MOST_NESTED else [self.of(schema["items"], depth + 1)]
            case "object":
                return {}
            case "boolean":
                return False
            case "integer" | "number":
                return schema.get("minimum", 0)
            case "string":
                return self._samples["Formats"].get(schema.get("format", ""), "...")
        return None


def _fits(part: Schema, sample: Any) -> bool:
    """Whether a sample is of a kind that the property has: names mean this here and that there."""
    kinds = {variant.get("type") for variant in (part, *part.get("anyOf", ()))}
    return any(kind in kinds for kind in _KINDS[type(sample)])
