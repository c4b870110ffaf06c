"""Schemas as generators of clients want them: each with one name, and nothing of a kind twice."""

import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from api.http.document.shapes import REF_TEMPLATE, SCHEMAS, Schema, parts_of, ref

# What a request has and an answer has as well, by the same name, and not as the same thing.
_IN_REQUESTS = {"Agent": "AgentDefinition"}

# Generated clients have a class of this name already.
_OF_CLIENTS = {"File": "StoredFile"}

# Sets of values that stand within other schemas.
_ENUMS = {
    ("approval", "answer"): ("AskKind", "What is wanted of a person: to approve, or to answer."),
    ("approve", "deny"): ("Decision", "What a person has decided."),
    ("python", "shell", "javascript"): ("CodeLanguage", "What code of a step is written in."),
    ("stdio", "http"): ("McpTransport", "How an MCP server is reached."),
    ("timeout", "any"): ("RetryCause", "Failures to retry: time limits, or all of them."),
    ("native", "mcp", "server"): ("ToolKind", "Which tools: built in, of MCP servers, or servers."),
}

# What requests and answers say differently of the same thing.
_OF_A_SIDE = ("title", "description", "required", "contentMediaType")
_SAYS_NOTHING = (("additionalProperties", True), ("default", None))

_PAGE = re.compile(r"Page_(\w+)_")

_INT32 = 2**31 - 1


def add_models(schemas: Schema, models: Mapping[str, type[BaseModel]]) -> None:
    """The schemas of models that FastAPI knows nothing of, with all that they consist of."""
    for name, model in models.items():
        made = model.model_json_schema(ref_template=REF_TEMPLATE)
        parts = {**made.pop("$defs", {}), name: made}
        others = {part: other for part, other in _IN_REQUESTS.items() if part in parts}
        renamed = {p: o for p, o in others.items() if _differs(parts[p], schemas.get(p))}
        for part, schema in parts.items():
            rename(schema, renamed)
            free = renamed.get(part, part)
            if _differs(schema, schemas.get(free)):
                raise ValueError(f"two models are called {part}: give one another name")
            schemas.setdefault(free, schema)


def rename_answers(document: Schema) -> None:
    """``Page_TaskSummary_`` -> ``TaskSummaryPage``; and what clients have of their own."""
    schemas: Schema = document["components"]["schemas"]
    names = {name: f"{match[1]}Page" for name in schemas if (match := _PAGE.fullmatch(name))}
    names |= {name: other for name, other in _OF_CLIENTS.items() if name in schemas}
    for name, other in names.items():
        schemas[other] = schemas.pop(name)
    rename(document, names)


def tidy(document: Schema) -> None:
    """Take away what says nothing, and say of numbers how large they are."""
    schemas: Schema = document["components"]["schemas"]
    for name, schema in schemas.items():
        for part in parts_of(schema):
            _tidy_part(part)
        schema["title"] = name
    for part in parts_of(document["paths"]):
        if "in" in part and "schema" in part:
            part["schema"] = _without_null(part["schema"])
        for inner in parts_of(part.get("schema")):
            _tidy_part(inner)
    _name_enums(document)


def _without_null(schema: Schema) -> Schema:
    """Of a parameter, which is left out where it is not given."""
    variants = [each for each in schema.get("anyOf", ()) if each.get("type") != "null"]
    if len(variants) != 1:
        return schema
    others = {key: part for key, part in schema.items() if key != "anyOf"}
    return {**others, **variants[0]}


def _tidy_part(part: Schema) -> None:
    # A property may be called `title` as well.
    if isinstance(part.get("title"), str):
        del part["title"]
    for bound in ("minimum", "maximum", "exclusiveMinimum"):
        if isinstance(limit := part.get(bound), float) and limit.is_integer():
            part[bound] = int(limit)
    match part.get("type"):
        case "string" if part.get("format") == "duration":
            # Pydantic's, which are no words of JSON schema, and narrower than what is read.
            for word in ("format", "ge", "le"):
                part.pop(word, None)
        case "integer":
            is_small = isinstance(most := part.get("maximum"), int) and most <= _INT32
            part.setdefault("format", "int32" if is_small else "int64")
        case "number":
            part.setdefault("format", "double")


def _differs(schema: Schema, known: Schema | None) -> bool:
    return known is not None and _shape(known) != _shape(schema)


def _shape(value: Any) -> Any:
    """A schema without what differs though it means the same."""
    if isinstance(value, dict):
        return {
            key: _shape(part)
            for key, part in value.items()
            if key not in _OF_A_SIDE and (key, part) not in _SAYS_NOTHING
        }
    return [_shape(part) for part in value] if isinstance(value, list) else value


def rename(schema: Any, names: Mapping[str, str]) -> None:
    """Let references lead to the new names."""
    for part in parts_of(schema):
        target = part.get("$ref")
        if isinstance(target, str) and target.startswith(SCHEMAS):
            name = target.removeprefix(SCHEMAS)
            part["$ref"] = f"{SCHEMAS}{names.get(name, name)}"


def _name_enums(document: Schema) -> None:
    schemas: Schema = document["components"]["schemas"]
    named = {id(schema) for schema in schemas.values()}
    for part in [*parts_of([*schemas.values()]), *parts_of(document["paths"])]:
        values = part.get("enum")
        if id(part) in named or not isinstance(values, list) or not _is_known(values):
            continue
        name, words = _ENUMS[tuple(values)]
        schemas[name] = {"title": name, "type": "string", "enum": values, "description": words}
        named.add(id(schemas[name]))
        _replace(part, name)


def _is_known(values: list[Any]) -> bool:
    return all(isinstance(value, str) for value in values) and tuple(values) in _ENUMS


def _replace(part: Schema, name: str) -> None:
    kept = {key: part[key] for key in ("description", "default") if key in part}
    part.clear()
    part.update(ref(name), **kept)
