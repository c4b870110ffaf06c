"""Words for what the models have names for only."""

import re
from typing import Any

from api.http.document.content_files import content
from api.http.document.shapes import SCHEMAS, Schema, calls_of

# How docstrings mark code, and how Markdown does.
_CODE = re.compile(r"``([^`]+)``")
_ITSELF = "_"
_EVERYWHERE = "Everywhere"


def add_words(document: Schema) -> None:
    """Describe each property and parameter that does not describe itself."""
    _describe_schemas(document["components"]["schemas"])
    parameters = content("parameters")
    for _, _, call in calls_of(document):
        for parameter in call.get("parameters", ()):
            known: dict[str, str] = parameters.get(call["operationId"], {})
            name = parameter["name"]
            words = known.get(name) or parameter.get("description")
            if words := words or parameters[_EVERYWHERE].get(name):
                parameter["description"] = words


def plain(text: str) -> str:
    """A docstring as Markdown: code has one mark, and lines are broken where paragraphs end."""
    paragraphs = _CODE.sub(r"`\1`", text).split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs).strip()


def words_by_schema() -> dict[str, dict[str, str]]:
    """What there is to say, by the name of a schema and of its property; some share theirs."""
    found: dict[str, dict[str, str]] = {}
    for names, words in content("words").items():
        for name in names.split(", "):
            found.setdefault(name, {}).update(words)
    return found


def _describe_schemas(schemas: Schema) -> None:
    known = words_by_schema()
    everywhere = known[_EVERYWHERE]
    for name, schema in schemas.items():
        words = known.get(name, {})
        if _ITSELF in words:
            schema["description"] = words[_ITSELF]
        if "description" in schema:
            schema["description"] = plain(schema["description"])
        for property_name, part in schema.get("properties", {}).items():
            own = words.get(property_name) or part.get("description")
            if own := own or everywhere.get(property_name):
                _describe(part, own)
    _describe_pages(schemas)


def _describe_pages(schemas: Schema) -> None:
    """Those of a list, by what it lists."""
    for name, schema in schemas.items():
        items: dict[str, Any] = schema.get("properties", {}).get("items", {})
        if name.endswith("Page") and (target := items.get("items", {}).get("$ref")):
            kind = target.removeprefix(SCHEMAS)
            schema["description"] = f"A page of a list, of `{kind}`."
            items["description"] = "What is on this page, in the order that the call names."


def _describe(part: Schema, words: str) -> None:
    # Beside a reference it holds for this place only.
    part["description"] = plain(words)
