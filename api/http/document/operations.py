"""Calls: how each is named and grouped, what it is sent, and how it may be refused."""

from collections.abc import Iterator, Mapping
from typing import Any

from fastapi.routing import APIRoute, RouteContext
from pydantic import BaseModel

from api.errors import (
    InvalidRequest,
    KeyRefused,
    MediaTypeRefused,
    NotFound,
    OriginRefused,
    RequestRefused,
    RequestTimedOut,
    TooLarge,
)
from api.http.bodies import JSON_TYPE, Body
from api.http.document.answers import headers, shared_refusal
from api.http.document.content_files import content
from api.http.document.events import STREAM_TYPE
from api.http.document.shapes import Schema, ref
from api.http.document.words import plain
from api.http.paths import is_guarded

_UNAVAILABLE = 503  # What we need ourselves is away.
_OF_ALL = (OriginRefused.status, InvalidRequest.status)
_OF_BODIES = (
    RequestRefused.status,
    RequestTimedOut.status,
    TooLarge.status,
    MediaTypeRefused.status,
)

# As FastAPI describes answers.
_SAYS_NOTHING = ("Successful Response", "OK")
_PAGE = "/Page_"  # As pydantic calls a page of anything.


def operation_id(route: APIRoute) -> str:
    """``list_tasks`` -> ``listTasks``, for routes that do not say themselves."""
    first, *others = route.name.strip("_").split("_")
    return first + "".join(part.capitalize() for part in others)


class Operations:
    """Describes calls, and collects the models of their bodies."""

    def __init__(self) -> None:
        self.bodies: dict[str, type[BaseModel]] = {}
        self._answers: Mapping[str, dict[str, str]] = content("answers")
        self._located = frozenset(content("located")["calls"])

    def describe(self, call: Schema, context: RouteContext) -> None:
        """What holds for all calls, and follows from what a route takes."""
        text = plain(call.get("description", ""))
        call["description"] = text
        call["summary"] = _first_sentence(text).replace("`", "")  # It is no Markdown.
        if body := _body_of(context):
            call["requestBody"] = _request_body(body)
            self.bodies[body.model.__name__] = body.model
        for status in _refusals_of(call, str(context.path_format)):
            call["responses"].setdefault(str(status), shared_refusal(status))
        if not is_guarded(str(context.path_format)):
            call.setdefault("security", [])
        self._describe_answers(call)

    def _describe_answers(self, call: Schema) -> None:
        own = self._answers.get(call["operationId"], {})
        responses: Schema = call["responses"]
        if events := responses.get("200", {}).get("content", {}).get(STREAM_TYPE):
            events["schema"].pop("type", None)  # FastAPI's, that a stream is a text.
        for status, answer in responses.items():
            if words := own.get(status):
                answer["description"] = words
            elif answer.get("description") in _SAYS_NOTHING:
                answer["description"] = _words_of(status, answer)
        made = next((status for status in ("201", "202") if status in responses), None)
        if made and call["operationId"] in self._located:
            responses[made]["headers"] = headers("Location")
        call["responses"] = dict(sorted(responses.items()))


def _words_of(status: str, answer: Schema) -> str:
    """What a page of a list is. All other answers are described in ``content/answers.yaml``."""
    schema = answer.get("content", {}).get(JSON_TYPE, {}).get("schema", {})
    if status == "200" and _PAGE in str(schema.get("$ref", "")):
        return "A page of the list. `next_cursor` leads to the next one, and is null on the last."
    return str(answer["description"])


def _first_sentence(text: str) -> str:
    line = text.split("\n\n", maxsplit=1)[0]
    sentence, dot, _ = line.partition(". ")
    return sentence if dot else line.removesuffix(".")


def _refusals_of(call: Schema, path: str) -> Iterator[int]:
    yield from _OF_ALL
    if is_guarded(path):
        yield KeyRefused.status
        yield _UNAVAILABLE
    if any(parameter["in"] == "path" for parameter in call.get("parameters", ())):
        yield NotFound.status
    if "requestBody" in call:
        yield from _OF_BODIES


def _body_of(context: RouteContext) -> Body[Any] | None:
    dependant = getattr(context, "dependant", None)
    calls = [item.call for item in dependant.dependencies] if dependant else []
    return next((call for call in calls if isinstance(call, Body)), None)


def _request_body(body: Body[Any]) -> Schema:
    """That it may be YAML is said in words: generators of clients would make every call twice."""
    words = "In JSON; as `application/yaml` the same in YAML is taken, too."
    if body.default is not None:
        words += " Without one, everything is as by default."
    return {
        "description": words,
        "required": body.default is None,
        "content": {JSON_TYPE: {"schema": ref(body.model.__name__)}},
    }
