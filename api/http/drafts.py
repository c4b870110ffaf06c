"""Bodies that may be wrong: read as far as they can be, and every place in them known."""

from typing import Any

from fastapi import Request
from pydantic import JsonValue

from activities.off_loop import off_loop
from api.errors import InvalidRequest
from api.http.bodies import JSON_TYPE, YAML_TYPES, decoded, media_type, parse, validated
from api.tasks.drafts import PIPELINE, Draft, Source
from api.wire.errors import BodyMalformed, TooManyValues
from api.wire.yaml_places import Place
from api.wire.yaml_reader import parse_yaml
from workflows.definitions.task_request import TaskRequest
from workflows.pointers import Problem

# No schema of what may be wrong: that of a task is `TaskRequest`.
DRAFT: dict[str, Any] = {
    "description": "What `POST /tasks` takes, right or wrong.",
    "required": True,
    "content": {type_: {"schema": {}} for type_ in (JSON_TYPE, YAML_TYPES[0])},
}


async def sent_draft(request: Request) -> Draft:
    """A dependency: the body, right or wrong. Raises ``MediaTypeRefused``."""
    body = await request.body()
    return await off_loop(read_draft, body, request.headers.get("content-type"))


def read_draft(body: bytes, content_type: str | None) -> Draft:
    """The draft in a body. Raises ``MediaTypeRefused``."""
    try:
        document = parse(body, content_type)
    except (BodyMalformed, TooManyValues) as error:
        return _unread(error, "")
    is_yaml = media_type(content_type) in YAML_TYPES
    return draft_of(document, (Source("", decoded(body)),) if is_yaml else ())


def draft_of(document: JsonValue, sources: tuple[Source, ...] = ()) -> Draft:
    """The draft that a document is; the pipeline in it may be a text, YAML or JSON."""
    if isinstance(document, dict) and isinstance(text := document.get("pipeline"), str):
        try:
            document = {**document, "pipeline": parse_yaml(text)}
        except (BodyMalformed, TooManyValues) as error:
            return _unread(error, PIPELINE)
        sources = (Source(PIPELINE, text), *sources)
    try:
        return Draft(document, validated(TaskRequest, document), sources=sources)
    except InvalidRequest as error:
        return Draft(document, problems=error.problems, sources=sources)


def _unread(error: BodyMalformed | TooManyValues, at: str) -> Draft:
    if isinstance(error, TooManyValues):
        return Draft(problems=(Problem(at, str(error)),))
    fields = error.fields
    place = Place(int(str(fields["line"])), int(str(fields["column"])))
    message = f"this is not valid {fields['form']}: {fields['reason']}"
    return Draft(problems=(Problem(at, message),), broken_at=place)
