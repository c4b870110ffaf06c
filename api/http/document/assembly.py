"""The document put together: of what FastAPI has written, and of what it cannot know."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fastapi.routing import RouteContext, iter_route_contexts
from starlette.routing import BaseRoute

from api.http.cookies import SESSION
from api.http.document.answers import PROBLEM, add_components
from api.http.document.content_files import content
from api.http.document.events import add_events
from api.http.document.examples import add_examples
from api.http.document.operations import Operations
from api.http.document.schemas import add_models, rename_answers, tidy
from api.http.document.shapes import METHODS, Schema, calls_of
from api.http.document.words import add_words
from api.http.paths import METRICS
from api.http.problems import ProblemDocument
from api.http.uploads import FILE_UPLOAD, UPLOAD

KEY = "apiKey"
_SESSION = "session"
TOKEN = "codecToken"  # noqa: S105  (its name in the document)
_METRICS_TOKEN = "metricsToken"  # noqa: S105


@dataclass(frozen=True, slots=True)
class Place:
    """Where the document is served. ``url`` is the address of the API; without one it is the server
    that the document came from."""

    keys_required: bool = False
    url: str = ""


def finish(document: Schema, routes: Sequence[BaseRoute | RouteContext], place: Place) -> Schema:
    """The whole document. It changes the one that is given."""
    operations = Operations()
    for context in iter_route_contexts(routes):
        for call in _calls(document, context):
            operations.describe(call, context)
    components: Schema = document.setdefault("components", {})
    schemas: Schema = components.setdefault("schemas", {})
    rename_answers(document)
    add_models(schemas, {PROBLEM: ProblemDocument, **operations.bodies})
    schemas[FILE_UPLOAD] = UPLOAD
    add_events(schemas)
    tidy(document)
    add_components(components)
    add_words(document)
    add_examples(document)
    components["securitySchemes"] = _security_schemes()
    document["security"] = _security(place)
    if metrics := document["paths"].get(METRICS):
        metrics["get"]["security"] = [{_METRICS_TOKEN: []}, *document["security"]]
    return _ordered(document, place)


def _calls(document: Schema, context: RouteContext) -> Iterator[Schema]:
    path = document["paths"].get(context.path_format, {})
    for method in context.methods or ():
        if call := path.get(method.lower()):
            yield call


def _security(place: Place) -> list[Schema]:
    """What any one of opens a call."""
    keys: list[Schema] = [{KEY: []}, {_SESSION: []}]
    return keys if place.keys_required else [*keys, {}]


def _security_schemes() -> Schema:
    return {
        KEY: {
            "type": "http",
            "scheme": "bearer",
            "description": "An API key of a team, `ak_...`, from `agentos keys create`.",
        },
        _SESSION: {
            "type": "apiKey",
            "in": "cookie",
            "name": SESSION,
            "description": (
                "The session of a browser that has logged in at `/login`. Other sites' pages can "
                "change nothing with it. Programs send a key."
            ),
        },
        TOKEN: {
            "type": "http",
            "scheme": "bearer",
            "description": "The AGENTOS_CODEC_TOKEN of the server. Keys of teams open nothing.",
        },
        _METRICS_TOKEN: {
            "type": "http",
            "scheme": "bearer",
            "description": "The AGENTOS_METRICS_TOKEN of the server. It opens nothing else.",
        },
    }


def _ordered(document: Schema, place: Place) -> Schema:
    """The same document each time, in the order in which people read."""
    about = content("about")
    tags: list[Schema] = about["tags"]
    rank = {tag["name"]: number for number, tag in enumerate(tags)}
    used = {call["tags"][0] for _, _, call in calls_of(document)}
    paths = sorted(
        document["paths"].items(),
        key=lambda item: (min(_ranks(item[1], rank)), item[0].count("/"), item[0]),
    )
    components: Schema = document["components"]
    return {
        "openapi": document["openapi"],
        "info": {**document["info"], "description": about["description"]},
        "servers": [{"url": place.url or "/", "description": about["server"]}],
        "security": document["security"],
        "tags": [tag for tag in tags if tag["name"] in used],
        "paths": {path: _item(item) for path, item in paths},
        "components": {kind: dict(sorted(components[kind].items())) for kind in sorted(components)},
    }


def _ranks(item: Schema, rank: dict[str, int]) -> list[int]:
    return [rank[call["tags"][0]] for call in item.values()]


def _item(item: Schema) -> Schema:
    return {method: item[method] for method in METHODS if method in item}
